//! Rotating a key with the API.

use axum::http::{HeaderName, Method};
use latchkey::{
    key::text::PlainKey,
    time::{HOUR, SECOND},
};
use serde_json::json;

use crate::test_app::{TestApp, said};

on_both! {
    async fn the_new_secret_works_at_once_and_the_old_one_until_the_overlap_ends(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/rotate", made.id);
        // An integer for JSON Schema, which describes the API.
        let answer = api.post(&path, &json!({"overlap_seconds": 3_600.0})).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"));
        assert_eq!(answer.header("location"), path.trim_end_matches("/rotate"));
        let object = answer.json();
        assert_eq!(object["id"], made.id.to_string());
        let old = json!({"display": made.display, "ends_at": "2026-11-21T13:00:00.000Z", "last_used_at": null});
        assert_eq!(object["old_secret"], old);
        let key = format!("/v1/orgs/northwind/keys/{}", made.id);
        assert_eq!(api.get("/v1/orgs/northwind/keys").await.json()["data"][0]["old_secret"], old);
        let new = PlainKey::from_presented(object["key"].as_str().unwrap());
        assert_eq!((said(&app.verify(&new).await), said(&app.verify(&made.plain).await)), ("VALID".into(), "VALID".into()));
        let again = api.post(&path, &json!({"overlap_seconds": 0})).await;
        assert_eq!((again.status.as_u16(), &again.json()["code"]), (409, &json!("ROTATION_RUNNING")));
        app.clock.advance(HOUR);
        assert_eq!(api.get(&key).await.json()["old_secret"], json!(null));
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY superseded");
        assert_eq!(said(&app.verify(&new).await), "VALID");
    }

    async fn the_old_secret_is_ended_early(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}", made.id);
        let end = async || api.post_nothing(&format!("{path}/end-old-secret")).await;
        let none = end().await;
        assert_eq!((none.status.as_u16(), &none.json()["code"]), (409, &json!("WRONG_STATE")), "{none:?}");
        let rotated = api.post(&format!("{path}/rotate"), &json!({"overlap_seconds": 3_600})).await.json();
        app.verify(&made.plain).await;
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        assert_eq!(api.get(&path).await.json()["old_secret"]["last_used_at"], "2026-11-21T12:00:00.000Z");
        let ended = end().await;
        assert_eq!((ended.status.as_u16(), &ended.json()["old_secret"]), (200, &json!(null)));
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY superseded");
        let new = PlainKey::from_presented(rotated["key"].as_str().unwrap());
        assert_eq!(said(&app.verify(&new).await), "VALID");
        let again = async || api.post(&format!("{path}/rotate"), &json!({"overlap_seconds": 0})).await;
        assert_eq!(again().await.json()["code"], "ROTATION_RUNNING", "the last rotation is less than a second old");
        app.clock.advance(SECOND);
        assert_eq!(again().await.status, 201);

        let theirs = app.org("contoso").await.key("Theirs").await.id;
        assert_eq!(api.post_nothing(&format!("/v1/orgs/northwind/keys/{theirs}/end-old-secret")).await.status, 404);
    }

    async fn a_secret_whose_answer_was_lost_is_replaced(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/rotate", made.id);
        let rotate = async |overlap: u32| api.post(&path, &json!({"overlap_seconds": overlap})).await;
        let lost = rotate(86_400).await.json();
        app.clock.advance(SECOND);
        let again = rotate(60).await;
        assert_eq!(again.status, 201);
        let again = again.json();
        assert_eq!(again["old_secret"], lost["old_secret"], "the old secret keeps its end");
        let works = async |key: &serde_json::Value| said(&app.verify(&PlainKey::from_presented(key["key"].as_str().unwrap())).await);
        assert_eq!((works(&lost).await, works(&again).await), ("INVALID_API_KEY superseded".into(), "VALID".into()));
        app.clock.advance(SECOND);
        let refused = rotate(60).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &json!("ROTATION_RUNNING")));
    }

    async fn a_rotation_that_is_sent_twice_rotates_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/rotate", made.id);
        let key = [(HeaderName::from_static("idempotency-key"), "r-1")];
        let send = async || api.send(Method::POST, &path, r#"{"overlap_seconds":0}"#, &key).await;
        let (first, again) = (send().await, send().await);
        let new = PlainKey::from_presented(first.json()["key"].as_str().unwrap());
        assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
        assert!(again.json()["key"].is_null());
        assert_eq!(said(&app.verify(&new).await), "VALID");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 2);
    }

    async fn an_overlap_that_will_not_do_changes_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/rotate", made.id);
        for body in [json!({}), json!({"overlap_seconds": -1}), json!({"overlap_seconds": 2_592_001}), json!({"overlap_seconds": 1.5})] {
            let answer = api.post(&path, &body).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (422, &json!("overlap_seconds")), "{body}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 1);
    }
}
