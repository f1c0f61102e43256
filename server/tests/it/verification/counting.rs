//! Counting: every decision about a known key counts once, and no more than were returned.

use std::sync::Arc;

use latchkey::{
    convention::{ClassIndex, Convention},
    key::{RevokeReason, text::PlainKey},
    keys::change_state::revoke,
    usage::{
        flush::flush,
        parts,
        question::Question,
        report::{self, Range},
    },
    verify::{Request, verify},
};

use crate::test_app::{TestApp, TestOrg};

on_both! {
    async fn concurrent_verifications_are_all_stored_while_flushes_go_on(app: &TestApp) {
        let org = app.org("northwind").await;
        let keys: Vec<_> = {
            let mut keys = vec![];
            for name in ["One", "Two", "Three"] {
                keys.push(Arc::new(org.key(name).await.plain));
            }
            keys
        };
        let asking: Vec<_> = (0..8)
            .map(|task| {
                let (engine, key) = (app.engine.clone(), keys[task % keys.len()].clone());
                tokio::spawn(async move {
                    for round in 0..200 {
                        let request = Request { key: Some(&key), ..Request::default() };
                        verify(&engine, &request).await.unwrap();
                        if round % 50 == 0 {
                            flush(&engine).await.unwrap();
                        }
                    }
                })
            })
            .collect();
        for task in asking {
            task.await.unwrap();
        }
        flush(&app.engine).await.unwrap();
        let report = report::of_org(&app.engine, &org.permit(), &Question::of_range(Range::Hours24)).await.unwrap();
        assert_eq!((report.total.passed, report.total.all()), (1_600, 1_600));
        let mut by_key: Vec<i64> = parts::of_keys(&app.engine, &org.permit(), Range::Days7, 50).await.unwrap()
            .busiest.iter().map(|key| key.counts.passed).collect();
        by_key.sort();
        assert_eq!(by_key, [400, 600, 600]);
    }

    async fn refusals_of_a_known_key_are_counted_and_strangers_are_not(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        app.ask(&Request { key: Some(&made.plain), agent: Some("agt_1"), ..Request::default() }).await;
        app.ask(&Request::default()).await;
        app.ask(&Request { key: Some(&PlainKey::from_presented("nonsense")), ..Request::default() }).await;
        flush(&app.engine).await.unwrap();
        assert_eq!(app.outcomes().await, ["AGENT_NOT_FOUND 1"]);
    }

    async fn every_decision_is_observed_whomever_it_is_about(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let gone = org.key("Gone").await;
        revoke(&app.engine, &org.permit(), gone.id, RevokeReason::Unused).await.unwrap();
        for key in [&made.plain, &gone.plain, &PlainKey::from_presented("nonsense"), &PlainKey::from_presented("x".repeat(40))] {
            app.verify(key).await;
        }
        app.ask(&Request::default()).await;
        let counted: Vec<String> = app.engine.verifications().by_outcome().filter(|(_, count)| *count > 0)
            .map(|(outcome, count)| format!("{outcome} {count}")).collect();
        assert_eq!(counted, ["VALID 1", "MISSING_API_KEY 1", "INVALID_API_KEY 3"]);
        let reasons: Vec<String> = app.engine.verifications().by_reason().filter(|(_, count)| *count > 0)
            .map(|(reason, count)| format!("{} {count}", reason.as_str())).collect();
        assert_eq!(reasons, ["malformed 2", "revoked 1"]);
    }

    async fn classes_are_counted_apart(app: &TestApp) {
        let engine = app.another_engine(|settings| {
            settings.convention = Convention::built_in("agentix").unwrap();
        }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let made = org.key("Production").await;
        for class in ["chat", "config", "chat"] {
            let class = ClassIndex::find(engine.convention(), class).unwrap();
            verify(&engine, &Request { key: Some(&made.plain), class, ..Request::default() }).await.unwrap();
        }
        assert_eq!(ClassIndex::find(engine.convention(), "made up"), None);
        flush(&engine).await.unwrap();
        let rows = app.stored("days").await;
        let rows: Vec<_> = rows.iter().map(|day| format!("{} {}", day.class, day.count)).collect();
        assert_eq!(rows, ["chat 2", "config 1"]);
    }
}
