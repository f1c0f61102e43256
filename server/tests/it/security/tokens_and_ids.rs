//! Forged form tokens, cookies, IDs and cursors, including NUL, which Postgres does not store in text.

use axum::http::{Method, header};
use latchkey::role::Role;
use serde_json::json;

use crate::test_app::{TestApp, org::agent};

on_both! {
    async fn made_up_tokens_cookies_ids_and_cursors_are_no_fault_of_ours(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let api = app.api().await;
        let key = org.key("Production").await.id;
        let bot = latchkey::agents::create::create(&app.engine, &org.permit(), &agent("Bot", &[])).await.unwrap().public_id;
        let long = "a".repeat(5_000);
        for (typed, in_address) in [("\0", "%00"), ("a\0b", "a%00b"), (long.as_str(), long.as_str()), ("'\"", "%27%22")] {
            let new = [("name", "New"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never"), ("creation_token", typed)];
            let rotation = [("overlap", "0"), ("rotation_token", typed), ("base", typed)];
            let edit = [("name", "Edited"), ("base", typed), ("access", "full"), ("expires", "never")];
            let project = [("change", "rename"), ("project", typed), ("name", "Shop"), ("base", typed)];
            for (path, fields) in [
                ("/orgs/northwind/keys/new".to_owned(), &new[..]),
                (format!("/orgs/northwind/keys/{key}/rotate"), &rotation),
                (format!("/orgs/northwind/keys/{key}/edit"), &edit),
                ("/orgs/northwind/projects".to_owned(), &project),
                (format!("/orgs/northwind/agents/{bot}"), &[("name", "Bot"), ("base", typed), ("project", typed)]),
            ] {
                let answer = owner.submit(&path, fields).await;
                assert!(!answer.status.is_server_error(), "{path} {in_address:.20}: {}", answer.status);
            }
            for path in [
                format!("/orgs/{in_address}/keys"), format!("/orgs/northwind/keys/{in_address}"), format!("/orgs/northwind/agents/{in_address}"),
                format!("/orgs/northwind/keys?after={in_address}"), format!("/orgs/northwind/keys?before={in_address}"),
                format!("/orgs/northwind/keys?project={in_address}"), format!("/orgs/northwind/agents?after={in_address}"),
                format!("/orgs/northwind/audit?before={in_address}"), format!("/orgs/northwind/audit?after={in_address}"),
                format!("/orgs/northwind/audit?actor={in_address}"), format!("/orgs/northwind/audit?target={in_address}"),
                format!("/sign-in?next={in_address}"), format!("/sign-up?setup={in_address}"),
            ] {
                let answer = owner.get(&path).await;
                assert!(!answer.status.is_server_error(), "{path:.60}: {}", answer.status);
            }
            for path in [
                format!("/v1/orgs/{in_address}"), format!("/v1/orgs?cursor={in_address}"), format!("/v1/orgs/northwind/keys/{in_address}"),
                format!("/v1/orgs/northwind/keys?cursor={in_address}"), format!("/v1/orgs/northwind/agents?cursor={in_address}"),
                format!("/v1/orgs/northwind/agents/{in_address}"), format!("/v1/orgs/northwind/projects?cursor={in_address}"),
                format!("/v1/orgs/northwind/projects/{in_address}"), format!("/v1/orgs/northwind/audit?cursor={in_address}"),
            ] {
                let status = api.get(&path).await.status;
                assert!(!status.is_server_error(), "{path:.60}: {status}");
            }
            if let Ok(value) = typed.parse::<axum::http::HeaderValue>() {
                for name in ["latchkey-3000", "latchkey-browser-3000"] {
                    let cookie = format!("{name}={}", value.to_str().unwrap());
                    let request = app.browser().request(Method::GET, "/account").header(header::COOKIE, cookie);
                    let status = app.browser().send(request, "").await.status;
                    assert!(!status.is_server_error(), "{name} {typed:.20}: {status}");
                }
                let headers = [(header::HeaderName::from_static("idempotency-key"), typed)];
                let body = json!({"name": format!("Shop {}", typed.len())}).to_string();
                let status = api.send(Method::POST, "/v1/orgs/northwind/projects", &body, &headers).await.status;
                assert!(!status.is_server_error(), "{typed:.20}: {status}");
            }
        }
    }
}
