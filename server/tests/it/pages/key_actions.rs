//! What the pages say before and after an action on a key, and the way back.

use latchkey::{
    id::KeyId,
    key::settings::{KeySettings, SettingsChange},
    keys::show,
    role::{Role, TokenScope},
    time::{DAY, MINUTE},
    usage::flush::flush,
    verify::Request,
};

use crate::{
    pages::new_key::secret_key_fields,
    test_app::{
        Browser, NOON, TestApp, TestOrg,
        org::{PASSWORD, secret_key, widget_key, with},
        said,
    },
};

async fn stored(org: &TestOrg, id: KeyId) -> KeySettings {
    let key = show::details(&org.engine, &org.permit(), id).await.unwrap();
    key.unwrap().settings
}

on_both! {
    async fn revoking_a_key_in_use_asks_for_its_name_unless_it_is_compromised(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        assert!(!owner.get(&path).await.text().contains("id=\"confirm\""), "the key was never used");
        app.verify(&made.plain).await;
        flush(&app.engine).await.unwrap();
        app.clock.advance(8 * MINUTE);
        let page = owner.get(&path).await.text();
        for text in ["Used", "8 minutes ago", "1 request today", "Disable instead", "can be undone"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        let revoke = [("change", "revoke"), ("reason", "unused")];
        for name in ["", "production"] {
            let refused = owner.submit(&path, &[&revoke[..], &[("confirm", name)]].concat()).await;
            assert_eq!(refused.status, 422, "{name}");
            assert!(refused.text().contains("Enter its name, Production, to revoke it."), "{}", refused.body);
            assert!(refused.body.contains("<section aria-labelledby=\"revoke-title\""), "the question is asked again in the page");
        }
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        let revoked = owner.submit(&path, &[&revoke[..], &[("confirm", " Production ")]].concat()).await;
        assert_eq!(revoked.status, 303, "{}", revoked.body);
        assert!(owner.get(&path).await.text().contains("“Production” revoked."));
        let accented = org.key("Café").await;
        app.verify(&accented.plain).await;
        flush(&app.engine).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", accented.id);
        let decomposed = [&revoke[..], &[("confirm", "Cafe\u{301}")]].concat();
        assert_eq!(owner.submit(&path, &decomposed).await.status, 303, "as macOS writes it");
        let other = org.key("Other").await;
        app.verify(&other.plain).await;
        flush(&app.engine).await.unwrap();
        assert_eq!(owner.change_key(&other.id.to_string(), "revoke").await.status, 303, "compromised");
    }

    async fn a_key_that_was_not_used_for_a_day_is_revoked_without_its_name(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        app.verify(&made.plain).await;
        flush(&app.engine).await.unwrap();
        app.clock.advance(DAY);
        let browser = app.signed_in(&org, "dana", Role::Owner).await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let answer = browser.submit(&path, &[("change", "revoke"), ("reason", "unused")]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }

    async fn disabling_is_undone_by_a_form_in_the_message(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        owner.change_key(&made.id.to_string(), "disable").await;
        let page = owner.get(&path).await.text();
        assert!(page.contains("“Production” disabled.") && page.contains("<button class=\"btn\">Undo</button>"), "{page}");
        assert!(!owner.get(&path).await.text().contains(">Undo</button>"), "it is said once");
        owner.submit(&path, &[("change", "enable")]).await;
        assert!(owner.get("/orgs/northwind/keys").await.text().contains("“Production” enabled."));
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }

    async fn a_message_about_a_key_of_another_organization_names_none(app: &TestApp) {
        let (org, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        contoso.key("Foreign name").await;
        let own = org.key("Own").await.id.to_string();
        for (page, text, names) in [("northwind", "“Own” disabled", true), ("contoso", "Key disabled.", false)] {
            owner.change_key(&own, "disable").await;
            let page = owner.get(&format!("/orgs/{page}/keys")).await.text();
            assert!(page.contains(text), "{text}: {page}");
            assert_eq!(page.contains(">Undo</button>"), names);
            assert_eq!(page.contains("“Own”"), names);
            owner.change_key(&own, "enable").await;
        }
    }

    async fn only_what_the_server_said_in_this_session_is_said(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let other = app.signed_in(&org, "ari", Role::Owner).await;
        let key = org.key("Production").await.id.to_string();
        let answer = owner.change_key(&key, "disable").await;
        const LIST: &str = "/orgs/northwind/keys";
        let is_done = |cookie: &&str| cookie.starts_with("latchkey-done=");
        let cookie = answer.set_cookies().into_iter().find(is_done).unwrap();
        let genuine = cookie.split(['=', ';']).nth(1).unwrap();
        let (word, signature) = genuine.split_once('~').unwrap();
        let says = async |browser: &Browser, page: &str, value: &str| {
            browser.set_cookie("latchkey-done", value);
            let answer = browser.get(page).await;
            assert!(answer.set_cookies().iter().any(|cookie| cookie.starts_with("latchkey-done=;")), "it is removed");
            ["disabled.", "revoked.", ">Undo</button>"].iter().any(|said| answer.text().contains(said))
        };
        for forged in [
            word.to_owned(),
            format!("{word}~"),
            format!("{word}~{}", &signature[..40]),
            format!("{word}~{}", signature.to_lowercase()),
            format!("{}~{signature}", word.replace("disabled", "revoked")),
            format!("keys-revoked.12~{signature}"),
            "~".to_owned(),
        ] {
            assert!(!says(&owner, LIST, &forged).await, "{forged}");
        }
        assert!(!says(&other, LIST, genuine).await, "in another session");
        assert!(!says(&app.browser(), "/sign-in", genuine).await, "without a session");
        assert!(says(&owner, LIST, genuine).await);
    }

    async fn a_removed_domain_comes_back_to_its_place(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Shop", &["a.example", "b.example", "c.example"])).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", key.id);
        owner.submit(&path, &[("remove", "b.example")]).await;
        let page = owner.get(&path).await;
        assert!(page.text().contains("b.example removed from “Shop”."), "{}", page.body);
        assert_eq!((page.hidden("add"), page.hidden("before")), ("b.example".to_owned(), "c.example".to_owned()));
        owner.submit(&path, &[("add", "b.example"), ("before", "c.example")]).await;
        let domains: Vec<String> = stored(&org, key.id).await.domains.iter().map(ToString::to_string).collect();
        assert_eq!(domains, ["a.example", "b.example", "c.example"]);
    }

    async fn a_key_is_extended_from_its_notice(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let expiring = with(secret_key("Production"), |settings| settings.expires_at = Some(NOON.plus(3 * DAY)));
        let made = org.create_key(expiring).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", made.id);
        assert!(admin.get(&path).await.text().contains("Ask dana (dana@northwind.example) to extend it."));
        let page = owner.get(&path).await;
        assert!(page.text().contains("Expires in 3 days") && page.body.contains("Extend by 90 days"), "{}", page.body);
        let base = page.hidden("base");
        let extend = [("change", "extend"), ("base", base.as_str())];
        assert_eq!(admin.submit(&path, &extend).await.status, 403);
        assert_eq!(owner.submit(&path, &extend).await.status, 303);
        assert_eq!(stored(&org, made.id).await.expires_at, Some(NOON.plus(93 * DAY)));
        assert_eq!(owner.submit(&path, &extend).await.status, 303, "submitted twice, it is extended once");
        assert_eq!(stored(&org, made.id).await.expires_at, Some(NOON.plus(93 * DAY)));
        org.edit(made.id, SettingsChange { notes: Some("Of the shop".to_owned()), ..SettingsChange::default() }).await.unwrap();
        assert_eq!(owner.submit(&path, &extend).await.status, 422, "the key was changed since");
        assert_eq!(stored(&org, made.id).await.expires_at, Some(NOON.plus(93 * DAY)));
    }

    async fn an_expired_key_is_extended_from_now(app: &TestApp) {
        let org = app.org("northwind").await;
        let expiring = with(secret_key("Production"), |settings| settings.expires_at = Some(NOON.plus(DAY)));
        let made = org.create_key(expiring).await.unwrap();
        app.clock.advance(2 * DAY);
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let base = owner.get(&path).await.hidden("base");
        owner.submit(&path, &[("change", "extend"), ("base", &base)]).await;
        assert_eq!(stored(&org, made.id).await.expires_at, Some(NOON.plus(92 * DAY)));
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }

    async fn the_page_says_who_did_what_and_how(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        owner.change_key(&made.id.to_string(), "disable").await;
        let page = owner.get(&path).await.text();
        assert!(page.contains(" on the command line") && page.contains(" by dana in the dashboard"), "{page}");
    }

    async fn a_key_that_never_passed_says_when_it_was_last_rejected(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let request = Request { key: Some(&key.plain), origin: Some("https://new.example"), ..Request::default() };
        assert_eq!(said(&app.ask(&request).await), "ORIGIN_NOT_ALLOWED");
        flush(&app.engine).await.unwrap();
        app.clock.advance(7 * MINUTE);
        let page = owner.get(&format!("/orgs/northwind/keys/{}", key.id)).await.text();
        assert!(page.contains("No request passed yet, last rejected ") && page.contains("7 minutes ago"), "{page}");
        assert!(page.contains("name=\"add\" value=\"new.example\""), "the rejected origin can be added: {page}");
    }

    async fn a_tested_origin_that_is_rejected_can_be_added(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}?origin=https://www.shop.example/cart", key.id);
        let offer = "name=\"add\" value=\"www.shop.example\"";
        assert!(owner.get(&path).await.body.contains(offer));
        assert!(!admin.get(&path).await.body.contains(offer));
    }

    async fn most_of_a_long_list_of_domains_is_closed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let domains: Vec<String> = (0..300).map(|number| format!("d{number}.example")).collect();
        let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
        let key = org.create_key(widget_key("Shop", &domains)).await.unwrap();
        let page = owner.get(&format!("/orgs/northwind/keys/{}", key.id)).await.text();
        assert!(page.contains("<summary>290 more domains</summary>") && page.contains("d299.example"), "{page}");
    }

    async fn metadata_is_shown_and_edited(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let edit = format!("{path}/edit");
        let base = owner.get(&edit).await.hidden("base");
        let fields = |metadata| [("base", base.as_str()), ("name", "Production"), ("access", "full"), ("expires", "keep"), ("metadata", metadata)];
        let refused = owner.submit(&edit, &fields("{\"plan\": ")).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("id=\"metadata-error\""), "{}", refused.body);
        assert_eq!(owner.submit(&edit, &fields("{\"plan\": \"pro\", \"seats\": 1.10}")).await.status, 303);
        assert_eq!(stored(&org, made.id).await.metadata.as_json(), "{\"plan\":\"pro\",\"seats\":1.10}");
        let page = owner.get(&path).await.text();
        assert!(page.contains("{\"plan\":\"pro\",\"seats\":1.10}"), "{page}");
    }

    async fn whoever_may_not_do_something_is_told_whom_to_ask(app: &TestApp) {
        let org = app.org("northwind").await;
        app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let id = org.key("Production").await.id;
        for (path, text) in [
            ("/orgs/northwind/keys/new".to_owned(), "Ask dana (dana@northwind.example) to do it"),
            (format!("/orgs/northwind/keys/{id}"), "Ask dana (dana@northwind.example) to show you more or change it."),
        ] {
            let page = member.get(&path).await.text();
            assert!(page.contains(text), "{path}: {page}");
        }
        let stranger = app.signed_in(&app.org("contoso").await, "eve", Role::Owner).await;
        assert!(!stranger.get(&format!("/orgs/northwind/keys/{id}")).await.body.contains("dana"));
    }

    async fn the_first_steps_lead_to_the_first_request_and_go(app: &TestApp) {
        const KEYS: &str = "/orgs/northwind/keys";
        const PANEL: &str = "id=\"first-steps\"";
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        assert!(!owner.get(KEYS).await.body.contains(PANEL), "there is no key yet");
        let made = org.key("Production").await;
        let page = owner.get(KEYS).await.text();
        assert!(page.contains(PANEL) && page.contains("/v1/verify") && page.contains("Check again"), "{page}");
        assert!(!admin.get(KEYS).await.body.contains(PANEL), "only owners can do the steps");
        let of_key = format!("{KEYS}/{}", made.id);
        let page = owner.get(&of_key).await.text();
        assert!(page.contains(PANEL) && page.contains(&format!("{of_key}?steps=dismiss")), "{page}");
        assert!(!admin.get(&of_key).await.body.contains(PANEL), "only owners can do the steps");
        let asked = async || owner.call("/api/first-steps", &[("org", "northwind")]).await.json();
        assert_eq!(asked().await, serde_json::json!({"token": false, "request": false, "rejected": null, "used": null}));
        app.token(Some(&org), TokenScope::Verify).await;
        assert_eq!(asked().await, serde_json::json!({"token": true, "request": false, "rejected": null, "used": null}));
        let outside = Request { key: Some(&made.plain), scopes: &["bots:write".parse().unwrap()], ..Request::default() };
        app.database.execute("UPDATE keys SET scopes = '[\"bots:read\"]'").await;
        app.ask(&outside).await;
        flush(&app.engine).await.unwrap();
        let refused = owner.get(KEYS).await.text();
        assert!(refused.contains("A request arrived, but was rejected: Missing scope (INSUFFICIENT_SCOPE)."), "{refused}");
        app.verify(&made.plain).await;
        flush(&app.engine).await.unwrap();
        assert!(owner.get(KEYS).await.text().contains("The first request was valid."));
        assert!(!owner.get(KEYS).await.body.contains(PANEL), "it was seen");
        assert!(!owner.get(&of_key).await.body.contains(PANEL), "it was seen");
        let done = owner.call("/api/first-steps", &[("org", "northwind")]).await.json();
        assert_eq!((&done["request"], &done["used"]["id"], &done["used"]["at"]["short"]), (&true.into(), &made.id.to_string().into(), &"just now".into()));
        let other = app.browser();
        other.sign_in("dana@northwind.example", PASSWORD).await;
        assert!(!other.get(KEYS).await.body.contains(PANEL), "this browser never waited");
    }

    async fn every_command_that_checks_a_key_with_ranges_sends_an_address_of_them(app: &TestApp) {
        const SENT: &str = r#"\"ip\": \"127.0.0.1\""#;
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        org.key("Everywhere").await;
        let keys = owner.get("/orgs/northwind/keys").await.text();
        assert!(keys.contains("/v1/verify") && !keys.contains("127.0.0.1"), "{keys}");
        app.clock.advance(1_000);
        let fields = [secret_key_fields("Office").as_slice(), &[("ip_ranges", "127.0.0.0/8\n192.0.2.10")]].concat();
        let shown = owner.submit("/orgs/northwind/keys/new", &fields).await.text();
        assert!(shown.contains(r#""ip": "127.0.0.1""#), "{shown}");
        let keys = owner.get("/orgs/northwind/keys").await.text();
        assert!(keys.contains(SENT), "the newest key: {keys}");
        let id = app.database.texts("SELECT id FROM keys ORDER BY id DESC").await.remove(0);
        let page = owner.get(&format!("/orgs/northwind/keys/{id}")).await.text();
        assert_eq!(page.matches(SENT).count(), 1, "the first steps, which the examples do not repeat: {page}");
    }

    async fn the_first_steps_can_be_dismissed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        org.key("Production").await;
        let panel = async |path: &str| owner.get(path).await.body.contains("id=\"first-steps\"");
        assert!(panel("/orgs/northwind/keys").await);
        assert!(!panel("/orgs/northwind/keys?steps=dismiss").await);
        assert!(!panel("/orgs/northwind/keys").await);
    }

    async fn examples_name_only_hosts_of_the_settings(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Production").await;
        let path = format!("/orgs/northwind/keys/{}", key.id);
        let page = owner.get(&path).await.text();
        assert!(page.contains("curl http://localhost:3000/v1/verify") && !page.contains("/v1/chat"), "{page}");
        assert!(page.contains("href=\"/docs\""), "{page}");
        let set = app.browser_with(&[("api_base_url", "https://api.northwind.example"), ("docs_url", "https://docs.northwind.example")]);
        set.sign_in("dana@northwind.example", PASSWORD).await;
        let page = set.get(&path).await.text();
        assert!(page.contains("https://api.northwind.example/v1/chat") && page.contains("href=\"https://docs.northwind.example/\""), "{page}");
        assert!(!page.contains("example.com"), "{page}");
    }
}
