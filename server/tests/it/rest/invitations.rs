//! Invitations in the REST API.

use axum::http::{HeaderName, Method};
use latchkey::role::Role;
use serde_json::{Value, json};

use crate::test_app::TestApp;

const PATH: &str = "/v1/orgs/northwind/invitations";

on_both! {
    async fn an_invitation_is_created_listed_and_withdrawn_and_its_link_shown_once(app: &TestApp) {
        let _org = app.org("northwind").await;
        let api = app.api().await;
        let created = api.post(PATH, &json!({"email": "Kim@Example.com", "role": "admin"})).await;
        assert_eq!((created.status.as_u16(), created.header("cache-control")), (201, "no-store"));
        assert_eq!(created.header("location"), "", "it has no address of its own");
        let created = created.json();
        let url = created["url"].as_str().unwrap().to_owned();
        let path = url.strip_prefix("http://localhost:3000").unwrap();
        assert_eq!(app.browser().get(path).await.status, 200);
        assert_eq!((&created["email"], &created["expires_at"]), (&json!("kim@example.com"), &json!("2026-11-28T12:00:00.000Z")));
        let listed = api.get(PATH).await.json();
        let expected = json!({"id": created["id"], "email": "kim@example.com", "role": "admin", "expires_at": created["expires_at"]});
        assert_eq!((&listed["data"], &listed["next_cursor"]), (&json!([expected]), &Value::Null));
        let of_invitation = format!("{PATH}/{}", created["id"].as_str().unwrap());
        app.org("contoso").await;
        assert_eq!(api.delete(&of_invitation.replace("northwind", "contoso")).await.status, 404);
        assert_eq!(api.delete(&of_invitation).await.status, 204);
        assert_eq!(api.delete(&of_invitation).await.status, 404);
        assert_eq!(app.browser().get(path).await.status, 410);
        let log = api.get("/v1/orgs/northwind/audit?event=member.*").await;
        assert!(!log.body.contains("kim@"), "{}", log.body);
        let entry = &log.json()["data"][0];
        assert_eq!((&entry["event"], &entry["target"]["kind"], &entry["target"]["id"]), (&json!("member.invitation_withdrawn"), &json!("invitation"), &created["id"]));
    }

    async fn a_repeated_request_creates_one_and_shows_no_link(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let key = [(HeaderName::from_static("idempotency-key"), "one")];
        let body = json!({"email": "kim@example.com", "role": "member"}).to_string();
        let first = api.send(Method::POST, PATH, &body, &key).await;
        let again = api.send(Method::POST, PATH, &body, &key).await;
        assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!((&again.json()["id"], &again.json()["url"]), (&first.json()["id"], &Value::Null));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 1);
    }

    async fn members_and_the_hundred_and_first_are_not_invited(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let api = app.api().await;
        let invite = async |email: &str| api.post(PATH, &json!({"email": email, "role": "owner"})).await;
        let member = invite("Dana@northwind.example").await;
        assert_eq!((member.status.as_u16(), &member.json()["code"]), (409, &json!("ALREADY_MEMBER")));
        for number in 0..100 {
            assert_eq!(invite(&format!("p{number}@example.com")).await.status, 201, "{number}");
        }
        let full = invite("one-more@example.com").await;
        assert_eq!((full.status.as_u16(), &full.json()["code"]), (409, &json!("LIMIT_REACHED")));
        // An address that is invited again takes no further place.
        assert_eq!(invite("p0@example.com").await.status, 201);
        let missing = api.post(PATH, &json!({"email": "x@example.com"})).await;
        assert_eq!((missing.status.as_u16(), &missing.json()["errors"][0]["field"]), (422, &json!("role")));
        let wrong = api.post(PATH, &json!({"email": "x", "role": "member"})).await;
        assert_eq!(wrong.json()["errors"][0]["detail"], "Enter an e-mail address such as name@example.com.");
    }
}
