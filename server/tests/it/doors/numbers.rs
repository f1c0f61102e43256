//! Numbers in metadata are returned unchanged.

use axum::http::Method;
use latchkey::keys::import::{Format, import};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::test_app::TestApp;

const KEYS: &str = "/v1/orgs/northwind/keys";
const METADATA: &str = r#"{"z":1.10,"a":-0,"b":1E2,"c":0.1,"d":12345678901234567890123,"e":[1e308,{"f":1e-400}],"g":"1\u00e9 "}"#;

on_both! {
    async fn they_come_back_as_they_came_through_every_door(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let spaced = METADATA.replace(',', " , ");
        let body = |metadata: &str| format!(r#"{{"name":"A","kind":"secret","metadata":{metadata}}}"#);
        let created = api.send(Method::POST, KEYS, &body(&spaced), &[]).await;
        assert_eq!(created.status, 201, "{}", created.body);
        assert!(created.body.contains(METADATA), "{}", created.body);
        let json = format!(r#"[{{"name":"JSON","sha256":"{}","metadata":{spaced}}}]"#, sha256("first"));
        assert!(import(&app.engine, &org.permit(), Format::Json, &json, false).await.unwrap().imported);
        let csv = format!("name,sha256,metadata\nCSV,{},\"{}\"\n", sha256("second"), spaced.replace('"', "\"\""));
        assert!(import(&app.engine, &org.permit(), Format::Csv, &csv, false).await.unwrap().imported);
        let key = created.json()["key"].as_str().unwrap().to_owned();
        let token = app.service_token().await;
        for key in [&key, "first", "second"] {
            // The first response is read from the database, the second from the cache.
            for _ in 0..2 {
                let verified = app.post_verify(Some(&token), &json!({"key": key}).to_string()).await;
                assert!(verified.body.contains(METADATA), "{}", verified.body);
            }
        }
        assert_eq!(api.get(KEYS).await.body.matches(METADATA).count(), 3);
        let path = format!("{KEYS}/{}", created.json()["id"].as_str().unwrap());
        let other = METADATA.replace("1.10", "1.1");
        let changed = api.send(Method::PATCH, &path, &format!(r#"{{"metadata":{other}}}"#), &[]).await;
        assert!(changed.body.contains(&other), "{}", changed.body);
        assert!(api.get(&path).await.body.contains(&other));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'key.updated'").await, 1);
    }

    async fn what_no_program_could_read_is_rejected_with_a_sentence(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        for (metadata, status, sentence) in [
            (r#"{"a":1e400}"#, 400, "Numbers must be at most 1.8e308."),
            (r#"{"a":[-1E999]}"#, 400, "Numbers must be at most 1.8e308."),
            (r#"{"a":"\ud800"}"#, 400, "is half a character."),
            (r#"{"a":1,"a":2}"#, 422, "The name `a` appears twice"),
            (r#"{"a":[{"plan":1,"pl\u0061n":2}]}"#, 422, "The name `plan` appears twice"),
            (deep.as_str(), 400, "at most 100 levels deep."),
        ] {
            let body = format!(r#"{{"name":"A","kind":"secret","metadata":{metadata}}}"#);
            let answer = api.send(Method::POST, KEYS, &body, &[]).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (status, &json!("metadata")), "{}", answer.body);
            assert!(answer.json()["errors"][0]["detail"].as_str().unwrap().contains(sentence), "{}", answer.body);
            let file = format!(r#"[{{"name":"A","sha256":"{}","metadata":{metadata}}}]"#, sha256("first"));
            let report = import(&app.engine, &org.permit(), Format::Json, &file, false).await.unwrap();
            let problem = &report.entries[0].problems[0];
            assert!(problem.field == "metadata" && problem.sentence.contains(sentence), "{problem:?}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
