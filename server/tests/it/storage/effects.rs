//! Whether a change to a key is in effect on every instance, and how long that took.

use std::time::Duration;

use latchkey::{
    Engine,
    clock::Clock,
    effects::{self, Effect, SETTLED_AFTER},
    feed,
    id::KeyId,
    instances,
    keys::{
        change_state::{disable, disable_many, enable},
        create::CreatedKey,
    },
    time::{MINUTE, SECOND},
    verify::{Request, cache::TRUSTED_FOR, verify},
};

use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, with},
};

on_both! {
    async fn a_change_is_in_effect_when_every_instance_has_read_it_and_each_says_how_long_that_took(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.another_engine(|_| {}).await);
        let id = org.key("Production").await.id;
        start(&[&app.engine, &other]).await;
        disable(&app.engine, &org.permit(), id).await.unwrap();
        effects::look(&app.engine).await.unwrap();
        app.clock.advance(83);
        for engine in [&*app.engine, &*other] {
            assert_eq!(said(engine, &org, id).await, Effect::Soon);
        }
        feed::catch_up(&other).await.unwrap();
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        effects::look(&app.engine).await.unwrap();
        app.clock.advance(SECOND);
        for engine in [&*app.engine, &*other] {
            assert_eq!(said(engine, &org, id).await, Effect::Everywhere { after: Some(83) });
        }
    }

    async fn each_change_has_a_time_of_its_own_and_several_keys_at_once_have_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let ids = [org.key("One").await.id, org.key("Two").await.id];
        disable_many(&app.engine, &org.permit(), &ids).await.unwrap();
        app.clock.advance(20);
        effects::look(&app.engine).await.unwrap();
        enable(&app.engine, &org.permit(), ids[1]).await.unwrap();
        app.clock.advance(5);
        effects::look(&app.engine).await.unwrap();
        assert_eq!(said(&app.engine, &org, ids[0]).await, Effect::Everywhere { after: Some(20) });
        assert_eq!(said(&app.engine, &org, ids[1]).await, Effect::Everywhere { after: Some(5) });
    }

    async fn where_an_instance_does_not_follow_it_is_said_until_no_memory_can_be_older(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.another_engine(|_| {}).await);
        let id = org.key("Production").await.id;
        start(&[&app.engine, &other]).await;
        disable(&app.engine, &org.permit(), id).await.unwrap();
        feed::catch_up(&app.engine).await.unwrap();
        instances::beat(&app.engine, "1.2.3", NOON).await.unwrap();
        let late = Effect::Late { at_the_latest: NOON.plus(SETTLED_AFTER) };
        for (after, expected) in [(SECOND, Effect::Soon), (2 * SECOND, late), (30 * SECOND, late)] {
            app.pass(NOON.plus(after).since(app.clock.now())).await;
            effects::look(&app.engine).await.unwrap();
            assert_eq!(said(&app.engine, &org, id).await, expected, "after {after} ms");
        }
        app.pass(SETTLED_AFTER - 30 * SECOND).await;
        effects::look(&app.engine).await.unwrap();
        let last = effects::of_key(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        assert_eq!((last.effect, last.is_recent), (Effect::Everywhere { after: None }, false));
    }

    async fn the_time_at_the_latest_does_not_move_while_someone_watches(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.another_engine(|_| {}).await);
        let id = org.key("Production").await.id;
        start(&[&app.engine, &other]).await;
        disable(&app.engine, &org.permit(), id).await.unwrap();
        app.pass(2 * SECOND).await;
        let now = async || effects::of_key(&app.engine, &org.permit(), id).await.unwrap().unwrap().effect;
        let first = now().await;
        assert!(matches!(first, Effect::Late { .. }), "{first:?}");
        for _ in 0..3 {
            // Postgres has its own clock.
            sleep(Duration::from_millis(20)).await;
            assert_eq!(now().await, first);
        }
    }

    async fn an_instance_that_is_silent_decides_on_nothing_that_it_knew_by_the_time_others_stop_waiting(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.another_engine(|_| {}).await);
        let key = org.key("Production").await;
        start(&[&app.engine, &other]).await;
        app.pass(30 * SECOND).await;
        let request = Request { key: Some(&key.plain), ..Request::default() };
        let answer = async || crate::test_app::said(&verify(&other, &request).await.unwrap());
        assert_eq!(answer().await, "VALID");
        disable(&app.engine, &org.permit(), key.id).await.unwrap();
        app.pass(TRUSTED_FOR - 30 * SECOND - 1).await;
        assert_eq!(answer().await, "VALID", "it was cut off, and trusts its memory");
        assert_ne!(said(&app.engine, &org, key.id).await, Effect::Everywhere { after: None });
        app.pass(1).await;
        assert_eq!(answer().await, "INVALID_API_KEY disabled", "even though it read the key half a minute ago");
        app.pass(SETTLED_AFTER - TRUSTED_FOR).await;
        assert_eq!(said(&app.engine, &org, key.id).await, Effect::Everywhere { after: None });
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        answer().await;
        app.database.execute("ALTER TABLE keys RENAME TO keys_away").await;
        assert_eq!(answer().await, "INVALID_API_KEY disabled", "it uses its memory again");
        app.database.execute("ALTER TABLE keys_away RENAME TO keys").await;
    }

    async fn an_instance_that_cannot_read_the_log_is_silent(app: &TestApp) {
        start(&[&app.engine]).await;
        app.database.execute("ALTER TABLE audit_log RENAME TO audit_log_away").await;
        assert!(instances::beat(&app.engine, "1.2.3", NOON).await.is_err());
        app.database.execute("ALTER TABLE audit_log_away RENAME TO audit_log").await;
    }

    async fn an_instance_that_has_ended_is_not_waited_for(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.another_engine(|_| {}).await);
        let id = org.key("Production").await.id;
        start(&[&app.engine, &other]).await;
        disable(&app.engine, &org.permit(), id).await.unwrap();
        app.clock.advance(400);
        instances::leave(&other).await.unwrap();
        effects::look(&app.engine).await.unwrap();
        assert_eq!(said(&app.engine, &org, id).await, Effect::Everywhere { after: Some(400) });
    }

    async fn a_change_by_a_process_that_does_not_watch_is_in_effect_without_a_time(app: &TestApp) {
        let (org, command_line) = (app.org("northwind").await, app.fresh_engine());
        let id = org.key("Production").await.id;
        start(&[&app.engine]).await;
        disable(&command_line, &org.permit(), id).await.unwrap();
        assert_eq!(said(&app.engine, &org, id).await, Effect::Soon);
        feed::catch_up(&app.engine).await.unwrap();
        instances::beat(&app.engine, "1.2.3", NOON).await.unwrap();
        assert_eq!(said(&app.engine, &org, id).await, Effect::Everywhere { after: None });
    }

    async fn an_instance_that_read_what_the_log_lost_has_not_read_what_came_in_its_place(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.another_engine(|_| {}).await);
        let ids = [org.key("Lost").await.id, org.key("Kept").await.id];
        start(&[&app.engine, &other]).await;
        disable(&app.engine, &org.permit(), ids[0]).await.unwrap();
        for engine in [&*app.engine, &*other] {
            instances::beat(engine, "1.2.3", NOON).await.unwrap();
        }
        // Like a standby that lacks the last change.
        app.database.without_audit_triggers("DELETE FROM audit_log WHERE position = 4").await;
        disable(&app.engine, &org.permit(), ids[1]).await.unwrap();
        app.clock.advance(20);
        effects::look(&app.engine).await.unwrap();
        for engine in [&*app.engine, &*other] {
            assert_eq!(said(engine, &org, ids[1]).await, Effect::Soon);
        }
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        effects::look(&app.engine).await.unwrap();
        assert_eq!(said(&other, &org, ids[1]).await, Effect::Everywhere { after: Some(20) });
    }

    async fn of_instances_whose_clocks_differ_by_minutes_each_goes_by_its_own(app: &TestApp) {
        let clock = Clock::manual(NOON.plus(5 * MINUTE));
        let (org, other) = (app.org("northwind").await, app.another_engine(|settings| settings.clock = clock.clone()).await);
        let brief = with(secret_key("Brief"), |settings| settings.expires_at = Some(NOON.plus(7 * MINUTE)));
        let (brief, lasting) = (org.create_key(brief).await.unwrap(), org.key("Lasting").await);
        start(&[&app.engine, &other]).await;
        let on = async |engine: &Engine, key: &CreatedKey| {
            let request = Request { key: Some(&key.plain), ..Request::default() };
            crate::test_app::said(&verify(engine, &request).await.unwrap())
        };
        for engine in [&*app.engine, &*other] {
            assert_eq!((on(engine, &brief).await, on(engine, &lasting).await), ("VALID".to_owned(), "VALID".to_owned()));
        }
        // The other instance does not follow, and trusts its memory for as long as its own clock says.
        disable(&app.engine, &org.permit(), lasting.id).await.unwrap();
        assert_eq!(on(&app.engine, &lasting).await, "INVALID_API_KEY disabled");
        app.clock.advance(3 * MINUTE);
        assert_eq!(on(&other, &lasting).await, "VALID");
        clock.advance(TRUSTED_FOR - 1);
        assert_eq!(on(&other, &lasting).await, "VALID");
        clock.advance(1);
        assert_eq!(on(&other, &lasting).await, "INVALID_API_KEY disabled");
        // A key expires on each instance when that one's clock says so, in memory or not.
        clock.advance(MINUTE - 1);
        assert_eq!(on(&other, &brief).await, "VALID");
        clock.advance(1);
        assert_eq!((on(&other, &brief).await, on(&app.engine, &brief).await), ("EXPIRED_API_KEY".to_owned(), "VALID".to_owned()));
        app.clock.advance(4 * MINUTE);
        assert_eq!(on(&app.engine, &brief).await, "EXPIRED_API_KEY");
        other.db().close().await;
    }

    async fn nothing_is_said_of_another_orgs_key_and_a_new_key_has_no_change(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let id = org.key("Production").await.id;
        assert!(!effects::of_key(&app.engine, &org.permit(), id).await.unwrap().unwrap().is_recent);
        assert_eq!(effects::of_key(&app.engine, &other.permit(), id).await.unwrap(), None);
    }
}

/// Starts these instances.
async fn start(engines: &[&Engine]) {
    for engine in engines {
        feed::start(engine).await.unwrap();
        instances::beat(engine, "1.2.3", NOON).await.unwrap();
    }
}

async fn said(engine: &Engine, org: &TestOrg, id: KeyId) -> Effect {
    let last = effects::of_key(engine, &org.permit(), id).await.unwrap();
    match last.unwrap().effect {
        // Postgres has its own clock, which runs during the test.
        Effect::Late { at_the_latest } => Effect::Late {
            at_the_latest: at_the_latest.plus(SECOND - 1).floor(SECOND),
        },
        effect => effect,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_is_waited_for_whatever_its_clock_says() {
    for skew in [-2 * MINUTE, 2 * MINUTE] {
        let app = TestApp::on_postgres_under("latchkey").await;
        let clock = Clock::manual(NOON.plus(skew));
        let (org, other) = (
            app.org("northwind").await,
            app.another_engine(|settings| settings.clock = clock).await,
        );
        let id = org.key("Production").await.id;
        start(&[&app.engine, &other]).await;
        let (ours, theirs) = (&*app.engine, &*other);
        for (changes, reads, disables) in [(ours, theirs, true), (theirs, ours, false)] {
            if disables {
                disable(changes, &org.permit(), id).await.unwrap();
            } else {
                enable(changes, &org.permit(), id).await.unwrap();
            }
            feed::catch_up(changes).await.unwrap();
            instances::beat(changes, "1.2.3", NOON).await.unwrap();
            for after in [0, 2 * SECOND, 30 * SECOND, SETTLED_AFTER - 33 * SECOND] {
                app.pass(after).await;
                for engine in [ours, theirs] {
                    let effect = said(engine, &org, id).await;
                    let is_said = matches!(effect, Effect::Everywhere { .. });
                    assert!(!is_said, "skew {skew}, after {after}: {effect:?}");
                    effects::look(engine).await.unwrap();
                }
            }
            app.pass(SECOND).await;
            assert_eq!(
                said(ours, &org, id).await,
                Effect::Everywhere { after: None }
            );
            for engine in [changes, reads] {
                instances::beat(engine, "1.2.3", NOON).await.unwrap();
            }
        }
        other.db().close().await;
        app.remove().await;
    }
}

#[tokio::test]
async fn a_request_that_waits_too_long_for_the_database_decides_on_nothing() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let key = app.org("northwind").await.key("Production").await;
    let request = Request {
        key: Some(&key.plain),
        ..Request::default()
    };
    for (waits, is_decided) in [(3_999, true), (4_000, false)] {
        let engine = app.fresh_engine();
        let mut other = PgConnection::connect(&app.database.url()).await.unwrap();
        sqlx::raw_sql("BEGIN; LOCK TABLE keys IN ACCESS EXCLUSIVE MODE")
            .execute(&mut other)
            .await
            .unwrap();
        let mut verifying = std::pin::pin!(verify(&engine, &request));
        assert!(futures_util::poll!(verifying.as_mut()).is_pending());
        app.clock.advance(waits);
        other.close().await.unwrap();
        let decided = verifying.await.map(|answer| answer.outcome);
        assert_eq!(decided.is_ok(), is_decided, "{waits}: {decided:?}");
    }
    app.remove().await;
}
