//! `/v1/orgs/{org}/projects`.

use axum::http::{HeaderName, Method, header};
use serde_json::{Value, json};

use crate::test_app::TestApp;

const PROJECTS: &str = "/v1/orgs/northwind/projects";

on_both! {
    async fn a_project_is_created_shown_renamed_and_deleted(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let created = api.post(PROJECTS, &json!({"name": "Billing"})).await;
        assert_eq!(created.status, 201);
        let project = created.json();
        let id = project["id"].as_str().unwrap();
        let path = format!("{PROJECTS}/{id}");
        assert_eq!(created.header("location"), path);
        assert_eq!(project, json!({"id": id, "name": "Billing", "created_at": "2026-11-21T12:00:00.000Z", "key_count": 0, "agent_count": 0}));
        let shown = api.get(&path).await;
        assert_eq!((shown.json(), shown.header("etag")), (project.clone(), created.header("etag")));

        let key = json!({"name": "Server", "kind": "secret", "project": id});
        let key = api.post("/v1/orgs/northwind/keys", &key).await.json();
        let agent = api.post("/v1/orgs/northwind/agents", &json!({"name": "Helper", "project": id})).await.json();
        let full = api.get(&path).await;
        assert_eq!((&full.json()["key_count"], &full.json()["agent_count"]), (&json!(1), &json!(1)));
        assert_eq!(full.header("etag"), created.header("etag"), "a tag does not depend on the contents of the project");
        let renamed = api.patch(&path, &json!({"name": "Invoices"})).await;
        assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (200, &json!("Invoices")));
        assert_ne!(renamed.header("etag"), created.header("etag"));

        let refused = async || {
            let refused = api.delete(&path).await;
            assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &json!("PROJECT_NOT_EMPTY")));
        };
        refused().await;
        let key = format!("/v1/orgs/northwind/keys/{}", key["id"].as_str().unwrap());
        api.post(&format!("{key}/revoke"), &json!({"reason": "unused"})).await;
        refused().await;
        let agent = format!("/v1/orgs/northwind/agents/{}", agent["public_id"].as_str().unwrap());
        assert_eq!(api.delete(&agent).await.status, 204);
        let deleted = api.delete(&path).await;
        assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
        assert_eq!((api.get(&path).await.status.as_u16(), api.delete(&path).await.status.as_u16()), (404, 404));
        let projects = api.get(PROJECTS).await.json();
        let default = projects["data"][0]["id"].as_str().unwrap();
        assert_eq!(api.get(&key).await.json()["project"], default, "the revoked key moved");
    }

    async fn a_change_is_meant_for_one_state(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let created = api.post(PROJECTS, &json!({"name": "Billing"})).await;
        let (path, old) = (created.header("location").to_owned(), created.header("etag").to_owned());
        let send = async |method: Method, tag: &str, body: &str| {
            api.send(method, &path, body, &[(header::IF_MATCH, tag)]).await
        };
        let renamed = send(Method::PATCH, &old, r#"{"name":"Invoices"}"#).await;
        assert_eq!(renamed.status, 200);
        for (method, body) in [(Method::PATCH, r#"{"name":"Bills"}"#), (Method::DELETE, "")] {
            let refused = send(method, &old, body).await;
            assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (412, &json!("CHANGED_MEANWHILE")));
        }
        assert_eq!(api.get(&path).await.json()["name"], "Invoices");
        assert_eq!(send(Method::DELETE, renamed.header("etag"), "").await.status, 204);
    }

    async fn what_is_refused_is_named(app: &TestApp) {
        app.org("northwind").await;
        app.clock.advance(1);
        let api = app.api().await;
        let made = api.post(PROJECTS, &json!({"name": "Billing"})).await.json();
        let path = format!("{PROJECTS}/{}", made["id"].as_str().unwrap());
        api.post(PROJECTS, &json!({"name": "Support"})).await;
        for (body, field) in [
            (json!({}), "name"), (json!({"name": null}), "name"), (json!({"name": " "}), "name"), (json!({"name": "Support"}), "name"),
            (json!({"name": "Default"}), "name"), (json!({"title": "Bills"}), "title"),
        ] {
            for refused in [api.patch(&path, &body).await, api.post(PROJECTS, &body).await] {
                assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["field"]), (422, &json!(field)), "{body}");
            }
        }
        let list = api.get(PROJECTS).await.json();
        assert_eq!(list["data"][0]["name"], "Default", "{list}");
        let default = format!("{PROJECTS}/{}", list["data"][0]["id"].as_str().unwrap());
        for refused in [api.patch(&default, &json!({"name": "First"})).await, api.delete(&default).await] {
            assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &json!("WRONG_STATE")));
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM projects").await, 3);
    }

    async fn projects_are_listed_page_by_page_and_orgs_are_apart(app: &TestApp) {
        app.org("northwind").await;
        app.org("contoso").await;
        let api = app.api().await;
        for name in ["Z", "A"] {
            app.clock.advance(1);
            api.post(PROJECTS, &json!({"name": name})).await;
        }
        let theirs = api.post("/v1/orgs/contoso/projects", &json!({"name": "A"})).await.json();
        let names = |page: &Value| page["data"].as_array().unwrap().iter().map(|project| project["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let first = api.get(&format!("{PROJECTS}?limit=2")).await.json();
        assert_eq!(names(&first), ["Default", "Z"]);
        let second = api.get(&format!("{PROJECTS}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.json();
        assert_eq!((names(&second), &second["next_cursor"]), (vec!["A".to_owned()], &Value::Null));
        let path = format!("{PROJECTS}/{}", theirs["id"].as_str().unwrap());
        assert_eq!(api.get(&path).await.status, 404);
        assert_eq!(api.patch(&path, &json!({"name": "Mine"})).await.status, 404);
        assert_eq!(api.delete(&path).await.status, 404);
        assert_eq!(api.get(&format!("{PROJECTS}/nonsense")).await.status, 404);
        assert_eq!(api.get(&format!("{PROJECTS}?cursor=x")).await.status, 400);
    }

    async fn a_project_is_created_once_under_an_idempotency_key(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let key = [(HeaderName::from_static("idempotency-key"), "p-1")];
        let send = async || api.send(Method::POST, PROJECTS, r#"{"name":"Billing"}"#, &key).await;
        let (first, again) = (send().await, send().await);
        assert_eq!((first.json(), again.header("idempotent-replayed")), (again.json(), "true"));
        assert_eq!(api.post(PROJECTS, &json!({"name": "Billing"})).await.status, 422);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM projects WHERE name = 'Billing'").await, 1);
    }
}
