//! `POST /v1/orgs/{org}/keys/import`.

use axum::http::Method;
use latchkey::{key::text::PlainKey, keys::import::begin, service_tokens::TokenScope};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::test_app::{TestApp, said};

const IMPORT: &str = "/v1/orgs/northwind/keys/import";

on_both! {
    async fn keys_are_imported_and_verify_and_a_dry_run_does_nothing(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let file = json!([
            {"name": "Old server", "sha256": sha256("first"), "prefix": "lk_sk_test_ab", "last_four": "wxyz", "scopes": ["bots:read"], "expires_in_days": 30.0},
            {"name": "Old widget", "sha256": sha256("second"), "kind": "widget", "domains": ["shop.example"]},
        ]);
        let dry = api.post(&format!("{IMPORT}?dry_run=true"), &file).await;
        let mut report = json!({"imported": false, "keys": [
            {"position": 1, "name": "Old server", "display": "lk_sk_test_ab••••••••wxyz", "kind": "secret", "environment": "test",
             "expires_at": "2026-12-21T12:00:00.000Z", "errors": [], "more_errors": 0},
            {"position": 2, "name": "Old widget", "display": dry.json()["keys"][1]["display"], "kind": "widget", "environment": "live",
             "expires_at": null, "errors": [], "more_errors": 0},
        ]});
        assert_eq!((dry.status.as_u16(), dry.json()), (200, report.clone()));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        let done = api.post(&format!("{IMPORT}?dry_run=false"), &file).await;
        report["imported"] = json!(true);
        assert_eq!((done.status.as_u16(), done.json()), (200, report));
        assert_eq!(said(&app.verify(&PlainKey::from_presented("first")).await), "VALID");
        let again = api.post(IMPORT, &file).await;
        assert_eq!((again.status.as_u16(), &again.json()["errors"][0]["field"]), (422, &json!("1.sha256")));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 2);
    }

    async fn a_file_can_be_larger_than_other_bodies_and_has_a_limit_of_its_own(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api_of(Some(&org), TokenScope::Manage).await;
        let keys: Vec<_> = (0..1_500).map(|number| json!({"name": "Old", "sha256": sha256(&format!("old {number}"))})).collect();
        let file = Value::from(keys);
        assert!(file.to_string().len() > 128 * 1024);
        let done = api.post(IMPORT, &file).await;
        assert_eq!((done.status.as_u16(), &done.json()["imported"]), (200, &json!(true)));
        let large = api.post(IMPORT, &json!("x".repeat(4 * 1024 * 1024))).await;
        assert_eq!(large.status, 413);
        assert!(large.body.contains("An import must be at most 4 MB."), "{}", large.body);
        let large = api.post("/v1/orgs/northwind/agents", &json!({"name": "x".repeat(64 * 1024)})).await;
        assert_eq!(large.status, 413);
        assert!(large.body.contains("at most 64 kB"), "{}", large.body);
    }

    async fn a_file_in_another_encoding_is_rejected_with_what_to_do(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let file = format!(r#"[{{"name": "Café", "sha256": "{}"}}]"#, sha256("first"));
        let latin: Vec<u8> = file.chars().map(|c| c as u8).collect();
        let answer = api.send_bytes(Method::POST, IMPORT, latin, &[]).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("INVALID_REQUEST")));
        assert!(answer.json()["detail"].as_str().unwrap().contains("Save it in UTF-8"), "{}", answer.body);
        let with_mark = api.send(Method::POST, IMPORT, &format!("\u{feff}{file}"), &[]).await;
        assert_eq!(with_mark.status, 200, "{}", with_mark.body);
        assert_eq!(app.database.texts("SELECT name FROM keys").await, ["Café"]);
    }

    async fn what_is_wrong_is_said_key_by_key_and_nothing_is_imported(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let file = json!([{"name": "Good", "sha256": sha256("first")}, {"name": " ", "sha256": "x"}]);
        let dry = api.post(&format!("{IMPORT}?dry_run=true"), &file).await.json();
        let of = |errors: &Value| errors.as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!((of(&dry["keys"][0]["errors"]), of(&dry["keys"][1]["errors"])), (vec![], vec!["sha256".to_owned(), "name".to_owned()]));
        let refused = api.post(IMPORT, &file).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (422, &json!("INVALID_FIELD")));
        assert_eq!(of(&refused.json()["errors"]), ["2.sha256", "2.name"]);
        for (path, body) in [
            (IMPORT.to_owned(), "[]"), (IMPORT.to_owned(), "["), (IMPORT.to_owned(), ""), (IMPORT.to_owned(), r#"{"dry_run":true}"#),
            (IMPORT.to_owned(), r#"[{"name":"A","sha":"x"}]"#), (format!("{IMPORT}?dry_run=1"), "[]"), (format!("{IMPORT}?x=1"), "[]"),
        ] {
            let answer = api.send(Method::POST, &path, body, &[]).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("INVALID_REQUEST")), "{path} {body}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }

    async fn imports_of_an_org_have_its_share_of_the_queue_and_a_limit(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let file = json!([{"name": "Old", "sha256": sha256("first")}]);
        let mut places = vec![];
        while let Ok(place) = begin(&app.engine, &org.permit()) {
            places.push(place);
        }
        let busy = api.post(IMPORT, &file).await;
        assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, "2"));
        drop(places);
        assert_eq!(api.post(IMPORT, &file).await.status, 200);
        let large = format!("[{}]", " ".repeat(4 * 1024 * 1024));
        assert_eq!(api.send(Method::POST, IMPORT, &large, &[]).await.status, 413);
        let more = format!("[{}]", " ".repeat(1024 * 1024));
        assert_eq!(api.send(Method::POST, IMPORT, &more, &[]).await.status, 400, "it was read, and has no keys");
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
