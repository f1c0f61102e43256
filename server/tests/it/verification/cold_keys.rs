//! Keys that are not in memory yet.

use std::sync::Arc;

use futures_util::future::join_all;
use latchkey::{
    key::{RevokeReason, text::PlainKey},
    keys::change_state::revoke,
    random::Randomness,
};

use crate::test_app::{TestApp, said};

/// The number of connections on Postgres for everything other than verification.
const CONNECTIONS: i64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cold_key_is_answered_while_changes_wait_on_every_other_connection() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let org = Arc::new(app.org("northwind").await);
    let cold = org.key("Cold").await;
    let held = app.database.hold_keys().await;
    let changes: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (engine, org, id) = (Arc::clone(&app.engine), Arc::clone(&org), cold.id);
            tokio::spawn(
                async move { revoke(&engine, &org.permit(), id, RevokeReason::Unused).await },
            )
        })
        .collect();
    const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while app.database.number(WAITING).await < CONNECTIONS {
        tokio::task::yield_now().await;
    }
    assert_eq!(said(&app.verify(&cold.plain).await), "VALID");
    drop(held);
    let mut revoked = 0;
    for change in changes {
        revoked += usize::from(change.await.unwrap().is_ok());
    }
    assert_eq!(revoked, 1);
    app.remove().await;
}

on_both! {
    async fn each_of_many_keys_that_are_asked_for_at_once_gets_its_own_answer(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut keys = Vec::new();
        for number in 0..120 {
            keys.push(org.key(&format!("Key {number}")).await);
        }
        let unknown = |seed| PlainKey::generate("lk_sk_live_", 26, &Randomness::seeded(seed)).unwrap();
        let unknown: Vec<PlainKey> = (0..120).map(unknown).collect();
        let asked = keys.iter().zip(&unknown).flat_map(|(key, unknown)| [&key.plain, unknown]);
        let answers = join_all(asked.map(|key| app.verify(key))).await;
        for (pair, key) in answers.chunks(2).zip(&keys) {
            assert_eq!(pair[0].key.as_ref().map(|found| found.id), Some(key.id));
            assert_eq!((said(&pair[0]), said(&pair[1])), ("VALID".into(), "INVALID_API_KEY unknown".into()));
        }
    }
}
