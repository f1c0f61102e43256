//! Peppers: those that are missing or another secret are named.

use latchkey::{
    key::{
        RevokeReason,
        digest::{Pepper, Peppers},
    },
    keys::change_state::revoke,
    peppers::{self, UnusablePeppers, accept, check},
};

use crate::test_app::TestApp;

on_both! {
    async fn another_secret_under_a_number_that_was_used_is_named(app: &TestApp) {
        let db = app.engine.db();
        accept(db, &of(&[(1, 7)]), &app.clock).await.unwrap();
        accept(db, &of(&[(2, 8), (1, 7)]), &app.clock).await.unwrap();
        for (wrong, number) in [(of(&[(1, 9)]), 1), (of(&[(2, 8), (1, 9)]), 1), (of(&[(3, 1), (2, 7)]), 2)] {
            let error = accept(db, &wrong, &app.clock).await.unwrap_err();
            let UnusablePeppers::Different { version, next } = error else { panic!("{error:?}") };
            assert_eq!(version, number);
            assert!(next > 2 && !wrong.versions().any(|version| version == next), "{next}");
            assert!(error.to_string().starts_with(&format!("pepper {number} is not the secret")), "{error}");
        }
        check(db, &of(&[(1, 7)]), app.clock.now()).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM peppers").await, 2);
    }

    async fn of_two_that_start_first_with_different_secrets_one_is_told(app: &TestApp) {
        let (one, two) = (of(&[(1, 7)]), of(&[(1, 8)]));
        let db = app.engine.db();
        let (one, two) = tokio::join!(accept(db, &one, &app.clock), accept(db, &two, &app.clock));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    }

    async fn a_pepper_is_needed_as_long_as_a_key_or_token_under_it_works(app: &TestApp) {
        let org = app.org("northwind").await;
        let (one, _two) = (org.key("One").await, org.key("Two").await);
        let db = app.engine.db();
        let missing = async || check(db, &of(&[(2, 8)]), app.clock.now()).await.unwrap_err();
        let error = missing().await;
        assert!(matches!(error, UnusablePeppers::Missing { version: 1, key_secrets: 2, service_tokens: 0 }), "{error:?}");
        assert!(error.to_string().starts_with("pepper 1 is missing, and digests need it (key secrets: 2,"), "{error}");
        check(db, &of(&[(2, 8), (1, 7)]), app.clock.now()).await.unwrap();
        revoke(&app.engine, &org.permit(), one.id, RevokeReason::Unused).await.unwrap();
        let error = missing().await;
        assert!(matches!(error, UnusablePeppers::Missing { key_secrets: 1, .. }), "{error:?}");
        app.database.execute("DELETE FROM keys").await;
        check(db, &of(&[(2, 8)]), app.clock.now()).await.unwrap();
        app.service_token().await;
        let error = missing().await;
        assert!(matches!(error, UnusablePeppers::Missing { key_secrets: 0, service_tokens: 1, .. }), "{error:?}");
        app.database.execute(&format!("UPDATE service_tokens SET revoked_at = {}", app.clock.now().as_millis())).await;
        check(db, &of(&[(2, 8)]), app.clock.now()).await.unwrap();
    }

    async fn the_status_counts_what_is_under_each_pepper(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("One").await;
        app.service_token().await;
        let rotated = of(&[(3, 9), (1, 8)]);
        accept(app.engine.db(), &of(&[(1, 7)]), &app.clock).await.unwrap();
        let status = peppers::status(app.engine.db(), Some(&rotated), app.clock.now()).await.unwrap();
        assert_eq!(status.keys().copied().collect::<Vec<_>>(), [1, 3]);
        let one = status[&1];
        assert_eq!((one.key_secrets, one.service_tokens, one.audit_entries), (1, 1, 3));
        assert_eq!((one.is_needed(), one.is_right), (true, Some(false)));
        assert_eq!((status[&3].is_needed(), status[&3].is_right), (false, Some(true)));
        assert_eq!(peppers::next_number(&rotated, status.keys()), 4);
    }
}

/// Peppers of which the first is the current one, by number and the byte that each consists of.
fn of(peppers: &[(i32, u8)]) -> Peppers {
    let mut all: Vec<Pepper> = peppers
        .iter()
        .map(|(number, byte)| Pepper::new(*number, &[*byte; 32]).unwrap())
        .collect();
    Peppers::new(all.remove(0), all)
}
