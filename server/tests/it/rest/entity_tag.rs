//! `ETag` and `If-Match`.

use axum::http::{HeaderName, Method, header};
use serde_json::{Value, json};

use crate::test_app::{HttpAnswer, TestApp, api::Api};

const KEYS: &str = "/v1/orgs/northwind/keys";
const AGENTS: &str = "/v1/orgs/northwind/agents";

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
}

fn tag(answer: &HttpAnswer) -> String {
    let tag = answer.header("etag");
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    assert!(inner.is_some_and(|tag| tag.len() == 32), "{answer:?}");
    tag.to_owned()
}

/// Renames something, with so many lines of `If-Match`.
async fn patch(api: &Api, path: &str, name: &str, if_match: &[&str]) -> HttpAnswer {
    let headers: Vec<(HeaderName, &str)> = if_match
        .iter()
        .map(|line| (header::IF_MATCH, *line))
        .collect();
    let body: Value = json!({ "name": name });
    api.send(Method::PATCH, path, &body.to_string(), &headers)
        .await
}
