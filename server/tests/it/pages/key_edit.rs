//! Editing a key and the allowed domains of a widget key.

use latchkey::{key::settings::SettingsChange, keys::show, role::Role, verify::Request};

use crate::test_app::{
    TestApp,
    org::{secret_key, widget_key, with},
    said,
};

on_both! {
    async fn a_key_with_full_access_is_restricted_to_the_scopes_that_it_used(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Old server").await;
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let proposal = format!("{path}/edit?scopes=used");
        let page = owner.get(&path).await;
        assert!(page.body.contains(&format!("href=\"{proposal}#scopes\"")), "{}", page.body);
        let review = owner.get("/orgs/northwind/review").await;
        assert!(review.body.contains(&format!("href=\"{proposal}#scopes\"")), "{}", review.body);
        let checked = |body: &str, value: &str| {
            let input = body.split("<input").find(|input| input.contains(&format!("value=\"{value}\""))).unwrap_or_default();
            input.split('>').next().unwrap_or_default().contains(" checked")
        };
        // Nothing is known of a key without requests.
        let unused = owner.get(&proposal).await.body;
        assert!(checked(&unused, "full") && !unused.contains("Selected are the scopes"), "{unused}");
        let scopes = ["bots:read".parse().unwrap(), "bots:write".parse().unwrap()];
        app.ask(&Request { key: Some(&made.plain), scopes: &scopes, ..Request::default() }).await;
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        let page = owner.get(&proposal).await;
        assert!(page.body.contains("Selected are the scopes that requests with this key required so far."), "{}", page.body);
        for (value, is) in [("chosen", true), ("full", false), ("bots:read", true), ("bots:write", true), ("analytics:read", false)] {
            assert_eq!(checked(&page.body, value), is, "{value}: {}", page.body);
        }
        let plain = owner.get(&format!("{path}/edit")).await.body;
        assert!(checked(&plain, "full") && !checked(&plain, "bots:read"), "only if the URL asks for it");
        let fields = [("base", page.hidden("base")), ("name", "Old server".to_owned()), ("access", "chosen".to_owned()), ("scopes", "bots:read".to_owned()), ("expires", "keep".to_owned())];
        let saved = owner.submit(&format!("{path}/edit"), &fields.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
        assert_eq!(saved.status, 303, "{}", saved.text());
        let key = show::details(&app.engine, &org.permit(), made.id).await.unwrap().unwrap();
        assert_eq!(key.settings.scopes.len(), 1);
    }

    async fn the_form_shows_what_the_key_is_and_changes_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let new = with(secret_key("Production"), |settings| { settings.notes = "Ask <Dana>".to_owned(); settings.ip_ranges = vec!["10.0.0.0/8".parse().unwrap()]; settings.scopes = vec!["bots:read".parse().unwrap()]; });
        let id = org.create_key(new).await.unwrap().id;
        let path = format!("/orgs/northwind/keys/{id}/edit");
        let page = owner.get(&path).await;
        assert_eq!(page.status, 200);
        for part in ["value=\"Production\"", "Ask &lt;Dana>", "10.0.0.0/8", "No change: never"] {
            assert!(page.text().contains(part), "{part}: {}", page.body);
        }
        let base = page.hidden("base");
        let refused = owner.submit(&path, &[("base", &base), ("name", ""), ("ip_ranges", "10.0.0.5/8"), ("expires", "keep"), ("notes", "kept")]).await;
        assert_eq!(refused.status, 422);
        for part in ["Enter a name.", "is an address inside a range", "kept", "Nothing was changed."] {
            assert!(refused.text().contains(part), "{part}: {}", refused.body);
        }
        assert_eq!(refused.hidden("base"), base, "a rejected form keeps the base that it was loaded with");
        let fields = [("base", base.as_str()), ("name", "Build <server>"), ("ip_ranges", "192.0.2.1"), ("expires", "30"), ("notes", "one\r\ntwo"), ("scopes", "bots:read"), ("scopes", "bots:write")];
        let done = owner.submit(&path, &fields).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, &*format!("/orgs/northwind/keys/{id}")));
        let key = show::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        assert_eq!((key.summary.name.as_str(), key.settings.notes.as_str(), key.settings.scopes.len()), ("Build <server>", "one\ntwo", 2));
        assert!(key.summary.lifecycle.expires_at.is_some());
        let page = owner.get(done.header("location")).await.text();
        assert!(page.contains("” updated.") && page.contains("192.0.2.1") && !page.contains("<server>"), "{page}");
    }

    async fn an_external_id_is_shown_changed_and_removed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let new = with(secret_key("Production"), |settings| settings.external_id = Some("user & 1".to_owned()));
        let id = org.create_key(new).await.unwrap().id;
        let path = format!("/orgs/northwind/keys/{id}");
        let shown = owner.get(&path).await;
        let parts = [format!("<code id=\"key-id\">{id}</code>"), "<code>user &amp; 1</code>".to_owned(), "/orgs/northwind/keys?external_id=user+%26+1\"".to_owned()];
        for part in parts {
            assert!(shown.text().contains(&part), "{part}: {}", shown.body);
        }
        let edit = format!("{path}/edit");
        let page = owner.get(&edit).await;
        assert!(page.body.contains("value=\"user &amp; 1\""), "{}", page.body);
        let base = page.hidden("base");
        let fields = |id: &'static str| [("base", base.clone()), ("name", "Production".to_owned()), ("access", "full".to_owned()), ("expires", "keep".to_owned()), ("external_id", id.to_owned())];
        let submit = async |id| {
            let fields = fields(id);
            owner.submit(&edit, &fields.each_ref().map(|(name, value)| (*name, value.as_str()))).await
        };
        let refused = submit("a\u{202e}b").await;
        assert!(refused.status == 422 && refused.text().contains("An external ID cannot contain"), "{}", refused.body);
        org.edit(id, SettingsChange { external_id: Some(Some("theirs".to_owned())), ..SettingsChange::default() }).await.unwrap();
        let conflict = submit("mine").await;
        assert!(conflict.status == 409 && conflict.text().contains("The current value is “theirs”."), "{}", conflict.body);
        assert!(conflict.body.contains("value=\"mine\""), "{}", conflict.body);
        let removed = owner.submit(&edit, &[("base", &conflict.hidden("base")), ("name", "Production"), ("access", "full"), ("expires", "keep"), ("external_id", " ")]).await;
        assert_eq!(removed.status, 303);
        let key = show::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        assert_eq!(key.settings.external_id, None);
    }

    async fn domains_are_added_removed_and_tried(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let from = async |origin: &str| {
            said(&app.ask(&Request { key: Some(&made.plain), origin: Some(origin), ..Request::default() }).await)
        };
        assert_eq!(from("https://www.shop.example").await, "ORIGIN_NOT_ALLOWED");
        let refused = owner.submit(&path, &[("add", "co.uk, <b>")]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("co.uk") && !refused.text().contains("<b>,"), "{}", refused.body);
        let added = owner.submit(&path, &[("add", "*.shop.example, shop.example")]).await;
        assert_eq!(added.header("location"), format!("{path}#domains"), "{added:?}");
        assert_eq!(from("https://www.shop.example").await, "VALID", "it takes effect immediately");

        for (origin, verdict) in [
            ("https%3A%2F%2Fwww.shop.example", "https://www.shop.example is allowed by *.shop.example."),
            ("shop.example.evil.example", "is rejected: it matches no allowed domain."),
            ("http%3A%2F%2Flocalhost%3A3000", "is allowed: this key does not block localhost."),
            ("null", "which any page can send"),
        ] {
            let page = owner.get(&format!("{path}?origin={origin}")).await.text();
            assert!(page.contains(verdict), "{origin}: {page}");
        }
        owner.submit(&path, &[("remove", "shop.example")]).await;
        assert_eq!(from("https://shop.example").await, "ORIGIN_NOT_ALLOWED");
        let last = owner.submit(&path, &[("remove", "*.shop.example")]).await;
        assert!(last.status == 422 && last.text().contains("A widget key needs at least one domain."), "{last:?}");
    }

    async fn localhost_can_be_refused_where_the_convention_leaves_it_to_the_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let path = format!("/orgs/northwind/keys/{}", made.id);
        let from_localhost = async || {
            said(&app.ask(&Request { key: Some(&made.plain), origin: Some("http://localhost:5173"), ..Request::default() }).await)
        };
        assert_eq!(from_localhost().await, "VALID");
        assert!(owner.submit(&path, &[("localhost", "forbid")]).await.status.is_redirection());
        assert_eq!(from_localhost().await, "ORIGIN_NOT_ALLOWED");
        assert!(owner.get(&path).await.text().contains("Pages on localhost are blocked."));
        assert!(owner.submit(&path, &[("localhost", "allow")]).await.status.is_redirection());
        assert_eq!(from_localhost().await, "VALID");
    }

    async fn admins_see_domains_and_change_none(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let id = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().id;
        let page = admin.get(&format!("/orgs/northwind/keys/{id}")).await.text();
        assert!(page.contains("shop.example") && page.contains("Test an origin"), "{page}");
        assert!(!page.contains("name=\"add\"") && !page.contains("name=\"remove\"") && !page.contains("/rotate"), "{page}");
    }
}
