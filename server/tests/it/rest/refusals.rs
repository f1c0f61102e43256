//! `/v1/orgs/{org}/refusals`.

use latchkey::refusals::store;
use serde_json::{Value, json};

use crate::test_app::{TestApp, org::widget_key};

const REFUSALS: &str = "/v1/orgs/northwind/refusals";

on_both! {
    async fn refusals_are_listed_filtered_and_paged(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let shop = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let other = org.create_key(widget_key("Other", &["shop.example"])).await.unwrap();
        for (key, origin) in [(&shop, "https://evil.example"), (&other, "https://evil.example"), (&shop, "https://b.example")] {
            app.clock.advance(1_000);
            let body = json!({"key": key.plain.expose(), "origin": origin, "ip": "2001:db8:1:2::1", "user_agent": "python-requests/2.32"});
            let answer = api.post("/v1/verify", &body).await;
            assert_eq!(answer.json()["code"], "ORIGIN_NOT_ALLOWED");
        }
        store(&app.engine).await.unwrap();
        let all = api.get(REFUSALS).await.json();
        assert_eq!(all["data"][0], json!({
            "at": "2026-11-21T12:00:03.000Z",
            "code": "ORIGIN_NOT_ALLOWED",
            "reason": null,
            "missing_scopes": [],
            "key": {"id": shop.id.to_string(), "name": "Shop"},
            "key_prefix": null,
            "agent": null,
            "class": "default",
            "origin": "https://b.example",
            "address_prefix": "2001:db8:1::/48",
            "user_agent": "python-requests",
        }));
        let count = |page: &Value| page["data"].as_array().unwrap().len();
        assert_eq!((count(&all), &all["next_cursor"]), (3, &Value::Null));
        for (filter, expected) in [
            (format!("key={}", shop.id), 2), ("q=EVIL".to_owned(), 2), ("q=python".to_owned(), 3), ("code=RATE_LIMITED".to_owned(), 0),
            ("code=ORIGIN_NOT_ALLOWED&class=default".to_owned(), 3),
        ] {
            assert_eq!(count(&api.get(&format!("{REFUSALS}?{filter}")).await.json()), expected, "{filter}");
        }
        let first = api.get(&format!("{REFUSALS}?limit=2")).await.json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = api.get(&format!("{REFUSALS}?limit=2&cursor={cursor}")).await.json();
        assert_eq!((count(&first), count(&rest), &rest["next_cursor"]), (2, 1, &Value::Null));
        for wrong in ["?code=NO", "?key=1", "?agent=no", "?class=no", "?cursor=rfs_1", "?limit=0"] {
            let refused = api.get(&format!("{REFUSALS}{wrong}")).await;
            assert_eq!(refused.status, 400, "{wrong}: {}", refused.body);
        }
    }
}
