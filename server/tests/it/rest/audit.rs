//! `/v1/orgs/{org}/audit`.

use std::collections::HashSet;

use latchkey::{role::Role, time::SECOND};
use serde_json::{Value, json};

use crate::test_app::{TestApp, api::Api};

const AUDIT: &str = "/v1/orgs/northwind/audit";
const KEYS: &str = "/v1/orgs/northwind/keys";

on_both! {
    async fn a_change_by_a_token_is_an_entry(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let made = api.post(KEYS, &json!({"name": "Production", "kind": "secret"})).await.json();
        let path = format!("{KEYS}/{}", made["id"].as_str().unwrap());
        let change = json!({"name": "Server", "expires_at": "2027-01-01T00:00:00Z"});
        let changed = api.patch(&path, &change).await;
        assert_eq!(api.patch(&path, &change).await.status, 200, "the request changes nothing");
        let answer = api.get(AUDIT).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["next_cursor"]), (200, &Value::Null));
        let entries = answer.json()["data"].clone();
        assert_eq!(words(&entries), ["key.updated", "key.created", "org.created"]);
        let mut entry = entries[0].clone();
        // What happens in other organizations does not show in it.
        let id = format!("{}_3", org.org.id.to_string().replace("org_", "evt_"));
        assert_eq!(entry["id"].take(), id);
        assert_eq!(entry["request_id"].take(), changed.header("x-request-id"));
        assert_eq!(entry["target"]["id"].take(), made["id"]);
        assert!(entry["actor"]["id"].take().as_str().unwrap().starts_with("svc_"));
        insta::allow_duplicates! { insta::assert_snapshot!(serde_json::to_string_pretty(&entry).unwrap(), @r#"
        {
          "actor": {
            "id": null,
            "kind": "token",
            "name": "API"
          },
          "address": null,
          "at": "2026-11-21T12:00:00.000Z",
          "changes": {
            "expires_at": {
              "from": "2027-11-21T12:00:00.000Z",
              "to": "2027-01-01T00:00:00.000Z"
            },
            "name": {
              "from": "Production",
              "to": "Server"
            }
          },
          "client": null,
          "event": "key.updated",
          "id": null,
          "request_id": null,
          "seq": 3,
          "target": {
            "id": null,
            "kind": "key",
            "name": "Server"
          },
          "via": "api"
        }
        "#); }
        let org_created = &entries[2];
        assert_eq!(org_created["actor"], json!({"kind": "command_line", "id": null, "name": null}));
        assert_eq!(org_created["target"], json!({"kind": "org", "id": org.org.id.to_string(), "name": "northwind"}));
        assert_eq!((&org_created["via"], &org_created["request_id"]), (&json!("cli"), &Value::Null));
    }

    async fn what_people_do_on_pages_is_under_their_name(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id.to_string();
        let api = app.api().await;
        for name in ["dana", "ari"] {
            let person = app.signed_in(&org, name, Role::Owner).await;
            for change in ["disable", "enable"] {
                let answer = person.change_key(&key, change).await;
                assert_eq!(answer.status, 303, "{name} {change}: {}", answer.body);
            }
            let entry = &list(&api, "limit=1").await[0];
            assert_eq!((&entry["event"], &entry["via"], &entry["address"]), (&json!("key.enabled"), &json!("page"), &json!("192.0.2.1")));
            let actor = &entry["actor"];
            assert_eq!((&actor["kind"], &actor["name"]), (&json!("user"), &json!(name)));
            let of_actor = list(&api, &format!("actor={}", actor["id"].as_str().unwrap())).await;
            assert!(words(&of_actor).starts_with(&["key.enabled".into(), "key.disabled".into()]), "{of_actor}");
        }
        let by_token = api.post_nothing(&format!("{KEYS}/{key}/disable")).await;
        assert_eq!(by_token.status, 200);
        let actor = list(&api, "limit=1").await[0]["actor"].clone();
        assert_eq!((&actor["kind"], &actor["name"]), (&json!("token"), &json!("API")));
        let of_token = list(&api, &format!("actor={}", actor["id"].as_str().unwrap())).await;
        assert_eq!(words(&of_token), ["key.disabled"]);
    }

    async fn a_change_of_many_keys_has_one_entry_for_each_under_one_request(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut ids = [org.key("One").await.id.to_string(), org.key("Two").await.id.to_string()];
        ids.sort_unstable();
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [("keys", &*ids[0]), ("keys", &*ids[1]), ("change", "disable"), ("answered", "yes")];
        let done = owner.submit("/orgs/northwind/keys", &fields).await;
        assert_eq!(done.status, 303);
        let entries = list(&app.api().await, "event=key.disabled").await;
        let mut disabled: Vec<&str> = entries.as_array().unwrap().iter().map(|entry| {
            assert_eq!(entry["request_id"], done.header("x-request-id"));
            entry["target"]["id"].as_str().unwrap()
        }).collect();
        disabled.sort_unstable();
        assert_eq!(disabled, ids);
    }

    async fn every_entry_is_paged_through_once_while_new_ones_are_written(app: &TestApp) {
        let org = app.org("northwind").await;
        for number in 0..6 {
            org.key(&format!("Key {number}")).await;
            app.clock.advance(SECOND);
        }
        let api = app.api().await;
        let (mut seqs, mut path) = (vec![], format!("{AUDIT}?limit=2"));
        loop {
            let page = api.get(&path).await.json();
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= 2);
            seqs.extend(data.iter().map(|entry| entry["seq"].as_i64().unwrap()));
            org.key("New").await;
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("{AUDIT}?limit=2&cursor={cursor}");
        }
        assert_eq!(seqs, [7, 6, 5, 4, 3, 2, 1]);
        let all = list(&api, "").await;
        let ids: HashSet<&str> = all.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 7 + 4);
    }

    async fn entries_are_filtered(app: &TestApp) {
        let org = app.org("northwind").await;
        let one = org.key("One").await.id.to_string();
        app.clock.advance(SECOND);
        org.key("Two").await;
        app.clock.advance(SECOND);
        let api = app.api().await;
        assert_eq!(api.post_nothing(&format!("{KEYS}/{one}/disable")).await.status, 200);
        let all = ["key.disabled", "key.created", "key.created", "org.created"];
        let filtered = async |query: &str| words(&list(&api, query).await);
        for (query, expected) in [
            ("", &all[..]),
            ("event=key.*", &all[..3]),
            ("event=org.created", &all[3..]),
            ("event=agent.*", &[]),
            (&format!("key={one}"), &["key.disabled", "key.created"]),
            (&format!("key={one}&event=key.created"), &all[1..2]),
            ("key=key_00000000000000000000000000000000", &[]),
            ("actor=usr_00000000000000000000000000000000", &[]),
            ("from=2026-11-21T12:00:01Z", &all[..2]),
            ("from=2026-11-21T12:00:01.0001Z", &all[..1]),
            ("from=2026-11-21T13:00:02%2B01:00", &all[..1]),
            ("to=2026-11-21T12:00:01Z", &all[2..]),
            ("from=2026-11-21T12:00:01Z&to=2026-11-21T12:00:02Z", &all[1..2]),
            ("limit=3", &all[..3]),
        ] {
            assert_eq!(filtered(query).await, expected, "{query}");
        }
        let page = api.get(&format!("{AUDIT}?event=key.created&limit=1")).await.json();
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(filtered(&format!("event=key.created&cursor={cursor}")).await, all[1..2]);
    }

    async fn a_filter_that_is_unknown_or_invalid_is_rejected_by_name(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        for query in [
            "limit=0", "limit=101", "limit=many", "limit=", "cursor=", "cursor=0", "cursor=-1", "cursor=%2B1", "cursor=01",
            "cursor=org_00000000000000000000000000000000", "cursor=99999999999999999999", "event=", "event=key", "event=*",
            "event=key.eaten", "event=KEY.CREATED", "key=", "key=all", "key=usr_00000000000000000000000000000000", "actor=",
            "actor=dana", "actor=key_00000000000000000000000000000000", "from=yesterday", "from=2026-11-21",
            "from=2026-11-21T12:00:00", "from=1795262400000", "to=", "to=2026-13-01T00:00:00Z", "page=2", "target=x",
        ] {
            let answer = api.get(&format!("{AUDIT}?limit=10&{query}").replace("limit=10&limit", "limit")).await;
            let problem = answer.json();
            assert_eq!((answer.status.as_u16(), &problem["code"]), (400, &json!("INVALID_REQUEST")), "{query}");
            let errors = problem["errors"].as_array().unwrap();
            let field = query.split('=').next().unwrap();
            assert_eq!((errors.len(), &errors[0]["field"]), (1, &json!(field)), "{query}: {problem}");
        }
        assert_eq!(api.get(&format!("{AUDIT}?limit=1&limit=2")).await.status, 400);
    }

    async fn another_orgs_entries_are_not_in_the_list(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        org.key("Ours").await;
        let theirs = other.key("Theirs").await.id;
        let api = app.api().await;
        let answer = api.get(AUDIT).await;
        assert_eq!(words(&answer.json()["data"]), ["key.created", "org.created"]);
        assert!(!answer.body.contains("Theirs") && !answer.body.contains("contoso"), "{}", answer.body);
        assert_eq!(list(&api, &format!("key={theirs}")).await, json!([]));
        let seqs: Vec<i64> = list(&api, "").await.as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, [2, 1]);
    }

    async fn what_was_deleted_has_no_name(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let agent = api.post("/v1/orgs/northwind/agents", &json!({"name": "Helper"})).await.json();
        let path = format!("/v1/orgs/northwind/agents/{}", agent["public_id"].as_str().unwrap());
        assert_eq!(api.delete(&path).await.status, 204);
        let entries = list(&api, "event=agent.*").await;
        assert_eq!(words(&entries), ["agent.deleted", "agent.created"]);
        assert_eq!(entries[1]["target"], json!({"kind": "agent", "id": agent["id"], "name": null}));
    }
}

/// The entries of one page.
async fn list(api: &Api, query: &str) -> Value {
    let answer = api.get(&format!("{AUDIT}?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.json()["data"].clone()
}

fn words(entries: &Value) -> Vec<String> {
    let entries = entries.as_array().unwrap().iter();
    entries
        .map(|entry| entry["event"].as_str().unwrap().to_owned())
        .collect()
}
