//! The statements of Cencori's document about keys.

use latchkey::{
    key::{Environment, Kind, RevokeReason, text::PlainKey},
    keys::{
        change_state::revoke,
        create::NewKey,
        import::{Format, import},
    },
    projects,
    role::Role,
    time::DAY,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::test_app::org::widget_key;

on_both! { under "cencori":
    /// "csk_... or csk_test_..." "Full access to all features (including admin functions)"
    async fn secret_keys_have_their_format_and_open_everything(app: &TestApp) {
        let org = app.org("northwind").await;
        for (new, prefix) in [(secret_key("Backend Server"), "csk_"), (test_key(), "csk_test_")] {
            let made = org.create_key(new).await.unwrap();
            assert!(made.plain.expose().starts_with(prefix));
            assert_eq!(says_of(app, &made.plain, &["chat", "admin"]).await, "VALID");
        }
        let live = org.key("Backend Server").await;
        assert!(!live.plain.expose().starts_with("csk_test_"));
    }

    /// "Rotate keys regularly (every 90 days)"
    async fn owners_are_reminded_after_90_days(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.key("Backend Server").await;
        assert_eq!(reminded_after(app, 90 * DAY).await, ["Backend Server rotation"]);
    }

    /// "cpk_... or cpk_test_..." "Requires domain whitelisting" "Only works from allowed domains"
    async fn publishable_keys_have_their_format_and_need_domains(app: &TestApp) {
        let org = app.org("northwind").await;
        for (environment, prefix) in [(Environment::Live, "cpk_"), (Environment::Test, "cpk_test_")] {
            let new = NewKey { environment, ..widget_key("Production Web App", &["myapp.com"]) };
            let made = org.create_key(new).await.unwrap();
            assert!(made.plain.expose().starts_with(prefix));
            assert_eq!(says_at(app, &made.plain, "https://myapp.com").await, "VALID");
            assert_eq!(says_at(app, &made.plain, "https://other.com").await, "ORIGIN_NOT_ALLOWED");
        }
        let without = NewKey { kind: Kind::Widget, ..secret_key("Nowhere") };
        assert!(org.create_key(without).await.is_err());
    }

    /// "Each key is tied to a specific project"
    async fn a_key_works_on_its_projects_agents_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        app.clock.advance(1);
        let project = projects::create(&app.engine, &org.permit(), &"Second".parse().unwrap()).await.unwrap();
        let (first, second) = (
            org.key("First").await,
            org.create_key(with(secret_key("Second"), |settings| settings.project = Some(project))).await.unwrap(),
        );
        let of_first = agent(&org, app, &[], false).await;
        assert_eq!(says_for(app, &first.plain, &of_first, None).await, "VALID");
        assert_eq!(says_for(app, &second.plain, &of_first, None).await, "ORG_MISMATCH");
    }

    /// "Never expose in browser or client code" "Safe for browser and client-side use"
    async fn a_secret_key_in_a_page_is_refused_and_a_publishable_one_is_not(app: &TestApp) {
        let org = app.org("northwind").await;
        let (secret, publishable) = (org.key("Server").await, org.create_key(widget_key("Web", &["myapp.com"])).await.unwrap());
        assert_eq!(says_at(app, &secret.plain, "https://myapp.com").await, "SECRET_KEY_IN_BROWSER");
        assert_eq!(says_at(app, &publishable.plain, "https://myapp.com").await, "VALID");
    }

    /// "Existing keys created before key types are fully functional are treated as secret keys." "No migration required."
    /// "cen_... or cen_test_..."
    async fn a_legacy_key_works_as_a_secret_key_without_its_text_being_known(app: &TestApp) {
        let org = app.org("northwind").await;
        let legacy = "cen_4f1d9b7a2c8e6035";
        let sha256: String = Sha256::digest(legacy).iter().map(|byte| format!("{byte:02x}")).collect();
        let sandbox = "cen_test_77aa01";
        let of_sandbox: String = Sha256::digest(sandbox).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = format!(
            "name,sha256,prefix,last_four\nOld server,{sha256},cen_,6035\nOld sandbox,{of_sandbox},cen_test_,aa01\n"
        );
        let report = import(&app.engine, &org.permit(), Format::Csv, &file, false).await.unwrap();
        assert!(report.imported, "{report:?}");
        let key = PlainKey::from_presented(legacy);
        assert_eq!(says_of(app, &key, &["chat"]).await, "VALID");
        assert_eq!(app.verify(&key).await.key.unwrap().kind, Kind::Secret);
        assert_eq!(says_at(app, &key, "https://myapp.com").await, "SECRET_KEY_IN_BROWSER");
        let known = app.verify(&PlainKey::from_presented(sandbox)).await.key.unwrap();
        assert_eq!((known.kind, known.environment), (Kind::Secret, Environment::Test));
    }

    /// "Click "New secret key" or "New publishable key"."
    async fn the_kinds_are_called_secret_and_publishable(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = owner.get("/orgs/northwind/keys/new").await.text();
        for text in ["Create key", "Secret key", "Publishable key"] {
            assert!(form.contains(text), "{text}: {form}");
        }
        let made = org.create_key(widget_key("Production Web App", &["myapp.com"])).await.unwrap();
        for path in ["/orgs/northwind/keys".to_owned(), format!("/orgs/northwind/keys/{}", made.id)] {
            let page = owner.get(&path).await.text();
            assert!(page.contains("Publishable") && !page.contains(">Widget"), "{path}: {page}");
        }
    }

    /// "Find the key in the list." "Click the Context Menu (...)." "Select Revoke key."
    async fn a_key_is_revoked_from_its_menu_in_the_list(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Compromised").await;
        let list = owner.get("/orgs/northwind/keys").await.text();
        let menu = row_of(&list, "Compromised").split("<details").nth(1).unwrap();
        assert!(menu.contains("aria-label=\"Actions for Compromised\""), "{menu}");
        let link = format!("href=\"/orgs/northwind/keys/{}?revoke=1\"", made.id);
        assert!(menu.contains(&link) && menu.contains(">Revoke key…</a>"), "{menu}");
        let question = owner.get(&format!("/orgs/northwind/keys/{}?revoke=1", made.id)).await.text();
        assert!(question.contains("Revoke “Compromised”?") && question.contains("name=\"change\" value=\"revoke\""), "{question}");
    }

    /// "Enter a name for the key" "For publishable keys: add allowed domains (e.g., localhost, *.myapp.com)."
    /// "API keys are only displayed once."
    async fn a_publishable_key_is_made_on_its_page_and_shown_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [
            ("name", "Production Web App"), ("kind", "widget"), ("environment", "live"), ("expires", "never"),
            ("domains", "localhost, *.myapp.com"),
        ];
        let page = made_on_the_page(&owner, &fields).await;
        let start = page.find("cpk_").unwrap();
        let plain = &page[start..start + 36];
        let key = PlainKey::from_presented(plain);
        assert_eq!(says_at(app, &key, "https://app.myapp.com").await, "VALID");
        let id = app.database.texts("SELECT id FROM keys").await.remove(0);
        for path in ["/orgs/northwind/keys".to_owned(), format!("/orgs/northwind/keys/{id}")] {
            assert!(!owner.get(&path).await.body.contains(plain), "{path}");
        }
    }

    /// "The key will stop working immediately and requests using it will fail with 401 Unauthorized."
    async fn a_revoked_key_is_401_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let (made, token) = (org.key("Compromised").await, app.service_token().await);
        let body = json!({"key": made.plain.expose()}).to_string();
        assert_eq!(app.post_verify(Some(&token), &body).await.json()["valid"], true);
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        assert_eq!(app.post_verify(Some(&token), &body).await.json()["status"], 401);
    }

    /// "CENCORI_API_KEY: csk_xxx"
    async fn a_key_comes_in_a_header_of_its_own(app: &TestApp) {
        let (headers, page, key) = headers_and_page(app, "csk_").await;
        assert_eq!(headers, "Authorization, Content-Type, CENCORI_API_KEY");
        let (own, bearer) = (page.find(&format!("CENCORI_API_KEY: {key}")), page.find(&format!("Authorization: Bearer {key}")));
        assert!(own.is_some() && own < bearer, "its own header first: {page}");
    }

    /// "Requests from non-whitelisted domains return 403 Forbidden."
    async fn an_unlisted_domain_is_403(app: &TestApp) {
        let made = app.org("northwind").await.create_key(widget_key("Web", &["myapp.com"])).await.unwrap();
        let body = json!({"key": made.plain.expose(), "origin": "https://evil.com"}).to_string();
        let answer = app.post_verify(Some(&app.service_token().await), &body).await.json();
        assert_eq!((&answer["code"], &answer["status"]), (&json!("ORIGIN_NOT_ALLOWED"), &json!(403)));
    }

    /// "localhost: Local development on any port." "myapp.com: Exact domain match."
    /// "*.myapp.com: All subdomains (e.g., app.myapp.com, staging.myapp.com)."
    async fn the_three_patterns_mean_what_is_said(app: &TestApp) {
        let org = app.org("northwind").await;
        for (pattern, origin, passes) in [
            ("localhost", "http://localhost", true),
            ("localhost", "http://localhost:3000", true),
            ("localhost", "http://127.0.0.1:3000", false),
            ("myapp.com", "https://myapp.com", true),
            ("myapp.com", "https://app.myapp.com", false),
            ("myapp.com", "https://notmyapp.com", false),
            ("myapp.com", "http://localhost:3000", false),
            ("*.myapp.com", "https://app.myapp.com", true),
            ("*.myapp.com", "https://staging.myapp.com", true),
            ("*.myapp.com", "https://a.b.myapp.com", true),
            ("*.myapp.com", "https://myapp.com", false),
            ("*.myapp.com", "https://evil-myapp.com", false),
        ] {
            let made = org.create_key(widget_key("Web", &[pattern])).await.unwrap();
            let expected = if passes { "VALID" } else { "ORIGIN_NOT_ALLOWED" };
            assert_eq!(says_at(app, &made.plain, origin).await, expected, "{pattern} {origin}");
        }
    }

    /// "CENCORI_API_KEY=csk_xxx" "CENCORI_TEST_API_KEY=csk_test_xxx"
    /// "NEXT_PUBLIC_CENCORI_PUBLISHABLE_KEY=cpk_xxx" "Store secrets in environment variables"
    async fn the_page_names_the_environment_variables(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (kind, environment, variable) in [
            ("secret", "live", "CENCORI_API_KEY=csk_"),
            ("secret", "test", "CENCORI_TEST_API_KEY=csk_test_"),
            ("widget", "live", "NEXT_PUBLIC_CENCORI_PUBLISHABLE_KEY"),
        ] {
            let domains = if kind == "widget" { "myapp.com" } else { "" };
            let fields =
                [("name", "App"), ("kind", kind), ("environment", environment), ("expires", "never"), ("domains", domains)];
            let page = made_on_the_page(&owner, &fields).await;
            assert!(page.contains(variable), "{variable}: {page}");
        }
    }

    /// "Use different keys for development and production"
    async fn keys_say_which_environment_they_are_for(app: &TestApp) {
        let org = app.org("northwind").await;
        let (live, test) = (org.key("Production").await, org.create_key(test_key()).await.unwrap());
        let environment = async |key| app.verify(key).await.key.unwrap().environment;
        assert_eq!(environment(&live.plain).await, Environment::Live);
        assert_eq!(environment(&test.plain).await, Environment::Test);
    }

    /// "Generate a new API key" "Verify the new key works" "Revoke the old key"
    async fn keys_are_exchanged_without_downtime(app: &TestApp) {
        let org = app.org("northwind").await;
        let (old, new) = (org.key("Old").await, org.key("New").await);
        assert_eq!((says(app, &old.plain).await, says(app, &new.plain).await), ("VALID".into(), "VALID".into()));
        revoke(&app.engine, &org.permit(), old.id, RevokeReason::Superseded).await.unwrap();
        assert_eq!(says(app, &old.plain).await, "INVALID_API_KEY revoked");
        assert_eq!(says(app, &new.plain).await, "VALID");
    }
}
