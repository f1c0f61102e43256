//! `ETag` and `If-Match`.

use std::collections::BTreeSet;

use axum::http::{HeaderName, Method, header};
use serde_json::{Value, json};

use crate::test_app::{HttpAnswer, TestApp, api::Api};

const KEYS: &str = "/v1/orgs/northwind/keys";
const AGENTS: &str = "/v1/orgs/northwind/agents";
const PROJECTS: &str = "/v1/orgs/northwind/projects";

on_both! {
    async fn a_change_meant_for_another_state_is_refused(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let made = [
            (KEYS, "id", api.post(KEYS, &json!({"name": "Server", "kind": "secret"})).await),
            (AGENTS, "public_id", api.post(AGENTS, &json!({"name": "Server"})).await),
        ];
        for (list, id, made) in made {
            let path = format!("{list}/{}", made.json()[id].as_str().unwrap());
            let first = tag(&made);
            assert_eq!(tag(&api.get(&path).await), first);
            let renamed = patch(&api, &path, "Renamed", &[&first]).await;
            assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (200, &json!("Renamed")));
            let second = tag(&renamed);
            assert_ne!(second, first);
            assert_eq!(tag(&api.get(&path).await), second);

            for outdated in [&[first.as_str()][..], &["\"\"", "\"x\""], &[&format!("W/{second}")]] {
                let refused = patch(&api, &path, "Other", outdated).await;
                assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (412, &json!("CHANGED_MEANWHILE")), "{outdated:?}");
            }
            for malformed in ["", "x", "\"x", "*, \"x\"", &second.replace('"', "")] {
                let refused = patch(&api, &path, "Other", &[malformed]).await;
                assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (400, &json!("INVALID_REQUEST")), "{malformed}");
            }
            assert_eq!(tag(&api.get(&path).await), second, "nothing was changed");

            for (round, current) in [&["*"][..], &["W/\"x\"", &second], &[&format!("\"x\" ,{second}")], &[]].into_iter().enumerate() {
                let changed = patch(&api, &path, &format!("Server {round}"), current).await;
                assert_eq!(changed.status, 200, "{current:?}: {}", changed.body);
                patch(&api, &path, "Renamed", &[]).await;
            }
            assert_eq!(tag(&api.get(&path).await), second, "the same state has the same tag");
        }
    }

    async fn the_tag_of_a_key_changes_with_all_that_people_change_and_not_with_use(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("{KEYS}/{}", made.id);
        let mut tags = vec![tag(&api.get(&path).await)];
        app.verify(&made.plain).await;
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        let used = api.get(&path).await;
        assert!(used.json()["last_used_at"].is_string());
        assert_eq!([tag(&used)], *tags);
        for change in [
            json!({"name": "Server"}), json!({"scopes": ["bots:read", "bots:write"]}), json!({"scopes": ["bots:write", "bots:read"]}),
            json!({"ip_ranges": ["10.0.0.0/8"]}), json!({"expires_at": "2027-01-01T00:00:00Z"}), json!({"notes": "x"}), json!({"metadata": {"a": 1}}),
        ] {
            tags.push(tag(&api.patch(&path, &change).await));
        }
        tags.push(tag(&api.post_nothing(&format!("{path}/disable")).await));
        api.post_nothing(&format!("{path}/enable")).await;
        app.clock.advance(2_000);
        tags.push(tag(&api.post(&format!("{path}/rotate"), &json!({"overlap_seconds": 0})).await));
        app.clock.advance(2_000);
        tags.push(tag(&api.post(&format!("{path}/rotate"), &json!({"overlap_seconds": 60})).await));
        app.clock.advance(2_000);
        tags.push(tag(&api.post_nothing(&format!("{path}/end-old-secret")).await));
        app.clock.advance(60_000);
        assert_eq!(Some(&tag(&api.get(&path).await)), tags.last(), "time changes nothing");
        let all = tags.len();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), all, "{tags:?}");
    }

    async fn what_is_not_found_or_ended_is_said_first(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("{KEYS}/{}", made.id);
        let nobodys = patch(&api, &format!("{KEYS}/key_00000000000000000000000000000000"), "Other", &["\"x\""]).await;
        assert_eq!(nobodys.status, 404);
        api.post(&format!("{path}/revoke"), &json!({"reason": "other"})).await;
        let revoked = patch(&api, &path, "Other", &["\"x\""]).await;
        assert_eq!((revoked.status.as_u16(), &revoked.json()["code"]), (409, &json!("WRONG_STATE")));
    }

    async fn every_change_of_one_thing_keeps_to_if_match(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let description = app.browser().get("/openapi.json").await.json();
        let mut sent = BTreeSet::new();
        for (method, template) in conditional(&description) {
            let at = format!("{method} {template}");
            let (path, body) = furnished(app, &api, &method, &template).await;
            let send = async |path: &str, if_match: &str| api.send(method.clone(), path, body, &[(header::IF_MATCH, if_match)]).await;
            let thing = thing(&path);
            let before = api.get(&thing).await;
            let outdated = send(&path, "\"00000000000000000000000000000000\"").await;
            assert_eq!((outdated.status.as_u16(), &outdated.json()["code"]), (412, &json!("CHANGED_MEANWHILE")), "{at}");
            assert_eq!(send(&path, "no tag").await.status, 400, "{at}");
            let after = api.get(&thing).await;
            assert_eq!((tag(&after), &after.body), (tag(&before), &before.body), "{at} changed something");
            let done = send(&path, &tag(&after)).await;
            assert!(done.status.is_success(), "{at}: {} {}", done.status, done.body);
            assert_eq!(send(&path.replace("northwind", "no-such-org"), "\"x\"").await.status, 404, "{at}");
            sent.insert(at);
        }
        assert_eq!(sent.len(), 10, "{sent:?}");
    }

    async fn of_two_changes_meant_for_one_state_one_is_made(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        for _ in 0..8 {
            let path = format!("{KEYS}/{}", org.key("Production").await.id);
            let first = tag(&api.get(&path).await);
            let headers = [(header::IF_MATCH, first.as_str())];
            let (rotate, revoke) = (format!("{path}/rotate"), format!("{path}/revoke"));
            let answers = tokio::join!(
                api.send(Method::PATCH, &path, r#"{"name":"Renamed"}"#, &headers),
                api.send(Method::POST, &rotate, r#"{"overlap_seconds":60}"#, &headers),
                api.send(Method::POST, &revoke, r#"{"reason":"other"}"#, &headers),
            );
            let statuses = [answers.0, answers.1, answers.2].map(|answer| answer.status.as_u16());
            assert_eq!(statuses.iter().filter(|status| matches!(status, 200 | 201)).count(), 1, "{statuses:?}");
        }
    }

    async fn a_repeated_rotation_is_answered_although_its_tag_is_outdated(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("{KEYS}/{}", made.id);
        let first = tag(&api.get(&path).await);
        let headers = [(header::IF_MATCH, first.as_str()), (HeaderName::from_static("idempotency-key"), "once")];
        let rotate = async || api.send(Method::POST, &format!("{path}/rotate"), r#"{"overlap_seconds":60}"#, &headers).await;
        let (rotated, again) = (rotate().await, rotate().await);
        assert_eq!((rotated.status.as_u16(), again.status.as_u16()), (201, 201), "{}", again.body);
        assert_eq!((again.header("idempotent-replayed"), tag(&again)), ("true", tag(&rotated)));
    }
}

/// The method and path of every operation that changes a single object.
fn conditional(description: &Value) -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array();
            let names = parameters
                .into_iter()
                .flatten()
                .map(|parameter| parameter["name"].as_str().unwrap());
            let names: Vec<&str> = names.collect();
            let changes_one = method != "get"
                && !path.ends_with("/reviews")
                && ["id", "public_id", "project_id"]
                    .iter()
                    .any(|id| names.contains(id));
            assert_eq!(changes_one, names.contains(&"If-Match"), "{method} {path}");
            if changes_one {
                found.push((method.to_uppercase().parse().unwrap(), path.clone()));
            }
        }
    }
    found
}

/// Creates an object that the operation can change, and returns its path and the body to send.
async fn furnished(
    app: &TestApp,
    api: &Api,
    method: &Method,
    template: &str,
) -> (String, &'static str) {
    let list = match template {
        _ if template.contains("{id}") => KEYS,
        _ if template.contains("{public_id}") => AGENTS,
        _ => PROJECTS,
    };
    let new = match list {
        KEYS => json!({"name": "New", "kind": "secret"}),
        _ => json!({"name": "New"}),
    };
    let made = api.post(list, &new).await.json();
    let id = made["public_id"].as_str().or(made["id"].as_str()).unwrap();
    let path = template
        .replace("{org}", "northwind")
        .replace("{id}", id)
        .replace("{public_id}", id)
        .replace("{project_id}", id);
    let body = match path.rsplit('/').next().unwrap() {
        "enable" => {
            api.post_nothing(&path.replace("enable", "disable")).await;
            ""
        }
        "end-old-secret" => {
            app.clock.advance(2_000);
            let rotate = path.replace("end-old-secret", "rotate");
            api.post(&rotate, &json!({"overlap_seconds": 60})).await;
            ""
        }
        "disable" => "",
        _ if method == Method::DELETE => "",
        "rotate" => r#"{"overlap_seconds":60}"#,
        "revoke" => r#"{"reason":"other"}"#,
        _ => r#"{"name":"Renamed"}"#,
    };
    (path, body)
}

/// The path of the object that an operation changes.
fn thing(path: &str) -> String {
    path.split('/').take(6).collect::<Vec<_>>().join("/")
}

fn tag(answer: &HttpAnswer) -> String {
    let tag = answer.header("etag");
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    assert!(inner.is_some_and(|tag| tag.len() == 32), "{answer:?}");
    tag.to_owned()
}

/// Renames an object, with these `If-Match` headers.
async fn patch(api: &Api, path: &str, name: &str, if_match: &[&str]) -> HttpAnswer {
    let headers: Vec<(HeaderName, &str)> = if_match
        .iter()
        .map(|line| (header::IF_MATCH, *line))
        .collect();
    let body: Value = json!({ "name": name });
    api.send(Method::PATCH, path, &body.to_string(), &headers)
        .await
}
