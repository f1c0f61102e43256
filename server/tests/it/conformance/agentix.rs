//! The statements of Agentix's document about keys.

use latchkey::{
    key::{RevokeReason, text::PlainKey},
    keys::{
        change_state::revoke,
        rotate::{Rotation, rotate},
    },
    role::Role,
    time::{DAY, SECOND},
    usage::flush::flush,
};
use serde_json::json;

use super::*;
use crate::test_app::NOON;

on_both! { under "agentix":
    /// "All Agentix public API endpoints require authentication via API keys."
    /// "No API key provided in the request"
    async fn no_key_no_answer(app: &TestApp) {
        let none = app.post_verify(Some(&app.service_token().await), "{}").await.json();
        assert_eq!((&none["code"], &none["status"]), (&json!("MISSING_API_KEY"), &json!(401)));
    }

    /// "Rotate keys regularly, especially if you suspect a key has been compromised."
    async fn owners_are_reminded_to_rotate_and_can_end_a_secret_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let made = org.key("Server").await;
        assert_eq!(reminded_after(app, 90 * DAY).await, ["Server rotation"]);
        let rotation = Rotation { overlap: 0, token: None };
        let rotated = rotate(&app.engine, &org.permit(), made.id, rotation).await.unwrap();
        assert_eq!((says(app, &made.plain).await, says(app, &rotated.plain).await), ("INVALID_API_KEY superseded".into(), "VALID".into()));
        assert_eq!(reminded_after(app, 90 * DAY).await, ["Server rotation"]);
    }

    /// "Provide a descriptive name" "Select the scopes you need"
    /// "Copy the key immediately — it will not be shown again"
    async fn a_key_is_made_on_its_page_and_shown_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [
            ("name", "Production Widget"), ("kind", "secret"), ("environment", "live"), ("scopes", "chat"), ("expires", "never"),
        ];
        let page = made_on_the_page(&owner, &fields).await;
        let start = page.find("agx_live_").unwrap();
        let plain = &page[start..start + 41];
        let key = app.verify(&PlainKey::from_presented(plain)).await.key.unwrap();
        assert_eq!((key.settings.name.as_str(), key.settings.scopes.as_slice()), ("Production Widget", scopes(&["chat"]).as_slice()));
        for path in ["/orgs/northwind/keys".to_owned(), format!("/orgs/northwind/keys/{}", key.id)] {
            assert!(!owner.get(&path).await.body.contains(plain), "{path}");
        }
    }

    /// "agx_live_<32-character-random-string>" "Keys prefixed with agx_live_ are production keys."
    /// "Test keys (coming soon) will use agx_test_."
    async fn keys_have_the_documented_format(app: &TestApp) {
        let org = app.org("northwind").await;
        for (new, prefix, environment) in [(secret_key("Live"), "agx_live_", "live"), (test_key(), "agx_test_", "test")] {
            let made = org.create_key(new).await.unwrap();
            let random = made.plain.expose().strip_prefix(prefix).unwrap();
            assert_eq!(random.len(), 32);
            assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{random}");
            assert_eq!(app.verify(&made.plain).await.key.unwrap().environment.as_str(), environment);
        }
    }

    /// "Bearer Token (Recommended)" "X-API-Key Header" "Both methods are equivalent."
    async fn keys_come_as_bearer_or_in_a_header(app: &TestApp) {
        let (headers, page, key) = headers_and_page(app, "agx_live_").await;
        assert_eq!(headers, "Authorization, Content-Type, X-API-Key");
        let (bearer, own) = (page.find(&format!("Authorization: Bearer {key}")), page.find(&format!("X-API-Key: {key}")));
        assert!(bearer.is_some() && bearer < own, "Bearer comes first, then the other header: {page}");
    }

    /// "Send and receive messages via the Chat API" "Read agent configuration and widget settings"
    /// "Read and update conversation history" "API keys can be restricted to specific scopes"
    /// "The API key does not have the required scope"
    async fn each_scope_opens_its_own(app: &TestApp) {
        let org = app.org("northwind").await;
        let table = [
            ("chat", "Send and receive messages via the Chat API"),
            ("config", "Read agent configuration and widget settings"),
            ("conversations", "Read and update conversation history"),
        ];
        assert_eq!(offered(app), table.map(|(scope, access)| (scope.to_owned(), access.to_owned())));
        for (granted, _) in table {
            let made = org.create_key(restricted(&[granted])).await.unwrap();
            for (needed, _) in table {
                let expected = if granted == needed { "VALID".to_owned() } else { format!("INSUFFICIENT_SCOPE {needed}") };
                assert_eq!(says_of(app, &made.plain, &[needed]).await, expected, "{granted}");
            }
        }
    }

    /// "A key with no explicit scopes has access to all public endpoints."
    async fn without_scopes_a_key_opens_everything(app: &TestApp) {
        let org = app.org("northwind").await;
        let form = app.signed_in(&org, "dana", Role::Owner).await.get("/orgs/northwind/keys/new").await.text();
        assert!(form.contains("Everything, including scopes that are added later."), "{form}");
        let made = org.key("Everything").await;
        assert_eq!(says_of(app, &made.plain, &["chat", "config", "conversations"]).await, "VALID");
    }

    /// "API keys are subject to rate limiting" "60 requests/minute per key" "120 requests/minute per key"
    /// "When rate limited, the API returns 429 Too Many Requests with a Retry-After header."
    /// "Too many requests, retry after the specified delay"
    async fn each_kind_of_endpoint_has_its_limit_per_key_and_minute(app: &TestApp) {
        let org = app.org("northwind").await;
        let (made, token) = (org.key("Server").await, app.service_token().await);
        for (class, per_minute) in [("chat", 60), ("config", 120)] {
            let body = json!({"key": made.plain.expose(), "class": class}).to_string();
            for _ in 0..per_minute {
                assert_eq!(app.post_verify(Some(&token), &body).await.json()["code"], "VALID", "{class}");
            }
            let refused = app.post_verify(Some(&token), &body).await.json();
            assert_eq!((&refused["code"], &refused["status"]), (&json!("RATE_LIMITED"), &json!(429)), "{class}");
            let delay = refused["headers"]["retry-after"].as_str().unwrap().parse::<i64>().unwrap();
            assert_eq!(refused["retry_after"], delay);
            app.clock.advance(delay * SECOND - 1);
            assert_eq!(app.post_verify(Some(&token), &body).await.json()["code"], "RATE_LIMITED", "{class}");
            app.clock.advance(1);
            assert_eq!(app.post_verify(Some(&token), &body).await.json()["code"], "VALID", "{class}");
        }
        let other = org.key("Other").await;
        assert_eq!(says(app, &other.plain).await, "VALID");
    }

    /// "API keys are bound to an organization." "A key can only access agents owned by the same organization."
    /// "The API key belongs to a different organization" "returns a 403 ORG_MISMATCH error."
    async fn a_key_works_on_its_organizations_agents_alone(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let made = org.key("Server").await;
        let (own, theirs) = (agent(&org, app, &[], false).await, agent(&other, app, &[], false).await);
        assert_eq!(says_for(app, &made.plain, &own, None).await, "VALID");
        let body = json!({"key": made.plain.expose(), "agent": theirs}).to_string();
        let answer = app.post_verify(Some(&app.service_token().await), &body).await.json();
        assert_eq!((&answer["code"], &answer["status"]), (&json!("ORG_MISMATCH"), &json!(403)));
    }

    /// "If embedding the widget, the key is visible in the page source."
    async fn the_form_says_which_keys_may_stand_in_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = owner.get("/orgs/northwind/keys/new").await.text();
        for sentence in ["never use it in a browser", "you can use a key whose only scope is chat in a page, where visitors can read it"] {
            assert!(form.contains(sentence), "{sentence}: {form}");
        }
    }

    /// "Never expose API keys in client-side code." "Use a key scoped only to chat for widgets."
    async fn of_all_keys_only_one_for_chat_alone_works_in_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        for (granted, expected) in [
            (&["chat"][..], "VALID"), (&["chat", "config"], "SECRET_KEY_IN_BROWSER"), (&["config"], "SECRET_KEY_IN_BROWSER"),
            (&[], "SECRET_KEY_IN_BROWSER"),
        ] {
            let made = org.create_key(restricted(granted)).await.unwrap();
            assert_eq!(says_at(app, &made.plain, "https://shop.example").await, expected, "{granted:?}");
            let body = json!({"key": made.plain.expose(), "origin": "https://shop.example"}).to_string();
            let answer = app.post_verify(Some(&app.service_token().await), &body).await.json();
            let readable = answer["headers"]["access-control-allow-origin"].as_str();
            assert_eq!(readable, Some("https://shop.example"), "the page can read the response");
        }
    }

    /// "Use domain restrictions on your agents to limit which domains can use the widget, even if a key is leaked."
    async fn an_agents_domains_hold_whatever_the_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let widget = org.create_key(restricted(&["chat"])).await.unwrap();
        let agent = agent(&org, app, &["shop.example"], false).await;
        assert_eq!(says_for(app, &widget.plain, &agent, Some("https://shop.example")).await, "VALID");
        assert_eq!(says_for(app, &widget.plain, &agent, Some("https://evil.example")).await, "ORIGIN_NOT_ALLOWED");
    }

    /// "Create a new API key" "Verify the new key works" "Delete the old key"
    async fn keys_are_exchanged_without_downtime(app: &TestApp) {
        let org = app.org("northwind").await;
        let (old, new) = (org.key("Old").await, org.key("New").await);
        assert_eq!((says(app, &old.plain).await, says(app, &new.plain).await), ("VALID".into(), "VALID".into()));
        revoke(&app.engine, &org.permit(), old.id, RevokeReason::Superseded).await.unwrap();
        assert_eq!(says(app, &old.plain).await, "INVALID_API_KEY revoked");
        assert_eq!(says(app, &new.plain).await, "VALID");
    }

    /// "The API key is not valid or has been deleted"
    async fn an_invalid_or_deleted_key_is_401(app: &TestApp) {
        let org = app.org("northwind").await;
        let (made, token) = (org.key("Deleted").await, app.service_token().await);
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Other).await.unwrap();
        for key in [made.plain.expose(), "agx_live_sk7Gm2xPqR4tN8vW1yBz3dF6hJ9kL0mA", "nonsense"] {
            let answer = app.post_verify(Some(&token), &json!({"key": key}).to_string()).await.json();
            assert_eq!((&answer["code"], &answer["status"]), (&json!("INVALID_API_KEY"), &json!(401)), "{key}");
        }
    }

    /// "The API key has expired"
    async fn an_expired_key_is_401(app: &TestApp) {
        let new = with(secret_key("Short"), |settings| settings.expires_at = Some(NOON.plus(DAY)));
        let (made, token) = (app.org("northwind").await.create_key(new).await.unwrap(), app.service_token().await);
        app.clock.advance(DAY);
        let answer = app.post_verify(Some(&token), &json!({"key": made.plain.expose()}).to_string()).await.json();
        assert_eq!((&answer["code"], &answer["status"]), (&json!("EXPIRED_API_KEY"), &json!(401)));
    }

    /// "Create separate keys for each environment" "Use environment variables to store keys"
    async fn each_environment_has_keys_of_its_own(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for environment in ["live", "test"] {
            let fields = [("name", "Server"), ("kind", "secret"), ("environment", environment), ("access", "full"), ("expires", "never")];
            let page = made_on_the_page(&owner, &fields).await;
            assert!(page.contains("AGENTIX_API_KEY") && page.contains(&format!("agx_{environment}_")), "{page}");
        }
    }

    /// "Monitor usage in the dashboard to detect unusual patterns."
    async fn usage_is_on_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(restricted(&["chat"])).await.unwrap();
        says(app, &made.plain).await;
        says_of(app, &made.plain, &["config"]).await;
        flush(&app.engine).await.unwrap();
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get("/orgs/northwind/usage").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Restricted") && page.body.contains("Missing scope"), "{}", page.body);
    }
}
