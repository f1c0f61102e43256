//! Peppers: missing and wrong ones are reported, and digests move to the current one.

use std::sync::Arc;

use latchkey::{
    Engine,
    key::{
        RevokeReason,
        digest::{Pepper, Peppers},
    },
    keys::change_state::revoke,
    peppers::{self, UnusablePeppers, accept, accept_incomplete, check, move_digests},
    service_tokens::recognise,
    verify::{Request, verify},
};

use crate::test_app::{TestApp, said};

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
            assert!(error.to_string().starts_with(&format!("pepper {number} does not match this database")), "{error}");
        }
        check(db, &of(&[(1, 7)]), app.clock.now()).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM peppers").await, 2);
    }

    async fn a_version_that_noted_no_pepper_has_chained_its_audit_log_with_it(app: &TestApp) {
        app.org("northwind").await.key("Production").await;
        let db = app.engine.db();
        assert!(db.has_used_pepper().await.unwrap());
        for is_first_deleted in [false, true] {
            if is_first_deleted {
                app.database.execute("UPDATE audit_checkpoint SET position = 1, hash = (SELECT hash FROM audit_log WHERE position = 1)").await;
                app.database.execute("DELETE FROM audit_log WHERE position = 1").await;
            }
            for wrong in [of(&[(1, 9)]), of(&[(2, 7), (1, 9)])] {
                for error in [
                    check(db, &wrong, app.clock.now()).await.unwrap_err(), accept(db, &wrong, &app.clock).await.unwrap_err(),
                ] {
                    assert!(matches!(error, UnusablePeppers::Different { version: 1, .. }), "{error:?}");
                }
            }
            assert_eq!(app.database.number("SELECT COUNT(*) FROM peppers").await, 0);
            check(db, &of(&[(1, 7)]), app.clock.now()).await.unwrap();
        }
        app.database.execute("DELETE FROM keys").await;
        check(db, &of(&[(2, 9)]), app.clock.now()).await.unwrap();
        accept(db, &of(&[(2, 9), (1, 7)]), &app.clock).await.unwrap();
    }

    async fn what_recognizes_nothing_needs_no_older_pepper(app: &TestApp) {
        app.org("northwind").await.key("Production").await;
        let db = app.engine.db();
        accept(db, &of(&[(1, 7)]), &app.clock).await.unwrap();
        let without = of(&[(2, 8)]);
        assert!(matches!(accept(db, &without, &app.clock).await, Err(UnusablePeppers::Missing { version: 1, .. })));
        accept_incomplete(db, &without, &app.clock).await.unwrap();
        let different = accept_incomplete(db, &of(&[(2, 9), (1, 7)]), &app.clock).await;
        assert!(matches!(different, Err(UnusablePeppers::Different { version: 2, .. })), "{different:?}");
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
        assert!(matches!(error, UnusablePeppers::Missing { version: 1, key_secrets: 2, service_tokens: 0, .. }), "{error:?}");
        assert!(error.to_string().starts_with("pepper 1 is missing but still needed (key secrets: 2,"), "{error}");
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

    async fn digests_move_to_the_current_pepper_when_they_are_used(app: &TestApp) {
        let org = app.org("northwind").await;
        let (used, unused) = (org.key("Used").await, org.key("Unused").await);
        let token = app.service_token().await;
        let rotated = with(app, &[(2, 8), (1, 7)]).await;
        let under = async |table: &str, version: i32| {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE pepper_version = {version}");
            app.database.number(&sql).await
        };
        for _ in 0..2 {
            assert_eq!(ask(&rotated, &used.plain).await, "VALID");
            assert!(recognise(&rotated, &token).await.unwrap().is_some());
        }
        assert_eq!((under("key_secrets", 1).await, under("service_tokens", 1).await), (2, 1), "no request writes");
        move_digests(&rotated).await.unwrap();
        assert_eq!((under("key_secrets", 2).await, under("service_tokens", 2).await), (1, 1));
        assert_eq!(ask(&rotated, &used.plain).await, "VALID");

        let alone = with(app, &[(2, 8)]).await;
        assert_eq!(ask(&alone, &used.plain).await, "VALID");
        assert!(recognise(&alone, &token).await.unwrap().is_some());
        assert_eq!(ask(&alone, &unused.plain).await, "INVALID_API_KEY unknown");

        let behind = with(app, &[(1, 7), (2, 8)]).await;
        assert_eq!(ask(&behind, &used.plain).await, "VALID");
        move_digests(&behind).await.unwrap();
        assert_eq!(under("key_secrets", 2).await, 1, "nothing moves back");
    }

    async fn what_was_not_moved_is_tried_again(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        let rotated = with(app, &[(2, 8), (1, 7)]).await;
        assert_eq!(ask(&rotated, &key.plain).await, "VALID");
        app.database.execute("ALTER TABLE key_secrets RENAME TO key_secrets_away").await;
        move_digests(&rotated).await.unwrap_err();
        app.database.execute("ALTER TABLE key_secrets_away RENAME TO key_secrets").await;
        move_digests(&rotated).await.unwrap();
        assert_eq!(app.database.number("SELECT CAST(MIN(pepper_version) AS BIGINT) FROM key_secrets").await, 2);
    }

    async fn a_key_that_moves_is_valid_on_every_instance_all_the_time(app: &TestApp) {
        let org = app.org("northwind").await;
        let instances = [with(app, &[(2, 8), (1, 7)]).await, with(app, &[(2, 8), (1, 7)]).await];
        for number in 0..20 {
            let key = org.key(&format!("Key {number}")).await;
            let asking = instances.iter().map(|engine| {
                let (engine, plain) = (Arc::clone(engine), key.plain.clone());
                tokio::spawn(async move {
                    for _ in 0..5 {
                        assert_eq!(ask(&engine, &plain).await, "VALID");
                        move_digests(&engine).await.unwrap();
                    }
                })
            });
            for asking in asking.collect::<Vec<_>>() {
                asking.await.unwrap();
            }
        }
        assert_eq!(app.database.number("SELECT CAST(MIN(pepper_version) AS BIGINT) FROM key_secrets").await, 2);
    }
}

/// Peppers by number and the byte that each consists of. The first is the current one.
pub(super) fn of(peppers: &[(i32, u8)]) -> Peppers {
    let mut all: Vec<Pepper> = peppers
        .iter()
        .map(|(number, byte)| Pepper::new(*number, &[*byte; 32]).unwrap())
        .collect();
    Peppers::new(all.remove(0), all)
}

pub(super) async fn with(app: &TestApp, peppers: &[(i32, u8)]) -> Arc<Engine> {
    app.another_engine(|settings| settings.peppers = of(peppers))
        .await
}

async fn ask(engine: &Engine, key: &latchkey::key::text::PlainKey) -> String {
    let request = Request {
        key: Some(key),
        ..Request::default()
    };
    said(&verify(engine, &request).await.unwrap())
}
