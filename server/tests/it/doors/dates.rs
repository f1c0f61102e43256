//! Dates up to the last that can be stored.

use latchkey::{
    key::text::PlainKey,
    keys::import::{Format, import},
    role::Role,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::test_app::TestApp;

const LAST: &str = "9999-12-31T23:59:59.999Z";

on_both! {
    async fn the_last_day_is_the_same_at_every_door(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, owner) = (app.api().await, app.signed_in(&org, "dana", Role::Owner).await);
        let keys = "/v1/orgs/northwind/keys";
        let form = [("name", "Form"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "date"), ("expires_on", "9999-12-31")];
        let created = owner.submit("/orgs/northwind/keys/new", &form).await;
        assert_eq!(created.status, 200, "{}", created.body);
        for at in [LAST, "9999-12-31T23:59:59.9999999Z", "9999-12-31T12:59:59.999-11:00"] {
            let created = api.post(keys, &json!({"name": "REST", "kind": "secret", "expires_at": at})).await;
            assert_eq!((created.status.as_u16(), &created.json()["expires_at"]), (201, &json!(LAST)), "{at}");
        }
        let csv = format!("name,sha256,expires_at\nCSV,{},9999-12-31\n", sha256("first"));
        let file = json!([{"name": "JSON", "sha256": sha256("second"), "expires_at": LAST}]);
        assert!(import(&app.engine, &org.permit(), Format::Csv, &csv, false).await.unwrap().imported);
        assert_eq!(api.post(&format!("{keys}/import"), &file).await.json()["keys"][0]["expires_at"], LAST);

        let listed = api.get(keys).await.json();
        let data = listed["data"].as_array().unwrap();
        assert_eq!(data.len(), 6);
        for key in data {
            assert_eq!((&key["status"], &key["expires_at"]), (&json!("active"), &json!(LAST)), "{key}");
            let page = owner.get(&format!("/orgs/northwind/keys/{}", key["id"].as_str().unwrap())).await;
            assert!(page.text().contains("Dec 31, 9999, 23:59 UTC") && !page.text().contains("Jan 1, 1970"), "{}", page.body);
        }
        assert_eq!(owner.get("/orgs/northwind/keys").await.text().matches(">Dec 31, 9999<").count(), 6);
        let token = app.service_token().await;
        let verified = app.post_verify(Some(&token), &json!({"key": "first"}).to_string()).await;
        assert_eq!(verified.json()["key"]["expires_at"], LAST, "{}", verified.body);

        let id = data[0]["id"].as_str().unwrap();
        let edited = api.patch(&format!("{keys}/{id}"), &json!({"expires_at": null})).await;
        assert_eq!(edited.json()["expires_at"], json!(null));
        let audit = api.get("/v1/orgs/northwind/audit?event=key.updated").await.json();
        assert_eq!(audit["data"][0]["changes"]["expires_at"]["from"], LAST);
        for path in ["/orgs/northwind/audit", "/orgs/northwind/audit?from=2026-01-01&to=9999-12-31"] {
            assert!(owner.get(path).await.text().contains("Dec 31, 9999, 23:59 UTC"), "{path}");
        }
        let within = api.get(&format!("/v1/orgs/northwind/audit?from=0000-01-01T00:00:00Z&to={LAST}&event=key.updated")).await;
        assert_eq!(within.json()["data"].as_array().unwrap().len(), 1, "{}", within.body);
    }

    async fn what_is_later_is_rejected_with_what_to_send(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, owner) = (app.api().await, app.signed_in(&org, "dana", Role::Owner).await);
        for (at, sentence) in [
            ("10000-01-01T00:00:00Z", "must be a time with an offset"),
            ("+010000-01-01T00:00:00Z", "must be a time with an offset"),
            ("9999-12-31T23:59:59-01:00", "must be a time from the years 0000 to 9999 in UTC"),
            ("9999-12-31", "must be a time with an offset"),
        ] {
            let answer = api.post("/v1/orgs/northwind/keys", &json!({"name": "A", "kind": "secret", "expires_at": at})).await;
            assert_eq!(answer.status, 422, "{at}");
            assert!(answer.json()["errors"][0]["detail"].as_str().unwrap().starts_with(sentence), "{at}: {}", answer.body);
        }
        for day in ["10000-01-01", "+10000-01-01", "-000001-01-01", "2027-02-30", "20270131", "31.1.2027", ""] {
            let form = [("name", "Form"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "date"), ("expires_on", day)];
            let answer = owner.submit("/orgs/northwind/keys/new", &form).await;
            assert!(answer.status == 422 && answer.text().contains("such as 2027-01-31"), "{day}: {}", answer.body);
        }
        for days in ["0", "36501", "4294967296", "-1"] {
            let body = format!(r#"{{"name": "A", "kind": "secret", "expires_in_days": {days}}}"#);
            let answer = api.send(axum::http::Method::POST, "/v1/orgs/northwind/keys", &body, &[]).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (422, &json!("expires_in_days")), "{days}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        assert!(app.post_verify(None, "").await.status.is_client_error());
        let key = PlainKey::from_presented("none");
        assert!(app.verify(&key).await.key.is_none());
    }
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
