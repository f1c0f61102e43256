//! Who can call the API.

use axum::http::{Method, header};
use latchkey::service_tokens::TokenScope;
use serde_json::json;

use crate::test_app::TestApp;

/// The method and path of every route that requires the scope `manage`, for the org `northwind`.
fn managing_routes() -> impl Iterator<Item = (Method, String)> {
    latchkey_server::routes()
        .into_iter()
        .filter(|(_, path)| path.starts_with("/v1/orgs"))
        .map(|(method, path)| {
            let path = path
                .replace("{org}", "northwind")
                .replace("{id}", "key_00000000000000000000000000000000")
                .replace("{public_id}", "agt_00000000000000000000000000000000");
            (method, path)
        })
}

on_both! {
    async fn a_token_that_may_only_verify_manages_nothing(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api_with(TokenScope::Verify).await;
        for (method, path) in managing_routes() {
            for path in [path.clone(), path.replace("northwind", "no-such-org")] {
                let answer = api.send(method.clone(), &path, "", &[]).await;
                assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (403, &json!("INSUFFICIENT_TOKEN_SCOPE")), "{path}");
                let challenge = answer.header("www-authenticate");
                assert!(challenge.contains("insufficient_scope") && challenge.contains("scope=\"manage\""), "{challenge}");
            }
        }
    }

    async fn who_has_no_token_learns_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.key("Production").await);
        for (method, path) in managing_routes() {
            for wrong in ["", "Bearer", "Bearer x", "Basic YWJj", &format!("Bearer {}", key.plain.expose())] {
                let browser = app.browser();
                let request = browser.request(method.clone(), &path).header(header::AUTHORIZATION, wrong);
                let answer = browser.send(request, "").await;
                assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (401, &json!("INVALID_SERVICE_TOKEN")), "{path}");
                assert!(answer.header("www-authenticate").starts_with("Bearer realm"), "{path}");
            }
        }
        assert_eq!(api.get("/v1/orgs").await.status, 200);
    }

    async fn a_token_may_verify_too(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        let answer = app.api().await.post("/v1/verify", &json!({"key": key.plain.expose()})).await;
        assert_eq!(answer.json()["code"], "VALID");
    }

    async fn without_the_database_nothing_is_answered(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        assert_eq!(api.get("/v1/orgs").await.status, 200);
        org.key("Production").await;
        app.engine.db().close().await;
        for path in ["/v1/orgs", "/v1/orgs/northwind/keys", "/v1/orgs/northwind/usage", "/v1/orgs/northwind/audit"] {
            let answer = api.get(path).await;
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{path}");
        }
    }
}
