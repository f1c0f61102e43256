//! `/v1/orgs/{org}/agents`.

use axum::http::{HeaderName, Method};
use latchkey::{projects, verify::Request};
use serde_json::{Value, json};

use crate::test_app::{TestApp, org::secret_key, said};

const AGENTS: &str = "/v1/orgs/northwind/agents";

on_both! { under "corthex":
    async fn an_agent_is_made_shown_changed_and_deleted(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.create_key(secret_key("Server")).await.unwrap());
        let made = api.post(AGENTS, &json!({"name": "Helper", "domains": ["shop.example"]})).await;
        assert_eq!(made.status, 201);
        let agent = made.json();
        let public_id = agent["public_id"].as_str().unwrap();
        let path = format!("{AGENTS}/{public_id}");
        assert_eq!(made.header("location"), path);
        assert_eq!((&agent["domains"], &agent["public_embedding"]), (&json!(["shop.example"]), &json!(false)));
        assert_eq!(api.get(&path).await.json(), agent);
        let request = Request { key: Some(&key.plain), agent: Some(public_id), ..Request::default() };
        assert_eq!(said(&app.ask(&request).await), "VALID");
        let alone = Request { key: None, origin: Some("https://shop.example"), ..request };
        assert_eq!(said(&app.ask(&alone).await), "MISSING_API_KEY");

        let changed = api.patch(&path, &json!({"public_embedding": true})).await;
        assert_eq!((changed.status.as_u16(), &changed.json()["public_embedding"]), (200, &json!(true)));
        assert_eq!(changed.json()["domains"], json!(["shop.example"]), "omitted fields do not change");
        assert_eq!(said(&app.ask(&alone).await), "VALID", "a change takes effect immediately");
        let renamed = api.patch(&path, &json!({"name": "Guide", "domains": null, "public_embedding": false})).await;
        assert_eq!((&renamed.json()["name"], &renamed.json()["domains"]), (&json!("Guide"), &json!([])));
        assert_eq!(api.patch(&path, &json!({})).await.json(), renamed.json());

        let deleted = api.delete(&path).await;
        assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
        assert_eq!((api.get(&path).await.status.as_u16(), api.delete(&path).await.status.as_u16()), (404, 404));
        assert_eq!(said(&app.ask(&Request { key: Some(&key.plain), agent: Some(public_id), ..Request::default() }).await), "AGENT_NOT_FOUND");
    }

    async fn what_will_not_do_is_named_and_changes_nothing(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let made = api.post(AGENTS, &json!({"name": "Helper"})).await.json();
        let path = format!("{AGENTS}/{}", made["public_id"].as_str().unwrap());
        for (body, field) in [
            (json!({"name": " "}), "name"),
            (json!({"name": null}), "name"),
            (json!({"domains": ["com"]}), "domains"),
            (json!({"domains": "shop.example"}), "domains"),
            (json!({"public_embedding": true}), "domains"),
            (json!({"project": "prj_00000000000000000000000000000000"}), "project"),
            (json!({"public_id": "agt_x"}), "public_id"),
        ] {
            let changed = api.patch(&path, &body).await;
            assert_eq!((changed.status.as_u16(), &changed.json()["errors"][0]["field"]), (422, &json!(field)), "{body}");
            let mut new = json!({"name": "Other"});
            new.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            let refused = api.post(AGENTS, &new).await;
            assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["field"]), (422, &json!(field)), "{body}");
        }
        assert_eq!(api.get(&path).await.json(), made);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM agents").await, 1);
    }

    async fn agents_are_listed_page_by_page_and_orgs_are_apart(app: &TestApp) {
        app.org("northwind").await;
        app.org("contoso").await;
        let api = app.api().await;
        for name in ["A", "B", "C"] {
            app.clock.advance(1);
            api.post(AGENTS, &json!({"name": name})).await;
        }
        let theirs = api.post("/v1/orgs/contoso/agents", &json!({"name": "D"})).await.json();
        let first = api.get(&format!("{AGENTS}?limit=2")).await.json();
        let second = api.get(&format!("{AGENTS}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.json();
        let names = |page: &Value| page["data"].as_array().unwrap().iter().map(|agent| agent["name"].to_string()).collect::<Vec<_>>();
        assert_eq!((names(&first), names(&second)), (vec!["\"A\"".into(), "\"B\"".into()], vec!["\"C\"".into()]));
        assert_eq!(second["next_cursor"], Value::Null);
        assert_eq!((&first["total"], &second["total"]), (&json!(3), &json!(3)));
        let path = format!("{AGENTS}/{}", theirs["public_id"].as_str().unwrap());
        assert_eq!(api.get(&path).await.status, 404);
        assert_eq!(api.patch(&path, &json!({"name": "Mine"})).await.status, 404);
        assert_eq!(api.delete(&path).await.status, 404);
        assert_eq!(api.get(&format!("{AGENTS}?cursor=x")).await.status, 400);
    }

    async fn agents_are_sorted_and_filtered_whatever_becomes_of_those_on_the_page_before(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap().to_string();
        let api = app.api().await;
        for (name, project) in [("beta", None), ("Alpha ~ 1", Some(&shop)), ("gamma", Some(&shop)), ("delta", None)] {
            app.clock.advance(1);
            api.post(AGENTS, &json!({"name": name, "project": project})).await;
        }
        let listed = async |query: &str| {
            let (mut names, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = api.get(&format!("{AGENTS}?limit=1&{query}{cursor}")).await.json();
                names.extend(page["data"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap().to_owned()));
                let Some(next) = page["next_cursor"].as_str() else {
                    return format!("{} of {}", names.join(", "), page["total"]);
                };
                let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                cursor = format!("&cursor={next}");
            }
        };
        assert_eq!(listed("").await, "beta, Alpha ~ 1, gamma, delta of 4");
        assert_eq!(listed("order=desc").await, "delta, gamma, Alpha ~ 1, beta of 4");
        assert_eq!(listed("sort=name").await, "Alpha ~ 1, beta, delta, gamma of 4");
        assert_eq!(listed("sort=name&order=desc").await, "gamma, delta, beta, Alpha ~ 1 of 4");
        assert_eq!(listed(&format!("sort=name&project={shop}")).await, "Alpha ~ 1, gamma of 2");
        let first = api.get(&format!("{AGENTS}?limit=2&sort=name")).await.json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = api.get(&format!("{AGENTS}?sort=name&cursor={cursor}")).await.json();
        let same = api.get(&format!("{AGENTS}?sort=created_at&cursor={cursor}")).await.json();
        assert_eq!(same, second, "a cursor keeps its order");
        api.delete(&format!("{AGENTS}/{}", first["data"][1]["public_id"].as_str().unwrap())).await;
        let second = api.get(&format!("{AGENTS}?sort=name&cursor={cursor}")).await.json();
        assert_eq!((&second["data"][0]["name"], &second["total"]), (&json!("delta"), &json!(3)));
        assert_eq!(api.get(&format!("{AGENTS}?sort=expires_at")).await.status, 400);
    }

    async fn an_agent_is_made_once_under_an_idempotency_key(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let key = [(HeaderName::from_static("idempotency-key"), "a-1")];
        let send = async || api.send(Method::POST, AGENTS, r#"{"name":"Helper"}"#, &key).await;
        let (first, again) = (send().await, send().await);
        assert_eq!((first.json(), again.header("idempotent-replayed")), (again.json(), "true"));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM agents").await, 1);
    }
}
