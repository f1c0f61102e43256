//! Service tokens of one organization: managing them, and what they can access.

use axum::http::Method;
use latchkey::{
    agents,
    audit::security_events::write,
    keys::import::{Format, import},
    service_tokens::TokenScope,
    usage::flush::flush,
};
use serde_json::{Value, json};

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, widget_key},
};

/// The routes that only a token for the whole instance can use.
const INSTANCE_ONLY: [(Method, &str); 17] = [
    (Method::GET, "/v1/instances"),
    (Method::GET, "/v1/orgs"),
    (Method::POST, "/v1/orgs"),
    (Method::GET, "/v1/orgs/{org}"),
    (Method::GET, "/v1/orgs/{org}/tokens"),
    (Method::POST, "/v1/orgs/{org}/tokens"),
    (Method::DELETE, "/v1/orgs/{org}/tokens/{token_id}"),
    (Method::POST, "/v1/orgs/{org}/keys/{id}/reviews"),
    (Method::POST, "/v1/orgs/{org}/reviews/{review_id}/withdraw"),
    (Method::GET, "/v1/orgs/{org}/policies"),
    (Method::PATCH, "/v1/orgs/{org}/policies"),
    (Method::GET, "/v1/orgs/{org}/members"),
    (Method::PATCH, "/v1/orgs/{org}/members/{user_id}"),
    (Method::DELETE, "/v1/orgs/{org}/members/{user_id}"),
    (Method::GET, "/v1/orgs/{org}/invitations"),
    (Method::POST, "/v1/orgs/{org}/invitations"),
    (Method::DELETE, "/v1/orgs/{org}/invitations/{invitation_id}"),
];

/// Whether the token is checked before the organization in the path.
fn is_checked_first(method: &Method, path: &str) -> bool {
    let is_of_org = ["/tokens", "/members", "/invitations"]
        .iter()
        .any(|part| path.contains(part));
    !is_of_org || [Method::POST, Method::PATCH].contains(method)
}

/// Every route of the REST API, with the parts of its path filled in for this organization.
fn rest_routes(org: &str) -> Vec<(Method, String, bool)> {
    let routes = latchkey_server::routes()
        .into_iter()
        .filter(|(_, path)| path.starts_with("/v1/orgs") || path.starts_with("/v1/instances"));
    let filled = routes.map(|(method, path)| {
        let is_instance_only = INSTANCE_ONLY.contains(&(method.clone(), path.as_str()));
        let path = path
            .replace("{org}", org)
            .replace("{id}", "key_00000000000000000000000000000000")
            .replace("{public_id}", "agt_0000000000000000000000")
            .replace("{project_id}", "prj_00000000000000000000000000000000")
            .replace("{token_id}", "svc_00000000000000000000000000000000")
            .replace("{user_id}", "usr_00000000000000000000000000000000")
            .replace("{invitation_id}", "inv_00000000000000000000000000000000")
            .replace("{review_id}", "rev_00000000000000000000000000000000");
        (method, path, is_instance_only)
    });
    filled.collect()
}

on_both! {
    async fn a_token_of_an_organization_reaches_its_operations_there_and_nothing_else(app: &TestApp) {
        let org = app.org("northwind").await;
        app.org("contoso").await;
        let api = app.api_of(Some(&org), TokenScope::Manage).await;
        for (method, path, is_instance_only) in rest_routes("northwind") {
            let answer = api.send(method.clone(), &path, "", &[]).await;
            // Not every answer is JSON, but every rejection.
            let is_denied = answer.status == 403 && answer.json()["code"] == "INSTANCE_TOKEN_REQUIRED";
            assert_eq!(is_denied, is_instance_only, "{method} {path} {}", answer.status);
            assert!(is_denied || answer.status != 403, "{method} {path}");
        }
        for name in ["contoso", "no-such-org"] {
            for (method, path, is_instance_only) in rest_routes(name) {
                let answer = api.send(method.clone(), &path, "", &[]).await;
                let is_before_the_path = is_instance_only && is_checked_first(&method, &path);
                let code = if is_before_the_path { "INSTANCE_TOKEN_REQUIRED" } else { "NOT_FOUND" };
                assert_eq!(answer.json()["code"], code, "{method} {path}");
            }
        }
        let by_id = api.get(&format!("/v1/orgs/{}/keys", org.org.id)).await;
        assert_eq!(by_id.status, 200);
    }

    async fn a_token_of_an_organization_that_only_verifies_manages_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api_of(Some(&org), TokenScope::Verify).await;
        for (method, path, is_instance_only) in rest_routes("northwind") {
            let answer = api.send(method.clone(), &path, "", &[]).await;
            let is_before_the_path = is_instance_only && is_checked_first(&method, &path);
            let code = if is_before_the_path { "INSTANCE_TOKEN_REQUIRED" } else { "INSUFFICIENT_TOKEN_SCOPE" };
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (403, &json!(code)), "{method} {path}");
        }
    }

    async fn anothers_key_and_one_that_does_not_exist_look_the_same(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let (own, foreign) = (org.key("Own").await, other.key("Theirs").await);
        for scope in [TokenScope::Verify, TokenScope::Manage] {
            let token = app.token(Some(&org), scope).await;
            let verify = async |key: &str| {
                app.post_verify(Some(&token), &json!({"key": key}).to_string()).await.json()
            };
            assert_eq!(verify(own.plain.expose()).await["code"], "VALID");
            let unknown = org.key("Gone").await;
            app.database.execute(&format!("DELETE FROM keys WHERE id = '{}'", unknown.id)).await;
            let unknown = verify(unknown.plain.expose()).await;
            assert_eq!(verify(foreign.plain.expose()).await, unknown);
            assert_eq!((&unknown["code"], &unknown["reason"], &unknown["key"]), (&json!("INVALID_API_KEY"), &Value::Null, &Value::Null));
        }
        flush(&app.engine).await.unwrap();
        assert_eq!(app.database.number(&format!("SELECT COUNT(*) FROM usage_subjects WHERE org_id = '{}'", other.org.id)).await, 0);
        assert_eq!(other.summary(foreign.id).await.last_used_at, None);
        assert_ne!(org.summary(own.id).await.last_used_at, None);
    }

    async fn no_text_tells_whether_another_organization_imported_it(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let token = app.token(Some(&org), TokenScope::Verify).await;
        // The shape of our own keys with a wrong checksum, which only imported keys have.
        let texts = ["1", "2"].map(|digit| format!("lk_sk_live_{}", digit.repeat(32)));
        let digest = <sha2::Sha256 as sha2::Digest>::digest(&texts[0]);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let csv = format!("name,sha256\nImported,{digest}\n");
        let report = import(&app.engine, &other.permit(), Format::Csv, &csv, false).await.unwrap();
        assert!(report.imported, "{report:?}");
        let mut answers = Vec::new();
        for text in texts {
            answers.push(app.post_verify(Some(&token), &json!({"key": text}).to_string()).await.json());
        }
        assert_eq!(answers[0], answers[1]);
    }

    async fn denials_of_a_token_are_in_its_organizations_log(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api_of(Some(&org), TokenScope::Verify).await;
        assert_eq!(api.get("/v1/orgs/northwind/keys").await.status, 403);
        write(&app.engine, false).await.unwrap();
        let log = app.api().await.get("/v1/orgs/northwind/audit?event=access.denied").await.json();
        assert_eq!(log["data"][0]["actor"]["kind"], "token", "{log}");
    }

    async fn pages_of_another_organizations_domains_read_no_answer(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        other.create_key(widget_key("Widget", &["shop.example"])).await.unwrap();
        let body = json!({"key": "lk_nothing", "origin": "https://shop.example"}).to_string();
        for (token, reads) in [(app.token(Some(&org), TokenScope::Verify).await, false), (app.service_token().await, true)] {
            let answer = app.post_verify(Some(&token), &body).await;
            assert_eq!(answer.body.contains("access-control-allow-origin"), reads, "{}", answer.body);
        }
    }

    async fn anothers_agent_is_not_found(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let key = org.key("Own").await;
        let agent = agents::create::create(&app.engine, &other.permit(), &agent("Theirs", &[])).await.unwrap();
        let agent = agent.public_id.to_string();
        let token = app.token(Some(&org), TokenScope::Verify).await;
        let body = json!({"key": key.plain.expose(), "agent": agent}).to_string();
        assert_eq!(app.post_verify(Some(&token), &body).await.json()["code"], "AGENT_NOT_FOUND");
        let of_instance = app.service_token().await;
        assert_eq!(app.post_verify(Some(&of_instance), &body).await.json()["code"], "ORG_MISMATCH");
    }

    async fn the_operator_creates_lists_and_revokes_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let path = "/v1/orgs/northwind/tokens";
        let created = api.post(path, &json!({"name": "Deploy", "scope": "manage"})).await;
        assert_eq!((created.status.as_u16(), created.header("cache-control")), (201, "no-store"));
        assert_eq!(created.header("location"), "", "it has no address of its own");
        let created = created.json();
        assert!(created["token"].as_str().unwrap().starts_with("lk_service_"));
        assert_eq!(created["expires_at"], "2027-11-21T12:00:00.000Z");
        let listed = api.get(path).await.json();
        assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["token"]), (&created["id"], &Value::Null));
        assert_eq!((&listed["data"][0]["status"], &listed["next_cursor"]), (&json!("active"), &Value::Null));
        let of_token = format!("{path}/{}", created["id"].as_str().unwrap());
        assert_eq!(api.delete(&of_token).await.status, 204);
        assert_eq!(api.delete(&of_token).await.status, 204);
        assert_eq!(api.get(path).await.json()["data"][0]["status"], "revoked");
        let elsewhere = of_token.replace("northwind", "contoso");
        app.org("contoso").await;
        assert_eq!(api.delete(&elsewhere).await.status, 404);
        let log = api.get("/v1/orgs/northwind/audit?event=token.*").await.json();
        let events: Vec<_> = log["data"].as_array().unwrap().iter().map(|entry| entry["event"].clone()).collect();
        assert_eq!(events, ["token.revoked", "token.created"]);
        assert_eq!(log["data"][0]["target"]["name"], "Deploy");
        drop(org);
    }

    async fn a_revoked_token_of_an_organization_is_out_immediately(app: &TestApp) {
        let org = app.org("northwind").await;
        let token = app.token(Some(&org), TokenScope::Verify).await;
        let key = org.key("Own").await;
        let body = json!({"key": key.plain.expose()}).to_string();
        assert_eq!(app.post_verify(Some(&token), &body).await.status, 200);
        let api = app.api().await;
        let list = api.get("/v1/orgs/northwind/tokens").await.json();
        let id = list["data"][0]["id"].as_str().unwrap();
        api.delete(&format!("/v1/orgs/northwind/tokens/{id}")).await;
        assert_eq!(app.post_verify(Some(&token), &body).await.status, 401);
    }

    async fn an_organization_has_a_bounded_number_of_tokens(app: &TestApp) {
        let org: TestOrg = app.org("northwind").await;
        for _ in 0..100 {
            app.token(Some(&org), TokenScope::Verify).await;
        }
        let api = app.api().await;
        let answer = api.post("/v1/orgs/northwind/tokens", &json!({"name": "One more", "scope": "verify"})).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (409, &json!("LIMIT_REACHED")));
        let page = api.get("/v1/orgs/northwind/tokens?limit=60").await.json();
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = api.get(&format!("/v1/orgs/northwind/tokens?limit=60&cursor={cursor}")).await.json();
        assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (40, &Value::Null));
    }
}
