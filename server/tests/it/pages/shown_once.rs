//! Forms that create or rotate a key and are submitted twice: by a double click, or by Enter and a click.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use latchkey::{
    access::Operator,
    accounts::password,
    audit::security_events,
    feed,
    key::text::PlainKey,
    keys::change_state::disable,
    members,
    orgs::settings::{self, OrgSettings},
    revision::Known,
    role::Role,
};

use crate::{
    pages::new_key::{creation_token, secret_key_fields, shown_key},
    test_app::{Browser, TestApp, org::PASSWORD, said},
};

const NEW: &str = "/orgs/northwind/keys/new";

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// The fields of a key form, with the token that the form contained.
fn with_token<'a>(token: &'a str) -> Fields<'a> {
    [
        secret_key_fields("Production").as_slice(),
        &[("creation_token", token)],
    ]
    .concat()
}

async fn token(browser: &Browser) -> String {
    creation_token(&browser.get(NEW).await)
}

/// Submits a form that has already returned its key, and checks that it now redirects to the key's page.
async fn leads_to_the_key(app: &TestApp, browser: &Browser, fields: &Fields<'_>) {
    let id = app
        .database
        .texts("SELECT id FROM keys ORDER BY id DESC")
        .await
        .remove(0);
    let again = browser.submit(NEW, fields).await;
    let page = format!("/orgs/northwind/keys/{id}?shown=1");
    assert_eq!(
        (again.status.as_u16(), again.header("location")),
        (303, &*page)
    );
    let page = browser.get(&page).await.text();
    assert!(
        page.contains("cannot be shown again") && page.contains("/rotate\">rotate the key</a>"),
        "{page}"
    );
    assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
}

on_both! {
    async fn the_very_same_submit_shows_the_same_key_for_thirty_seconds(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let token = token(&owner).await;
        let fields = with_token(&token);
        let key = shown_key(&owner.submit(NEW, &fields).await);
        app.clock.advance(29_999);
        let again = owner.submit(NEW, &fields).await;
        assert_eq!((shown_key(&again), again.header("cache-control")), (key, "no-store"));
        app.clock.advance(1);
        leads_to_the_key(app, &owner, &fields).await;
    }

    async fn two_submits_at_once_show_one_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let token = token(&owner).await;
        let fields = with_token(&token);
        let (one, other) = tokio::join!(owner.submit(NEW, &fields), owner.submit(NEW, &fields));
        assert_eq!(shown_key(&one), shown_key(&other));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
    }

    async fn a_submit_whose_client_has_gone_is_answered_when_it_is_sent_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for polls in 1..12 {
            let token = token(&owner).await;
            let fields = with_token(&token);
            {
                let mut gone = pin!(owner.submit(NEW, &fields));
                for _ in 0..polls {
                    if gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let key = shown_key(&owner.submit(NEW, &fields).await);
            assert_eq!(said(&app.verify(&PlainKey::from_presented(key)).await), "VALID");
            assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, polls);
        }
    }

    async fn another_form_or_another_session_is_not_shown_the_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let colleague = app.signed_in(&org, "kim", Role::Owner).await;
        let token = token(&owner).await;
        let fields = with_token(&token);
        shown_key(&owner.submit(NEW, &fields).await);
        leads_to_the_key(app, &colleague, &fields).await;
        let mut changed = fields.clone();
        changed.push(("notes", "another"));
        leads_to_the_key(app, &owner, &changed).await;
    }

    async fn a_key_that_was_changed_is_not_shown(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let token = token(&owner).await;
        let fields = with_token(&token);
        let key = PlainKey::from_presented(shown_key(&owner.submit(NEW, &fields).await));
        let id = app.verify(&key).await.key.unwrap().id;
        disable(&app.engine, &org.permit(), id).await.unwrap();
        leads_to_the_key(app, &owner, &fields).await;
    }

    async fn who_may_create_no_keys_any_more_is_not_shown_the_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let token = token(&owner).await;
        let fields = with_token(&token);
        shown_key(&owner.submit(NEW, &fields).await);
        app.database.execute("UPDATE memberships SET role = 'member'").await;
        assert_eq!(owner.submit(NEW, &fields).await.status, 403);
    }

    async fn the_next_key_and_the_keys_own_page_are_what_the_key_is_held_until(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (first, second) = (token(&owner).await, token(&owner).await);
        shown_key(&owner.submit(NEW, &with_token(&first)).await);
        let key = PlainKey::from_presented(shown_key(&owner.submit(NEW, &with_token(&second)).await));
        assert_eq!(owner.submit(NEW, &with_token(&first)).await.status, 303, "one key for each session");
        assert_eq!(owner.submit(NEW, &with_token(&second)).await.status, 200);
        let id = app.verify(&key).await.key.unwrap().id;
        owner.get(&format!("/orgs/northwind/keys/{id}")).await;
        assert_eq!(owner.submit(NEW, &with_token(&second)).await.status, 303, "it is not shown again");
    }

    async fn a_rotation_that_is_sent_twice_shows_the_same_secret(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let path = format!("/orgs/northwind/keys/{}/rotate", org.key("Production").await.id);
        let form = owner.get(&path).await.body;
        let token = form.split("name=\"rotation_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let fields = [("overlap", "0"), ("rotation_token", &*token)];
        let secret = shown_key(&owner.submit(&path, &fields).await);
        let again = owner.submit(&path, &fields).await;
        assert!(again.text().contains("has a new secret"), "{}", again.body);
        assert_eq!(shown_key(&again), secret);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 2);
    }

    async fn a_change_of_the_key_or_of_what_the_user_can_do_erases_the_held_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        org.person("kim", Role::Owner).await;
        let state = app.state(&[]);
        let owner = Browser::new(latchkey_server::router(state.clone()), state.public_url.origin());
        owner.sign_in("dana@northwind.example", PASSWORD).await;
        feed::start(&app.engine).await.unwrap();
        let other = app.another_engine(|_| {}).await;
        let held_key = async || {
            let key = PlainKey::from_presented(shown_key(&owner.submit(NEW, &with_token(&token(&owner).await)).await));
            // The feed returns the key's own creation too.
            feed::catch_up(&app.engine).await.unwrap();
            assert_eq!(state.held_keys.count(), 1);
            app.verify(&key).await.key.unwrap().id
        };
        let here = &*app.engine;
        for (engine, is_here) in [(here, true), (&*other, false)] {
            let is_erased = async || {
                assert_eq!(state.held_keys.count(), usize::from(!is_here));
                feed::catch_up(here).await.unwrap();
                assert_eq!(state.held_keys.count(), 0);
            };
            let key = held_key().await;
            let another = org.key("Another").await;
            disable(engine, &org.permit(), another.id).await.unwrap();
            feed::catch_up(here).await.unwrap();
            assert_eq!(state.held_keys.count(), 1, "another key");
            disable(engine, &org.permit(), key).await.unwrap();
            is_erased().await;
            held_key().await;
            members::change_role(engine, &org.permit(), dana, Role::Admin).await.unwrap();
            is_erased().await;
            members::change_role(engine, &org.permit(), dana, Role::Owner).await.unwrap();
            held_key().await;
            let name = "Northwind".parse().unwrap();
            let settings = OrgSettings { name, secrets_in_browsers: is_here };
            settings::change(engine, &org.permit(), settings, &Known::Nothing).await.unwrap();
            is_erased().await;
        }
    }

    async fn the_end_of_the_users_sessions_on_another_instance_erases_the_held_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let state = app.state(&[]);
        let owner = Browser::new(latchkey_server::router(state.clone()), state.public_url.origin());
        owner.sign_in("dana@northwind.example", PASSWORD).await;
        feed::start(&app.engine).await.unwrap();
        shown_key(&owner.submit(NEW, &with_token(&token(&owner).await)).await);
        let other = app.another_engine(|_| {}).await;
        let operator = Operator::at_the_command_line();
        password::reset(&other, &operator, dana, "the operator chose it".parse().unwrap()).await.unwrap();
        security_events::write(&other, false).await.unwrap();
        assert_eq!(state.held_keys.count(), 1);
        feed::catch_up(&app.engine).await.unwrap();
        assert_eq!(state.held_keys.count(), 0);
    }
}
