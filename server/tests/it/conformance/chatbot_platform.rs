//! The statements of the Chatbot Platform's document about keys.

use latchkey::{
    key::{RevokeReason, text::PlainKey},
    keys::{
        change_state::revoke,
        rotate::{Rotation, rotate},
    },
    members::remove,
    role::Role,
    time::{DAY, SECOND},
};
use serde_json::json;

use super::*;
use crate::test_app::NOON;

on_both! { under "chatbot-platform":
    /// "API keys are bearer tokens that authenticate requests"
    /// "Include your API key in the Authorization header"
    async fn keys_are_bearer_tokens(app: &TestApp) {
        let (headers, page, key) = headers_and_page(app, "cbp_live_").await;
        assert_eq!(headers, "Authorization, Content-Type");
        assert!(page.contains(&format!("Authorization: Bearer {key}")) && !page.contains("in another header"), "{page}");
        assert_eq!(says(app, &PlainKey::from_presented(&key)).await, "VALID");
        let none = app.post_verify(Some(&app.service_token().await), "{}").await.json();
        assert_eq!((&none["code"], &none["status"]), (&json!("MISSING_API_KEY"), &json!(401)));
    }

    /// "Name: Descriptive name" "Permissions: Select scopes (all by default)"
    /// "API keys provide full access to your team's resources"
    async fn without_chosen_scopes_a_key_opens_everything(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [("name", "Production Server"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never")];
        made_on_the_page(&owner, &fields).await;
        assert_eq!(app.database.texts("SELECT name || scopes FROM keys").await, ["Production Server[]"]);
        let made = org.key("Other").await;
        for (scope, _) in offered(app) {
            assert_eq!(says_of(app, &made.plain, &[&scope]).await, "VALID", "{scope}");
        }
    }

    /// "API keys are subject to rate limits."
    async fn a_key_that_asks_too_often_has_to_wait(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production Server").await;
        for _ in 0..600 {
            assert_eq!(says(app, &made.plain).await, "VALID");
        }
        assert_eq!(says(app, &made.plain).await, "RATE_LIMITED");
        app.clock.advance(61 * SECOND);
        assert_eq!(says(app, &made.plain).await, "VALID");
    }

    /// "Store keys as environment variables"
    async fn the_page_shows_how_to_keep_a_key_in_the_environment(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [("name", "Production Server"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never")];
        let page = made_on_the_page(&owner, &fields).await;
        assert!(page.contains("CHATBOT_PLATFORM_API_KEY=") && page.contains("Authorization: Bearer"), "{page}");
    }

    /// "Production keys with full access" "Sandbox keys for development" "Test Keys (Coming Soon)"
    /// "Use separate keys for each environment"
    async fn there_are_live_and_test_keys(app: &TestApp) {
        let org = app.org("northwind").await;
        let (live, test) = (org.key("Production").await, org.create_key(test_key()).await.unwrap());
        assert!(live.plain.expose().starts_with("cbp_live_") && test.plain.expose().starts_with("cbp_test_"));
        let environment = async |key| app.verify(key).await.key.unwrap().environment.as_str();
        assert_eq!((environment(&live.plain).await, environment(&test.plain).await), ("live", "test"));
    }

    /// "Full access to everything"
    async fn each_scope_of_the_table_opens_its_own_and_admin_all(app: &TestApp) {
        let org = app.org("northwind").await;
        let table = [
            ("bots:read", "View bots"), ("bots:write", "Create/update bots"), ("integrations:read", "View integrations"),
            ("integrations:write", "Create/update integrations"), ("channels:read", "View channels"),
            ("channels:write", "Create/update channels"), ("conversations:read", "View conversations"),
            ("conversations:write", "Delete conversations"), ("agent-loops:read", "View agent loops"),
            ("agent-loops:write", "Create/run agent loops"), ("admin", "Full access to everything"),
        ];
        assert_eq!(offered(app), table.map(|(scope, access)| (scope.to_owned(), access.to_owned())));
        for (granted, _) in table {
            let made = org.create_key(restricted(&[granted])).await.unwrap();
            for (needed, _) in table {
                let passes = granted == needed || granted == "admin";
                let expected = if passes { "VALID".to_owned() } else { format!("INSUFFICIENT_SCOPE {needed}") };
                assert_eq!(says_of(app, &made.plain, &[needed]).await, expected, "{granted}");
            }
        }
    }

    /// "create keys with minimal required permissions" "Grant only necessary scopes per key" "Insufficient Permissions"
    /// "API keys can have restricted permissions"
    async fn a_restricted_key_is_told_what_it_lacks(app: &TestApp) {
        let made = app.org("northwind").await.create_key(restricted(&["bots:read"])).await.unwrap();
        let body = json!({"key": made.plain.expose(), "scopes": ["bots:read", "bots:write"]}).to_string();
        let answer = app.post_verify(Some(&app.service_token().await), &body).await.json();
        assert_eq!((&answer["status"], &answer["missing_scopes"]), (&json!(403), &json!(["bots:write"])));
    }

    /// "Invalid Key" "Key is incorrect" "Key was deleted" "Wrong key format" "No extra spaces or characters"
    async fn an_invalid_key_is_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let good = made.plain.expose();
        for wrong in ["nonsense", "cbp_live_", &format!("{good} "), &format!(" {good}"), &format!("{good}x"), &good[1..]] {
            let said = says(app, &PlainKey::from_presented(wrong)).await;
            assert!(said.starts_with("INVALID_API_KEY"), "{said}");
        }
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Unused).await.unwrap();
        assert_eq!(says(app, &made.plain).await, "INVALID_API_KEY revoked");
    }

    /// "Expired Key (Coming Soon)"
    async fn an_expired_key_is_refused(app: &TestApp) {
        let new = with(secret_key("Short"), |settings| settings.expires_at = Some(NOON.plus(DAY)));
        let made = app.org("northwind").await.create_key(new).await.unwrap();
        assert_eq!(says(app, &made.plain).await, "VALID");
        app.clock.advance(DAY);
        assert_eq!(says(app, &made.plain).await, "EXPIRED_API_KEY");
    }

    /// "Periodically rotate API keys for security"
    async fn a_key_gets_a_new_secret_while_the_old_one_still_works(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Server").await;
        let rotation = Rotation { overlap: DAY, token: None };
        let rotated = rotate(&app.engine, &org.permit(), made.id, rotation).await.unwrap();
        assert_eq!((rotated.id, says(app, &made.plain).await, says(app, &rotated.plain).await), (made.id, "VALID".into(), "VALID".into()));
        app.clock.advance(DAY);
        assert_eq!(says(app, &made.plain).await, "INVALID_API_KEY superseded");
        assert_eq!(says(app, &rotated.plain).await, "VALID");
    }

    /// "Change keys every 90 days or when employees leave"
    async fn owners_are_reminded_after_90_days_and_when_employees_leave(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await;
        let made = org.key("Server").await;
        assert_eq!(reminded_after(app, 90 * DAY).await, ["Server rotation"]);
        app.database.execute(&format!("UPDATE keys SET created_by = '{kim}' WHERE id = '{}'", made.id)).await;
        app.clock.advance(DAY - 1);
        remove(&app.engine, &org.permit(), kim).await.unwrap();
        assert_eq!(reminded_after(app, 1).await, ["Server creator left"]);
    }

    /// "Immediately revoke a key if compromised" "Deleted keys stop working immediately."
    async fn a_revoked_key_stops_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Leaked").await;
        assert_eq!(says(app, &made.plain).await, "VALID");
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        assert_eq!(says(app, &made.plain).await, "INVALID_API_KEY revoked");
    }

    /// "Keys may take 5-10 seconds to propagate."
    async fn a_new_key_works_at_once_even_when_it_was_tried_before(app: &TestApp) {
        let org = app.org("northwind").await;
        for number in 0..10 {
            assert_eq!(says(app, &org.key(&format!("Key {number}")).await.plain).await, "VALID");
        }
    }

    /// "Encrypt at rest"
    async fn a_key_is_kept_as_a_digest_alone(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        assert!(!app.database.holds(made.plain.expose()).await);
        assert!(!app.database.holds(&made.plain.expose()["cbp_live_".len()..]).await);
    }

    /// "Restrict access to keys"
    async fn only_owners_make_keys(app: &TestApp) {
        let org = app.org("northwind").await;
        for (role, status) in [(Role::Owner, 200), (Role::Admin, 403), (Role::Member, 403)] {
            let browser = app.signed_in(&org, &role.to_string(), role).await;
            assert_eq!(browser.get("/orgs/northwind/keys/new").await.status, status, "{role}");
        }
    }
}
