//! `POST /v1/verify`: its responses.

use latchkey::{
    key::RevokeReason,
    keys::change_state::{disable, revoke},
    time::{DAY, MINUTE},
    usage::flush::flush,
};
use serde_json::{Value, json};

use crate::test_app::{
    NOON, TestApp,
    org::{secret_key, widget_key, with},
};

on_both! {
    async fn a_valid_key_comes_with_what_it_is(app: &TestApp) {
        let org = app.org("northwind").await;
        let new = with(secret_key("Production"), |settings| { settings.scopes = vec!["bots:read".parse().unwrap()]; settings.expires_at = Some(NOON.plus(30 * DAY)); settings.external_id = Some("user_1".to_owned()); });
        let made = org.create_key(new).await.unwrap();
        let answer = app.post_verify(Some(&app.service_token().await), &json!({"key": made.plain.expose()}).to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        let mut body = answer.json();
        assert_eq!(body["key"]["id"].take(), made.id.to_string());
        assert_eq!(body["key"]["org"]["id"].take(), org.org.id.to_string());
        assert!(body["key"]["project"].take().as_str().unwrap().starts_with("prj_"));
        insta::allow_duplicates! { insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
        {
          "code": "VALID",
          "detail": "The key is valid.",
          "headers": {
            "ratelimit": "\"default\";r=599;t=60",
            "ratelimit-policy": "\"default\";q=600;w=60"
          },
          "key": {
            "environment": "live",
            "expires_at": "2026-12-21T12:00:00.000Z",
            "external_id": "user_1",
            "id": null,
            "kind": "secret",
            "metadata": {},
            "name": "Production",
            "org": {
              "id": null,
              "slug": "northwind"
            },
            "project": null,
            "scopes": [
              "bots:read"
            ]
          },
          "rate_limit": {
            "class": "default",
            "limit": 600,
            "remaining": 599,
            "reset_seconds": 60,
            "window_seconds": 60
          },
          "status": 200,
          "valid": true
        }
        "#) };
    }

    async fn every_code_has_its_shape(app: &TestApp) {
        let org = app.org("northwind").await;
        let token = app.service_token().await;
        let good = org.create_key(with(secret_key("Good"), |settings| settings.scopes = vec!["bots:read".parse().unwrap()])).await.unwrap();
        let widget = org.create_key(widget_key("Widget", &["shop.example"])).await.unwrap();
        let expired = org.create_key(with(secret_key("Expired"), |settings| settings.expires_at = Some(NOON.plus(1)))).await.unwrap();
        let (disabled, revoked) = (org.key("Disabled").await, org.key("Revoked").await);
        disable(&app.engine, &org.permit(), disabled.id).await.unwrap();
        revoke(&app.engine, &org.permit(), revoked.id, RevokeReason::Compromised).await.unwrap();
        app.clock.advance(MINUTE);
        let mut text = String::new();
        for body in [
            json!({}),
            json!({"key": ""}),
            json!({"agent": "agt_1"}),
            json!({"key": "nonsense"}),
            json!({"key": format!("{}x", good.plain.expose())}),
            json!({"key": disabled.plain.expose()}),
            json!({"key": revoked.plain.expose()}),
            json!({"key": expired.plain.expose()}),
            json!({"key": good.plain.expose(), "agent": "agt_1"}),
            json!({"key": widget.plain.expose(), "origin": "https://evil.example"}),
            json!({"key": widget.plain.expose(), "origin": "null", "referer": "https://shop.example/"}),
            json!({"key": good.plain.expose(), "scopes": ["bots:read", "bots:write", "admin"]}),
            json!({"key": widget.plain.expose(), "origin": "https://shop.example"}),
        ] {
            let answer = app.post_verify(Some(&token), &body.to_string()).await;
            assert_eq!(answer.status, 200, "{body}");
            let mut answer = answer.json();
            let key = answer.as_object_mut().unwrap().remove("key");
            let name = key.map_or_else(|| "no key".to_owned(), |key| key["name"].to_string());
            text += &format!("{answer} {name}\n");
        }
        insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"
        {"code":"MISSING_API_KEY","detail":"Send an API key with the request.","headers":{"www-authenticate":"Bearer realm=\"latchkey\""},"status":401,"valid":false} no key
        {"code":"MISSING_API_KEY","detail":"Send an API key with the request.","headers":{"www-authenticate":"Bearer realm=\"latchkey\""},"status":401,"valid":false} no key
        {"code":"AGENT_NOT_FOUND","detail":"The agent was not found. Check its public ID.","status":404,"valid":false} no key
        {"code":"INVALID_API_KEY","detail":"The API key is invalid. Check that you copied all of it and that it has not been disabled or revoked.","headers":{"www-authenticate":"Bearer realm=\"latchkey\", error=\"invalid_token\""},"reason":"malformed","status":401,"valid":false} no key
        {"code":"INVALID_API_KEY","detail":"The API key is invalid. Check that you copied all of it and that it has not been disabled or revoked.","headers":{"www-authenticate":"Bearer realm=\"latchkey\", error=\"invalid_token\""},"reason":"malformed","status":401,"valid":false} no key
        {"code":"INVALID_API_KEY","detail":"The API key is invalid. Check that you copied all of it and that it has not been disabled or revoked.","headers":{"www-authenticate":"Bearer realm=\"latchkey\", error=\"invalid_token\""},"reason":"disabled","status":401,"valid":false} "Disabled"
        {"code":"INVALID_API_KEY","detail":"The API key is invalid. Check that you copied all of it and that it has not been disabled or revoked.","headers":{"www-authenticate":"Bearer realm=\"latchkey\", error=\"invalid_token\""},"reason":"revoked","status":401,"valid":false} "Revoked"
        {"code":"EXPIRED_API_KEY","detail":"The key has expired. Create a new one.","headers":{"www-authenticate":"Bearer realm=\"latchkey\", error=\"invalid_token\""},"status":401,"valid":false} "Expired"
        {"code":"AGENT_NOT_FOUND","detail":"The agent was not found. Check its public ID.","status":404,"valid":false} "Good"
        {"code":"ORIGIN_NOT_ALLOWED","detail":"The key does not work on this site. Add its domain to the key's allowed domains.","headers":{"vary":"Origin"},"status":403,"valid":false} "Widget"
        {"code":"ORIGIN_NOT_ALLOWED","detail":"The key does not work on this site. Add its domain to the key's allowed domains.","headers":{"vary":"Origin"},"status":403,"valid":false} "Widget"
        {"code":"INSUFFICIENT_SCOPE","detail":"The key does not have a required scope. Use a key that has it.","headers":{"www-authenticate":"Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"bots:read bots:write admin\""},"missing_scopes":["bots:write","admin"],"status":403,"valid":false} "Good"
        {"code":"VALID","detail":"The key is valid.","headers":{"access-control-allow-origin":"https://shop.example","access-control-expose-headers":"RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate","ratelimit":"\"default\";r=599;t=60","ratelimit-policy":"\"default\";q=600;w=60","vary":"Origin"},"rate_limit":{"class":"default","limit":600,"remaining":599,"reset_seconds":60,"window_seconds":60},"status":200,"valid":true} "Widget"
        "#) };
    }

    async fn a_warm_key_and_token_are_answered_without_the_database_for_a_minute(app: &TestApp) {
        let org = app.org("northwind").await;
        let (warm, cold, token) = (org.key("Warm").await, org.key("Cold").await, app.service_token().await);
        let cold_token = app.service_token().await;
        let warm = json!({"key": warm.plain.expose()}).to_string();
        let cold = json!({"key": cold.plain.expose()}).to_string();
        assert_eq!(app.post_verify(Some(&token), &warm).await.json()["valid"], true);
        app.engine.db().close().await;
        assert_eq!(app.post_verify(Some(&token), &warm).await.json()["code"], "VALID");
        for answer in [app.post_verify(Some(&token), &cold).await, app.post_verify(Some(&cold_token), &warm).await] {
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (503, "application/problem+json"));
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!((&answer.json()["code"], answer.json().get("valid")), (&Value::from("UNAVAILABLE"), None));
        }
        app.clock.advance(MINUTE);
        assert_eq!(app.post_verify(Some(&token), &warm).await.status, 503);
    }

    async fn a_request_is_bound_to_an_environment_and_a_project(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let ask = async |also: Value| {
            let mut body = json!({"key": made.plain.expose()});
            body.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
            api.post("/v1/verify", &body).await.json()
        };
        let own = ask(json!({"environment": "live"})).await["key"]["project"].clone();
        let other = "prj_00000000000000000000000000000000";
        for (also, code) in [
            (json!({"environment": "live", "project": own}), "VALID"),
            (json!({"environment": null, "project": null}), "VALID"),
            (json!({"environment": "test", "project": other}), "WRONG_ENVIRONMENT"),
            (json!({"environment": "live", "project": other}), "WRONG_PROJECT"),
            (json!({"environment": "test", "agent": "agt_1"}), "AGENT_NOT_FOUND"),
            (json!({"environment": "test", "scopes": ["bots:read"], "origin": "https://shop.example"}), "WRONG_ENVIRONMENT"),
        ] {
            let answer = ask(also.clone()).await;
            assert_eq!(answer["code"], code, "{also}");
            if code.starts_with("WRONG") {
                assert_eq!((&answer["status"], &answer["valid"], answer["rate_limit"].is_null()), (&json!(403), &json!(false), true));
            }
        }
        flush(&app.engine).await.unwrap();
        let mut counted = app.outcomes().await;
        counted.retain(|counted| counted.starts_with("WRONG"));
        assert_eq!(counted, ["WRONG_ENVIRONMENT 2", "WRONG_PROJECT 1"]);
    }

    async fn a_request_that_costs_several_takes_as_much_of_the_limit_and_is_one_in_the_usage(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let ask = async |cost: u32| api.post("/v1/verify", &json!({"key": made.plain.expose(), "cost": cost})).await.json();
        assert_eq!(ask(400).await["rate_limit"]["remaining"], 200);
        app.clock.advance(10_000);
        assert_eq!(ask(150).await["rate_limit"]["remaining"], 50);
        let refused = ask(300).await;
        assert_eq!((&refused["code"], &refused["rate_limit"]["remaining"]), (&json!("RATE_LIMITED"), &json!(50)));
        assert_eq!(refused["retry_after"], 50);
        let refused = ask(500).await;
        assert_eq!((&refused["rate_limit"]["reset_seconds"], &refused["retry_after"]), (&json!(50), &json!(60)), "when both are gone");
        assert_eq!(refused["headers"]["retry-after"], "60");
        assert_eq!(ask(50).await["rate_limit"]["remaining"], 0);
        flush(&app.engine).await.unwrap();
        assert_eq!(app.outcomes().await, ["VALID 3", "RATE_LIMITED 2"]);
    }

    async fn a_dry_run_decides_and_leaves_no_trace(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let ask = async |dry_run: bool, cost: u32, origin: Value| {
            let body = json!({"key": made.plain.expose(), "dry_run": dry_run, "cost": cost, "origin": origin});
            let answer = api.post("/v1/verify", &body).await.json();
            format!("{} {}", answer["code"].as_str().unwrap(), answer["rate_limit"]["remaining"])
        };
        assert_eq!(ask(true, 600, Value::Null).await, "VALID 600");
        assert_eq!(ask(true, 1, json!("https://shop.example")).await, "SECRET_KEY_IN_BROWSER null");
        assert_eq!(api.post("/v1/verify", &json!({"key": "nonsense", "dry_run": true})).await.json()["reason"], "malformed");
        flush(&app.engine).await.unwrap();
        for nothing in [
            "SELECT COUNT(*) FROM usage_days", "SELECT COUNT(*) FROM keys WHERE last_used_at IS NOT NULL",
            "SELECT COUNT(*) FROM key_findings",
        ] {
            assert_eq!(app.database.number(nothing).await, 0, "{nothing}");
        }
        assert!(app.engine.verifications().by_outcome().all(|(_, count)| count == 0));
        assert_eq!(ask(false, 600, Value::Null).await, "VALID 0");
        assert_eq!(ask(true, 1, Value::Null).await, "RATE_LIMITED 0");
    }

    async fn what_is_answered_is_what_is_counted(app: &TestApp) {
        let org = app.org("northwind").await;
        let (made, token) = (org.key("Production").await, app.service_token().await);
        let good = json!({"key": made.plain.expose()}).to_string();
        let refused = json!({"key": made.plain.expose(), "agent": "agt_1"}).to_string();
        for body in [&good, &good, &refused] {
            app.post_verify(Some(&token), body).await;
        }
        app.post_verify(None, &good).await;
        app.post_verify(Some(&token), &json!({"key": made.plain.expose(), "cost": 0}).to_string()).await;
        flush(&app.engine).await.unwrap();
        assert_eq!(app.outcomes().await, ["VALID 2", "AGENT_NOT_FOUND 1"]);
    }
}
