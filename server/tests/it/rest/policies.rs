//! `/v1/orgs/{org}/policies`.

use latchkey::service_tokens::TokenScope;
use serde_json::{Value, json};

use crate::test_app::TestApp;

const POLICIES: &str = "/v1/orgs/northwind/policies";

on_both! {
    async fn what_is_sent_changes_and_the_rest_stays(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let default = json!({
            "rotation_days": 90, "longest_life_days": null, "scopes_required": false, "ip_ranges_required": false,
            "localhost_forbidden": false,
        });
        assert_eq!(api.get(POLICIES).await.json(), default);
        let changed = api.patch(POLICIES, &json!({"rotation_days": null, "scopes_required": true})).await;
        let mut expected = default;
        expected["rotation_days"] = Value::Null;
        expected["scopes_required"] = json!(true);
        assert_eq!((changed.status.as_u16(), changed.json()), (200, expected.clone()));
        let changed = api.patch(POLICIES, &json!({"longest_life_days": 30})).await;
        expected["longest_life_days"] = json!(30);
        assert_eq!((changed.status.as_u16(), changed.json()), (200, expected.clone()));
        assert_eq!(api.patch(POLICIES, &json!({})).await.json(), expected);
        for (body, field) in [
            (json!({"rotation_days": 0}), "rotation_days"), (json!({"longest_life_days": 3_651}), "longest_life_days"),
            (json!({"ip_ranges_required": "yes"}), "ip_ranges_required"),
        ] {
            let answer = api.patch(POLICIES, &body).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (422, &json!(field)), "{}", answer.body);
        }
        assert_eq!(api.get(POLICIES).await.json(), expected);
        let unknown = api.patch(POLICIES, &json!({"rotation": 30})).await;
        assert!(unknown.status.is_client_error(), "{}", unknown.body);
    }

    async fn a_token_of_the_organization_cannot_see_or_change_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api_of(Some(&org), TokenScope::Manage).await;
        for answer in [api.get(POLICIES).await, api.patch(POLICIES, &json!({"rotation_days": 30})).await] {
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (403, &json!("INSTANCE_TOKEN_REQUIRED")), "{}", answer.body);
        }
    }
}
