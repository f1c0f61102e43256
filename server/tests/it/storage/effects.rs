//! Whether a change of a key is in effect on every instance, and how long that took.

use latchkey::{
    Engine,
    effects::{self, Effect, SETTLED_AFTER},
    feed,
    id::KeyId,
    instances,
    keys::change_state::{disable, disable_many, enable},
    time::SECOND,
};

use crate::test_app::{NOON, TestApp, TestOrg};

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
            app.clock.advance(NOON.plus(after).since(app.clock.now()));
            effects::look(&app.engine).await.unwrap();
            assert_eq!(said(&app.engine, &org, id).await, expected, "after {after} ms");
        }
        app.clock.advance(SETTLED_AFTER - 30 * SECOND);
        effects::look(&app.engine).await.unwrap();
        let last = effects::of_key(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        assert_eq!((last.effect, last.is_recent), (Effect::Everywhere { after: None }, false));
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
    last.unwrap().effect
}
