//! `/v1/orgs/{org}/findings`.

use serde_json::{Value, json};

use crate::test_app::{TestApp, api::Api};

const FINDINGS: &str = "/v1/orgs/northwind/findings";

/// Code and key of each finding on a page.
fn words(page: &Value) -> Vec<String> {
    let found = page["data"].as_array().unwrap().iter();
    found
        .map(|one| {
            format!(
                "{} {}",
                one["code"].as_str().unwrap(),
                one["key"]["name"].as_str().unwrap()
            )
        })
        .collect()
}

async fn list(api: &Api, query: &str) -> Value {
    let answer = api.get(&format!("{FINDINGS}{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

on_both! {
    async fn findings_are_listed_filtered_and_paged(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let made = org.key("Production").await;
        app.clock.advance(1_000);
        org.key("Staging").await;
        app.clock.advance(8 * 24 * 3_600_000);
        let all = list(&api, "").await;
        let expected = ["full_access Production", "never_used Production", "no_expiry Production", "full_access Staging", "never_used Staging", "no_expiry Staging"];
        assert_eq!(words(&all), expected);
        assert_eq!(all["next_cursor"], Value::Null);
        assert_eq!(all["data"][1], json!({
            "code": "never_used",
            "severity": "low",
            "key": {"id": made.id.to_string(), "name": "Production"},
            "since": "2026-11-21T12:00:00.000Z",
            "evidence": {"requests": null, "origins": [], "scopes": [], "last_at": null, "expires_at": null, "works_until": null},
            "policy": null,
            "advice": "Revoke the key if its application is not going to use it.",
            "reviewed_until": null,
        }));
        assert_eq!(words(&list(&api, "?code=no_expiry").await), ["no_expiry Production", "no_expiry Staging"]);
        assert_eq!(words(&list(&api, &format!("?severity=low&key={}", made.id)).await), expected[..3]);
        let mut paged = Vec::new();
        let mut query = "?limit=2".to_owned();
        loop {
            let page = list(&api, &query).await;
            paged.extend(words(&page));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=2&cursor={cursor}");
        }
        assert_eq!(paged, expected);
        for wrong in ["?code=everything", "?severity=urgent", "?key=1", "?cursor=key_1.full_access", "?limit=0"] {
            assert_eq!(api.get(&format!("{FINDINGS}{wrong}")).await.status, 400, "{wrong}");
        }
    }
}
