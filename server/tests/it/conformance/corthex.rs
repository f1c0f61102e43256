//! The statements of Corthex's document about keys.

use latchkey::{key::Kind, role::Role, usage::flush::flush};
use serde_json::json;

use super::*;

on_both! { under "corthex":
    /// "Bearer API keys for private API calls" "API keys for private server calls"
    async fn keys_are_bearer_tokens(app: &TestApp) {
        let (headers, page, key) = headers_and_page(app, "ctx_live_").await;
        assert_eq!(headers, "Authorization, Content-Type");
        assert!(page.contains(&format!("Authorization: Bearer {key}")) && !page.contains("in another header"), "{page}");
        assert_eq!(says(app, &PlainKey::from_presented(&key)).await, "VALID");
    }

    /// "Keep API keys server-side."
    async fn every_key_is_a_secret_one(app: &TestApp) {
        assert!(app.engine.convention().prefixes().all(|(_, kind, _)| kind == Kind::Secret));
        let org = app.org("northwind").await;
        let form = app.signed_in(&org, "dana", Role::Owner).await.get("/orgs/northwind/keys/new").await.text();
        assert!(form.contains("never use it in a browser. Pages don’t need a key: they use an agent’s public ID."), "{form}");
    }

    /// "Never expose private API keys in browser code." "Authenticate server-side where API keys are involved."
    async fn a_key_in_a_page_is_refused(app: &TestApp) {
        let made = app.org("northwind").await.key("Server").await;
        assert_eq!(says_at(app, &made.plain, "https://shop.example").await, "SECRET_KEY_IN_BROWSER");
    }

    /// "Public bot ID for embeddable chat widget" "Use bot IDs for public widget embeds." "Use bot IDs for public embeds"
    async fn a_bots_public_id_embeds_its_widget_without_a_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let bot = agent(&org, app, &["shop.example"], true).await;
        let private = agent(&org, app, &["shop.example"], false).await;
        let embedded = async |bot: &str, origin| {
            let request = Request { agent: Some(bot), origin: Some(origin), scopes: &scopes(&["chat"]), ..Request::default() };
            said(&app.ask(&request).await)
        };
        assert_eq!(embedded(&bot, "https://shop.example").await, "VALID");
        assert_eq!(embedded(&bot, "https://evil.example").await, "ORIGIN_NOT_ALLOWED");
        assert_eq!(embedded(&private, "https://shop.example").await, "MISSING_API_KEY");
    }

    /// "Start in the dashboard by creating a bot, adding knowledge, and copying the bot ID or API key"
    async fn an_owner_copies_bot_and_key_where_they_are_made(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let bot = [("name", "Shop assistant"), ("domains", "shop.example"), ("public_embedding", "on")];
        let made = owner.submit("/orgs/northwind/agents/new", &bot).await;
        let page = owner.get(made.header("location")).await.body;
        let public_id = made.header("location").rsplit('/').next().unwrap();
        assert!(page.contains(&format!("id=\"public-id\">{public_id}<")) && page.contains("Copy ID"), "{page}");
        let fields = [("name", "Server"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never")];
        let page = made_on_the_page(&owner, &fields).await;
        assert!(page.contains("ctx_live_") && page.contains("CORTHEX_API_KEY"), "{page}");
    }

    /// "Use organization-scoped keys for API calls." "Use org-scoped access patterns for dashboard and API workflows."
    async fn a_key_is_its_organizations(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let made = org.key("Server").await;
        assert_eq!(app.verify(&made.plain).await.org.unwrap().slug, org.org.slug);
        let theirs = agent(&other, app, &[], false).await;
        assert_eq!(says_for(app, &made.plain, &theirs, None).await, "ORG_MISMATCH");
        let stranger = app.signed_in(&other, "eve", Role::Owner).await;
        assert_eq!(stranger.get(&format!("/orgs/northwind/keys/{}", made.id)).await.status, 404);
    }

    /// "Handle 400, 401, 404, 429, and 500 responses." "Return useful UI feedback for 401, 404, and 429 states."
    async fn each_status_comes_with_a_code_that_is_explained(app: &TestApp) {
        let token = app.service_token().await;
        assert_eq!(app.post_verify(Some(&token), "{").await.status, 400);
        let status = async |body: serde_json::Value| app.post_verify(Some(&token), &body.to_string()).await.json()["status"].clone();
        assert_eq!(status(json!({})).await, 401);
        assert_eq!(status(json!({"key": "nonsense"})).await, 401);
        let key = app.org("northwind").await.key("Server").await;
        assert_eq!(status(json!({"key": key.plain.expose(), "agent": "agt_none"})).await, 404);
        for _ in 0..600 {
            assert_eq!(says(app, &key.plain).await, "VALID");
        }
        assert_eq!(status(json!({"key": key.plain.expose()})).await, 429);
        let page = app.browser().get("/docs/errors").await.body;
        for code in ["INVALID_REQUEST", "INVALID_API_KEY", "AGENT_NOT_FOUND", "RATE_LIMITED", "QUOTA_EXCEEDED", "INTERNAL_ERROR"] {
            assert!(page.contains(&format!("id=\"{code}\"")), "{code}");
        }
    }

    /// "Integrations should avoid leaking API keys"
    async fn a_key_is_kept_as_a_digest_alone(app: &TestApp) {
        let made = app.org("northwind").await.key("Server").await;
        assert!(!app.database.holds(made.plain.expose()).await);
    }

    /// "Track errors" "log request outcomes"
    async fn every_outcome_is_counted(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(restricted(&["chat"])).await.unwrap();
        says(app, &made.plain).await;
        says_of(app, &made.plain, &["analytics"]).await;
        flush(&app.engine).await.unwrap();
        let usage = app.api().await.get("/v1/orgs/northwind/usage").await.json();
        assert_eq!((&usage["total"]["passed"], &usage["total"]["refused"]), (&json!(1), &json!(1)));
        assert_eq!(usage["refusals"], json!([{"code": "INSUFFICIENT_SCOPE", "count": 1}]));
    }
}
