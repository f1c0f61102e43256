//! The page of a key, and its actions.

use latchkey::{
    effects, feed, instances,
    key::{Status, text::PlainKey},
    orgs::policies,
    policy::KeyPolicy,
    revision::Known,
    role::Role,
    time::{DAY, MINUTE, SECOND},
    usage::flush::flush,
    verify::Request,
};

use crate::test_app::{
    Browser, NOON, TestApp,
    org::{secret_key, widget_key, with},
    said,
};

on_both! {
    async fn disabling_enabling_and_revoking_work_without_javascript_and_bite_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        let says = async |key: &PlainKey| said(&app.verify(key).await);
        assert_eq!(says(&made.plain).await, "VALID");
        let id = made.id.to_string();
        press(&owner, "disable", &id).await;
        assert_eq!(says(&made.plain).await, "INVALID_API_KEY disabled");
        // Whoever disabled it continues at the button, and who cannot enable it is not told to.
        let path = format!("/orgs/northwind/keys/{id}");
        let is_focused = |page: &str| {
            let (before, after) = page.split_once("value=\"enable\"").unwrap();
            let start = before.rsplit('<').next().unwrap_or_default();
            let end = after.split('>').next().unwrap_or_default();
            start.contains("autofocus") || end.contains("autofocus")
        };
        let page = owner.get(&path).await.text();
        assert!(page.contains("rejected until you enable it again.") && is_focused(&page), "{page}");
        assert!(!is_focused(&owner.get(&path).await.text()), "only after it was pressed");
        let admin = app.signed_in(&org, "ari", Role::Admin).await.get(&path).await.text();
        assert!(admin.contains("rejected until it is enabled again.") && !admin.contains("until you enable"), "{admin}");
        press(&owner, "enable", &id).await;
        assert_eq!(says(&made.plain).await, "VALID");
        press(&owner, "revoke", &id).await;
        assert_eq!(says(&made.plain).await, "INVALID_API_KEY revoked");
        let page = owner.get(&format!("/orgs/northwind/keys/{id}")).await.body;
        assert!(page.contains("Revoked · ") && !page.contains("value=\"disable\""), "{page}");
    }

    async fn the_page_says_whether_a_change_is_in_effect_on_every_instance(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let id = org.key("Production").await.id.to_string();
        let path = format!("/orgs/northwind/keys/{id}");
        assert!(!owner.get(&path).await.text().contains("In effect"), "nothing was changed");
        let other = app.another_engine(|_| {}).await;
        feed::start(&other).await.unwrap();
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        press(&owner, "disable", &id).await;
        let fields = [("org", "northwind"), ("key", &*id)];
        let asked = async || member.call("/api/keys/in-effect", &fields).await.json();
        assert!(owner.get(&path).await.text().contains("Takes effect everywhere within a second."));
        assert_eq!(asked().await, "soon");
        app.pass(2 * SECOND).await;
        assert!(owner.get(&path).await.text().contains("applies the change by 12:01:05 UTC at the latest"));
        assert_eq!(asked().await["late"], "12:01:05 UTC");
        feed::catch_up(&other).await.unwrap();
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        effects::look(&app.engine).await.unwrap();
        for browser in [&owner, &member] {
            assert!(browser.get(&path).await.text().contains("In effect everywhere after 2.00 seconds."));
        }
        assert_eq!(asked().await["everywhere"], 2_000);
        // While the time is not measured yet, the change is not reported as in effect.
        press(&owner, "enable", &id).await;
        feed::catch_up(&other).await.unwrap();
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        assert_eq!(asked().await, "soon");
        effects::look(&app.engine).await.unwrap();
        assert_eq!(asked().await["everywhere"], 0);
        app.clock.advance(MINUTE + 5 * SECOND);
        assert!(!owner.get(&path).await.text().contains("In effect"), "the change is not recent");
    }

    async fn pressing_twice_is_no_error_and_a_revoked_key_stays_revoked(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Production").await.id.to_string();
        let call = async |change: &str, reason: &str| {
            let fields = [("change", change), ("reason", reason)];
            owner.submit(&format!("/orgs/northwind/keys/{id}"), &fields).await.status.as_u16()
        };
        assert_eq!((call("disable", "other").await, call("disable", "other").await), (303, 303));
        assert_eq!((call("revoke", "unused").await, call("revoke", "compromised").await), (303, 303));
        assert_eq!((call("enable", "other").await, call("disable", "other").await), (422, 422));
        let stored = org.summary(id.parse().unwrap()).await;
        assert_eq!(stored.revoke_reason.unwrap().as_str(), "unused", "the first reason is kept");
    }

    async fn the_example_sends_a_scope_that_the_key_has_and_is_there_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let restricted = with(secret_key("Reports"), |key| key.scopes = vec!["bots:write".parse().unwrap()]);
        let id = org.create_key(restricted).await.unwrap().id;
        let path = format!("/orgs/northwind/keys/{id}");
        let commands = |page: &str| {
            let codes = page.split("<code ").skip(1);
            codes.filter(|code| code.split("</code>").next().is_some_and(|code| code.contains("/v1/verify"))).count()
        };
        let page = owner.get(&path).await.text();
        assert!(commands(&page) == 1 && page.contains("<h2 id=\"first-steps\">"), "{page}");
        let dismissed = owner.get(&format!("{path}?steps=dismiss")).await.text();
        assert!(commands(&dismissed) == 1 && !dismissed.contains("<h2 id=\"first-steps\">"), "{dismissed}");
        for page in [&page, &dismissed] {
            let page = page.replace("&quot;", "\"");
            assert!(page.contains(r#"\"scopes\": [\"bots:write\"]"#) && page.contains("${LATCHKEY_API_KEY:-your key}"), "{page}");
        }
        assert!(dismissed.contains("the key from <code>LATCHKEY_API_KEY</code>"), "{dismissed}");
        let docs = owner.get("/docs").await.text().replace("&quot;", "\"");
        assert!(docs.contains("${LATCHKEY_API_KEY:-your key}") && docs.contains("${LATCHKEY_SERVICE_TOKEN:-your service token}"), "{docs}");
    }

    async fn a_page_carries_what_it_shows_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get(&format!("/orgs/northwind/keys/{}", org.key("Production").await.id)).await.body;
        assert!(page.contains("Production") && !page.contains("__RESOLVED_RESOURCES["), "{page}");
    }

    async fn a_revoked_key_offers_no_changes(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let offers = ["id=\"add\"", "name=\"remove\"", "name=\"localhost\"", "/edit\""];
        let page = owner.get(&path).await.body;
        assert!(offers.iter().all(|offer| page.contains(offer)), "{page}");
        press(&owner, "revoke", &made.id.to_string()).await;
        let page = owner.get(&path).await.body;
        assert!(page.contains("shop.example") && !offers.iter().any(|offer| page.contains(offer)), "{page}");
        let edit = owner.get(&format!("{path}/edit")).await.body;
        assert!(edit.contains("can no longer be edited") && !edit.contains("name=\"notes\""), "{edit}");
    }

    async fn localhost_is_marked_while_it_is_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.create_key(widget_key("Shop", &["shop.example", "localhost"])).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", made.id);
        assert!(!owner.get(&path).await.text().contains("now blocked"));
        owner.submit(&path, &[("localhost", "forbid")]).await;
        assert!(owner.get(&path).await.text().contains("0 requests · now blocked"));
    }

    async fn what_the_page_says_of_localhost_is_what_verification_does(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example", "127.0.0.1", "http://localhost:3000"])).await.unwrap();
        app.clock.advance(8 * DAY);
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let works = async |origin: &str| {
            let answer = app.ask(&Request { key: Some(&made.plain), origin: Some(origin), ..Request::default() }).await;
            let page = owner.get(&format!("{path}?origin={origin}")).await.text();
            let works = said(&answer) == "VALID";
            assert_eq!((page.contains("class=\"verdict ok\""), page.contains("class=\"verdict bad\"")), (works, !works), "{origin}: {page}");
            (works, page)
        };
        for origin in ["http://localhost:3000", "http://127.0.0.1"] {
            let (works, page) = works(origin).await;
            assert!(works && page.contains("Pages on localhost are allowed for development."), "{page}");
            assert!(page.contains("This live key works on localhost, 127.0.0.1."), "{page}");
        }
        let policy = KeyPolicy { localhost_forbidden: true, ..KeyPolicy::default() };
        policies::change(&app.engine, &org.permit(), policy, &Known::Nothing).await.unwrap();
        let (allowed, page) = works("http://localhost:3000").await;
        assert!(allowed && page.contains("Pages on localhost are still allowed.") && !page.contains("allowed for development"), "{page}");
        for sentence in ["This key does not block localhost yet, and works there until it does.", "This key has them from before, and works there until they are removed."] {
            assert!(page.contains(sentence), "{sentence}: {page}");
        }
        owner.submit(&path, &[("localhost", "forbid")]).await;
        let (allowed, page) = works("http://localhost:3000").await;
        assert!(!allowed && page.contains("is rejected: this key blocks localhost.") && page.contains("Pages on localhost are blocked."), "{page}");
        assert_eq!(page.matches("now blocked").count(), 1, "the pattern with a scheme and a port, too: {page}");
        let (allowed, page) = works("http://127.0.0.1").await;
        assert!(allowed && page.contains("This live key works on 127.0.0.1.") && page.contains("works there until they are removed"), "{page}");
        assert!(!page.contains("does not block localhost yet"), "{page}");
        owner.submit(&path, &[("remove", "127.0.0.1")]).await;
        // The first page says that it was removed, with a way back.
        works("http://127.0.0.1").await;
        let (allowed, page) = works("http://127.0.0.1").await;
        assert!(!allowed && !page.contains("This live key works on") && !page.contains("value=\"127.0.0.1\""), "what the policy forbids is not offered: {page}");
    }

    async fn an_address_with_a_bare_question_mark_leads_to_the_one_without(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Production").await.id;
        let path = format!("/orgs/northwind/keys/{id}");
        let led = owner.get(&format!("{path}?")).await;
        assert_eq!((led.status.as_u16(), led.header("location")), (303, path.as_str()));
        assert_eq!(owner.get(&path).await.status, 200);
    }

    async fn what_is_wrong_with_a_key_is_said_in_one_box(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let unlimited = org.key("Unlimited").await;
        let page = owner.get(&format!("/orgs/northwind/keys/{}", unlimited.id)).await.text();
        assert!(page.contains("Full access, and no expiry.") && !page.contains("The key never expires."), "{page}");
        let expires_at = app.clock.now().plus(3 * latchkey::time::DAY);
        let expiring = org.create_key(with(secret_key("Expiring"), |settings| settings.expires_at = Some(expires_at))).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", expiring.id);
        let page = owner.get(&path).await.text();
        assert!(page.contains("Expires in 3 days.") && !page.contains("The key expires on"), "{page}");
        assert!(!page.contains("no expiry."), "{page}");
        let rotate = owner.get(&format!("{path}/rotate")).await.text();
        assert!(rotate.contains("This key expires on ") && rotate.contains(">Nov 24, 2026, 12:00 UTC</time>. After that"), "{rotate}");
        let token = rotate.split("name=\"rotation_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let rotated = owner.submit(&format!("{path}/rotate"), &[("overlap", "2592000"), ("rotation_token", token)]).await.text();
        assert!(rotated.contains("The old secret works until ") && rotated.contains(">Nov 24, 2026, 12:00 UTC</time>"), "{rotated}");
        app.database.execute(&format!("UPDATE keys SET expires_at = {} WHERE id = '{}'", app.clock.now().as_millis() - 1, expiring.id)).await;
        assert!(owner.get(&format!("{path}/rotate")).await.text().contains("Extend it on its page"));
    }

    async fn an_extension_is_undone_from_its_message(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let expires_at = app.clock.now().plus(3 * latchkey::time::DAY);
        let key = org.create_key(with(secret_key("Expiring"), |settings| settings.expires_at = Some(expires_at))).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", key.id);
        let base = owner.get(&path).await.hidden("base");
        owner.submit(&path, &[("change", "extend"), ("base", &base)]).await;
        assert_eq!(org.summary(key.id).await.lifecycle.expires_at, Some(expires_at.plus(90 * latchkey::time::DAY)));
        let page = owner.get(&path).await.text();
        assert!(page.contains("extended.") && page.contains("value=\"undo-extend\""), "{page}");
        for _ in 0..2 {
            assert_eq!(owner.submit(&path, &[("change", "undo-extend")]).await.status, 303);
            assert_eq!(org.summary(key.id).await.lifecycle.expires_at, Some(expires_at), "submitted twice, too");
        }
        owner.change_key(&key.id.to_string(), "disable").await;
        let refused = owner.submit(&path, &[("change", "undo-extend")]).await;
        assert!(refused.status == 422 && refused.text().contains("Nothing was changed."), "{refused:?}");
    }

    async fn undo_enables_only_what_the_user_disabled(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let other = app.signed_in(&org, "kim", Role::Owner).await;
        let key = org.key("Production").await.id;
        let path = format!("/orgs/northwind/keys/{key}");
        owner.change_key(&key.to_string(), "disable").await;
        let since = owner.get(&path).await.hidden("since");
        let undo = [("since", &*since), ("answered", "yes"), ("change", "enable")];
        for _ in 0..2 {
            assert_eq!(owner.submit(&path, &undo).await.status, 303);
            assert_eq!(org.summary(key).await.status(app.clock.now()), Status::Active, "submitted twice, too");
        }
        app.clock.advance(1_000);
        other.change_key(&key.to_string(), "disable").await;
        let id = key.to_string();
        let of_list = [&[("keys", &*id)], &undo[..]].concat();
        for (path, fields) in [(&*path, &undo[..]), ("/orgs/northwind/keys", &of_list)] {
            let refused = owner.submit(path, fields).await;
            assert!(refused.status == 422 && refused.text().contains("This key was disabled again since. Nothing was changed."), "{}", refused.text());
        }
        assert_eq!(org.summary(key).await.status(app.clock.now()), Status::Disabled);
    }

    async fn undo_in_the_list_keeps_the_place(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Production").await.id.to_string();
        let list = "/orgs/northwind/keys?status=active&sort=name";
        let disabled = owner.submit(list, &[("keys", &id), ("answered", "yes"), ("change", "disable")]).await;
        let back = format!("{list}#{id}");
        assert_eq!(disabled.header("location"), back);
        let page = owner.get(list).await;
        let undo = [("keys", &*id), ("since", &page.hidden("since")), ("answered", "yes"), ("change", "enable")];
        assert!(page.body.contains("action=\"/orgs/northwind/keys?status=active&amp;sort=name\""), "{}", page.body);
        assert_eq!(owner.submit(list, &undo).await.header("location"), back);
    }

    async fn a_name_is_typed_as_it_is_shown(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Two  spaces\u{2003}and e\u{301}").await;
        app.ask(&Request { key: Some(&made.plain), ..Request::default() }).await;
        flush(&app.engine).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let revoke = |name| [("change", "revoke"), ("reason", "unused"), ("confirm", name)];
        assert_eq!(owner.submit(&path, &revoke("Two spaces")).await.status, 422);
        assert_eq!(owner.submit(&path, &revoke("Two spaces and \u{e9}")).await.status, 303);
    }

    async fn a_reason_must_be_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Production").await.id.to_string();
        for fields in [&[("change", "revoke"), ("reason", "because")][..], &[("change", "revoke")]] {
            let answer = owner.submit(&format!("/orgs/northwind/keys/{id}"), fields).await;
            assert!(answer.status == 422 && answer.body.contains("Choose a reason."), "{answer:?}");
        }
        let unknown = owner.submit(&format!("/orgs/northwind/keys/{id}"), &[("change", "explode")]).await;
        assert_eq!(unknown.status, 400, "{unknown:?}");
        assert_eq!(org.summary(id.parse().unwrap()).await.status(app.clock.now()).as_str(), "active");
    }
}

/// Submits the form of a button, which must redirect to a page.
async fn press(browser: &Browser, change: &str, key: &str) {
    let answer = browser.change_key(key, change).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}
