//! The error at each interface when an org has reached its limits.

use latchkey::{limits::Limits, role::Role};
use serde_json::json;

use crate::test_app::{TestApp, org::PASSWORD};

const KEYS: &str = "This organization can have at most 1 keys. Revoke keys that are no longer needed, or ask the operator to \
     raise “keys_per_org”.";
const DIGEST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

on_both! {
    async fn the_api_says_which_limit_is_reached(app: &TestApp) {
        let limits = Limits { keys: 1, agents: 1, projects: 1, members: 9, domains: 1 };
        let engine = app.another_engine(|settings| settings.limits = limits).await;
        let api = app.api_on(&engine).await;
        app.org("northwind").await;
        let org = "/v1/orgs/northwind";
        let key = json!({"name": "Shop", "kind": "widget", "domains": ["a.example"]});
        let made = api.post(&format!("{org}/keys"), &key).await.json();
        let agent = api.post(&format!("{org}/agents"), &json!({"name": "Bot"})).await.json();
        let key_path = format!("{org}/keys/{}", made["id"].as_str().unwrap());
        let agent_path = format!("{org}/agents/{}", agent["public_id"].as_str().unwrap());
        for (answer, setting) in [
            (api.post(&format!("{org}/keys"), &json!({"name": "Second", "kind": "secret"})).await, "keys_per_org"),
            (api.post(&format!("{org}/keys/import"), &json!([{"name": "Old", "sha256": DIGEST}])).await, "keys_per_org"),
            (api.post(&format!("{org}/keys/import?dry_run=true"), &json!([{"name": "Old", "sha256": DIGEST}])).await, "keys_per_org"),
            (api.patch(&key_path, &json!({"domains": ["a.example", "b.example"]})).await, "domains_per_org"),
            (api.post(&format!("{org}/agents"), &json!({"name": "Second"})).await, "agents_per_org"),
            (api.patch(&agent_path, &json!({"domains": ["b.example"]})).await, "domains_per_org"),
            (api.post(&format!("{org}/projects"), &json!({"name": "Second"})).await, "projects_per_org"),
        ] {
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (409, &json!("LIMIT_REACHED")), "{}", answer.body);
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.ends_with(&format!("or ask the operator to raise `{setting}`.")), "{detail}");
        }
        let many: Vec<String> = (0..501).map(|number| format!("a{number}.example")).collect();
        for answer in [
            api.patch(&agent_path, &json!({"domains": many})).await,
            api.post(&format!("{org}/agents"), &json!({"name": "Third", "domains": many})).await,
        ] {
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (422, &json!("domains")), "{}", answer.body);
        }
        engine.db().close().await;
    }

    async fn pages_say_which_limit_is_reached_and_keep_what_was_typed(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let limits = Limits { keys: 1, agents: 1, projects: 1, members: 9, domains: 1 };
        let engine = app.another_engine(|settings| settings.limits = limits).await;
        let owner = app.browser_on(&engine);
        owner.sign_in("dana@northwind.example", PASSWORD).await;
        let new = [("name", "Typed name"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never")];
        let first = owner.submit("/orgs/northwind/keys/new", &new).await;
        assert_eq!(first.status, 200, "{}", first.text());
        let agent = [("name", "Typed name"), ("domains", "a.example")];
        assert_eq!(owner.submit("/orgs/northwind/agents/new", &agent).await.status, 303);
        let file = format!("name,sha256\nOld,{DIGEST}\n");
        for (path, fields, sentence) in [
            ("/orgs/northwind/keys/new", &new[..], KEYS),
            ("/orgs/northwind/keys/import", &[("format", "csv"), ("text", &*file), ("go", "import")], KEYS),
            ("/orgs/northwind/agents/new", &agent, "raise “agents_per_org”."),
            ("/orgs/northwind/projects", &[("change", "create"), ("name", "Typed name")], "raise “projects_per_org”."),
        ] {
            let full = owner.submit(path, fields).await;
            assert_eq!(full.status, 422, "{path}");
            assert!(full.text().contains(sentence), "{path}: {}", full.text());
            assert!(path.ends_with("import") || full.body.contains("Typed name"), "{path}");
        }
        let many: Vec<String> = (0..501).map(|number| format!("a{number}.example")).collect();
        let many = many.join("\n");
        let full = owner.submit("/orgs/northwind/agents/new", &[("name", "Other"), ("domains", &many)]).await;
        assert!(full.status == 422 && full.text().contains("At most 500 domains are allowed."), "{}", full.text());
        engine.db().close().await;
    }
}
