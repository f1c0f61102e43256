//! Disabling, enabling and revoking keys with the API.

use serde_json::json;

use crate::test_app::{TestApp, said};

on_both! {
    async fn each_change_takes_effect_immediately_and_answers_with_the_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}", made.id);
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        let disabled = api.post_nothing(&format!("{path}/disable")).await;
        assert_eq!((disabled.status.as_u16(), &disabled.json()["status"]), (200, &json!("disabled")));
        assert_eq!(disabled.json()["disabled_at"], "2026-11-21T12:00:00.000Z");
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY disabled");
        let enabled = api.post_nothing(&format!("{path}/enable")).await;
        assert_eq!((&enabled.json()["status"], &enabled.json()["disabled_at"]), (&json!("active"), &json!(null)));
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        let revoked = api.post(&format!("{path}/revoke"), &json!({"reason": "left-team"})).await;
        assert_eq!((&revoked.json()["status"], &revoked.json()["revoke_reason"]), (&json!("revoked"), &json!("left-team")));
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY revoked");
    }

    async fn what_the_state_does_not_allow_is_a_conflict(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}", made.id);
        let conflict = async |change: &str, body| {
            let answer = api.send(axum::http::Method::POST, &format!("{path}/{change}"), body, &[]).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (409, &json!("WRONG_STATE")), "{change}");
        };
        conflict("enable", "").await;
        api.post_nothing(&format!("{path}/disable")).await;
        conflict("disable", "").await;
        let reason = r#"{"reason":"unused"}"#;
        api.post(&format!("{path}/revoke"), &json!({"reason": "unused"})).await;
        for (change, body) in [("disable", ""), ("enable", ""), ("revoke", reason)] {
            conflict(change, body).await;
        }
    }

    async fn a_revocation_needs_one_of_the_reasons(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/revoke", made.id);
        for body in [json!({}), json!({"reason": "boredom"}), json!({"reason": "unused", "force": true})] {
            assert_eq!(api.post(&path, &body).await.status, 422, "{body}");
        }
        assert_eq!(api.post_nothing(&path).await.status, 400);
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }

    async fn another_orgs_key_cannot_be_changed_through_ones_own(app: &TestApp) {
        app.org("northwind").await;
        let (api, theirs) = (app.api().await, app.org("contoso").await.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}", theirs.id);
        for change in ["disable", "enable"] {
            assert_eq!(api.post_nothing(&format!("{path}/{change}")).await.status, 404);
        }
        assert_eq!(api.post(&format!("{path}/revoke"), &json!({"reason": "other"})).await.status, 404);
        assert_eq!(said(&app.verify(&theirs.plain).await), "VALID");
    }
}
