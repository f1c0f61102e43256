//! Forms that create or rotate a key and are submitted twice: by a double click, or by Enter and a click.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use latchkey::{key::text::PlainKey, keys::change_state::disable, role::Role};

use crate::{
    pages::new_key::{creation_token, secret_key_fields, shown_key},
    test_app::{Browser, TestApp, said},
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
}
