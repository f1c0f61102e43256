//! `/v1/orgs/{org}/usage`.

use latchkey::{usage::flush::flush, verify::Request};
use serde_json::json;

use crate::test_app::TestApp;

on_both! {
    async fn usage_is_what_was_decided(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        for agent in [None, None, Some("agt_none")] {
            app.ask(&Request { key: Some(&made.plain), agent, ..Request::default() }).await;
        }
        flush(&app.engine).await.unwrap();
        for (query, steps) in [("", 30), ("?range=24h", 24), ("?range=7d", 7), ("?range=30d", 30), ("?range=12mo", 12)] {
            let usage = api.get(&format!("/v1/orgs/northwind/usage{query}")).await.json();
            assert_eq!(usage["steps"].as_array().unwrap().len(), steps, "{query}");
            assert_eq!(usage["total"], json!({"passed": 2, "limited": 0, "refused": 1}), "{query}");
            assert_eq!(usage["refusals"], json!([{"code": "AGENT_NOT_FOUND", "count": 1}]));
            assert_eq!(usage["keys"], json!([{"id": made.id, "name": "Production", "passed": 2, "limited": 0, "refused": 1}]));
        }
        assert_eq!(api.get("/v1/orgs/northwind/usage?range=1y").await.status, 400);
        app.org("contoso").await;
        assert_eq!(api.get("/v1/orgs/contoso/usage").await.json()["total"]["passed"], 0);
    }
}
