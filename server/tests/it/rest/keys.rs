//! `/v1/orgs/{org}/keys`.

use axum::http::Method;
use latchkey::{key::text::PlainKey, time::DAY, usage::flush::flush, verify::Request};
use serde_json::{Value, json};

use crate::test_app::{
    NOON, TestApp,
    org::{secret_key, widget_key, with},
    said,
};

const KEYS: &str = "/v1/orgs/northwind/keys";

on_both! {
    async fn a_key_is_made_works_and_is_never_shown_again(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let body = json!({"name": "Production", "kind": "secret", "scopes": ["bots:read"], "notes": "for the shop",
            "ip_ranges": ["192.0.2.0/24"], "metadata": {"plan": "gold"}, "external_id": " user_1 "});
        let made = api.post(KEYS, &body).await;
        assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
        let object = made.json();
        let id = object["id"].as_str().unwrap();
        assert_eq!(made.header("location"), format!("{KEYS}/{id}"));
        let plain = object["key"].as_str().unwrap();
        assert!(app.verify(&PlainKey::from_presented(plain)).await.key.is_some_and(|key| key.id.to_string() == id));
        let shown = api.get(&format!("{KEYS}/{id}")).await;
        let listed = api.get(KEYS).await;
        assert!(!shown.body.contains(plain) && !listed.body.contains(plain));
        let mut without = object.clone();
        without.as_object_mut().unwrap().remove("key");
        // The key was used after it was created.
        let mut shown = shown.json();
        shown["last_used_at"] = Value::Null;
        assert_eq!(shown, without);
        let mut listed = listed.json()["data"][0].clone();
        listed["last_used_at"] = Value::Null;
        assert_eq!(listed, without);
        without["id"] = Value::Null;
        without["project"] = Value::Null;
        without["display"] = Value::Null;
        insta::allow_duplicates! { insta::assert_snapshot!(serde_json::to_string_pretty(&without).unwrap(), @r#"
        {
          "approved_by": null,
          "created_at": "2026-11-21T12:00:00.000Z",
          "created_by": null,
          "disabled_at": null,
          "display": null,
          "domains": [],
          "environment": "live",
          "expires_at": "2027-11-21T12:00:00.000Z",
          "external_id": "user_1",
          "id": null,
          "ip_ranges": [
            "192.0.2.0/24"
          ],
          "kind": "secret",
          "last_used_at": null,
          "localhost_forbidden": false,
          "metadata": {
            "plan": "gold"
          },
          "name": "Production",
          "notes": "for the shop",
          "old_secret": null,
          "project": null,
          "revoke_reason": null,
          "revoked_at": null,
          "scopes": [
            "bots:read"
          ],
          "status": "active"
        }
        "#); }
    }

    async fn keys_are_listed_by_their_external_id(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        for id in [json!("user_1"), json!("user_2"), json!("user_1"), json!(" "), Value::Null] {
            let made = api.post(KEYS, &json!({"name": "Production", "kind": "secret", "external_id": id})).await.json();
            let stored = id.as_str().filter(|id| *id != " ");
            assert_eq!(made["external_id"].as_str(), stored);
        }
        let of = async |query: &str| {
            let list = api.get(&format!("{KEYS}?{query}")).await.json();
            (list["data"].as_array().unwrap().len(), list["total"].as_i64().unwrap())
        };
        assert_eq!(of("external_id=user_1").await, (2, 2));
        assert_eq!(of("external_id=user_1&limit=1").await, (1, 2));
        assert_eq!(of("external_id=user").await, (0, 0));
        assert_eq!(of("external_id=").await, (0, 0), "not all keys");
        assert_eq!(of("q=user").await, (3, 3));
        assert_eq!(of("external_id=%00").await, (0, 0));
    }

    async fn a_key_expires_when_it_was_said_or_as_the_convention_says(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        for (extra, expires) in [
            (json!({}), json!("2027-11-21T12:00:00.000Z")),
            (json!({"expires_in_days": 30}), json!("2026-12-21T12:00:00.000Z")),
            (json!({"expires_at": "2026-12-24T18:00:00+01:00"}), json!("2026-12-24T17:00:00.000Z")),
            (json!({"expires_at": null}), Value::Null),
        ] {
            let mut body = json!({"name": "Production", "kind": "secret"});
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            assert_eq!(api.post(KEYS, &body).await.json()["expires_at"], expires, "{extra}");
        }
    }

    async fn what_will_not_do_is_named_and_nothing_is_made(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        for (extra, field) in [
            (json!({"name": ""}), "name"),
            (json!({"name": "x".repeat(51)}), "name"),
            (json!({"external_id": "x".repeat(256)}), "external_id"),
            (json!({"external_id": "a\nb"}), "external_id"),
            (json!({"external_id": 1}), "external_id"),
            (json!({"kind": "public"}), "kind"),
            (json!({"kind": null}), "kind"),
            (json!({"environment": "staging"}), "environment"),
            (json!({"scopes": ["made:up"]}), "scopes"),
            (json!({"scopes": "bots:read"}), "scopes"),
            (json!({"domains": ["shop.example"]}), "domains"),
            (json!({"kind": "widget"}), "domains"),
            (json!({"kind": "widget", "domains": ["com"]}), "domains"),
            (json!({"expires_at": "2026-11-21T12:00:00Z"}), "expires_at"),
            (json!({"expires_at": "tomorrow"}), "expires_at"),
            (json!({"expires_in_days": 0}), "expires_in_days"),
            (json!({"expires_in_days": 36_501}), "expires_in_days"),
            (json!({"expires_in_days": 1, "expires_at": null}), "expires_in_days"),
            (json!({"notes": "x".repeat(2_001)}), "notes"),
            (json!({"ip_ranges": ["10.0.0.5/8"]}), "ip_ranges"),
            (json!({"localhost_forbidden": true}), "localhost_forbidden"),
            (json!({"name": "\u{200b}"}), "name"),
            (json!({"name": "Pro\u{202e}duction"}), "name"),
            (json!({"metadata": []}), "metadata"),
            (json!({"metadata": {"x": "x".repeat(8_192)}}), "metadata"),
            (json!({"project": "prj_00000000000000000000000000000000"}), "project"),
            (json!({"project": "Default"}), "project"),
            (json!({"status": "active"}), "status"),
        ] {
            let mut body = json!({"name": "Production", "kind": "secret"});
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            let answer = api.post(KEYS, &body).await;
            let problem = answer.json();
            assert_eq!((answer.status.as_u16(), &problem["code"]), (422, &json!("INVALID_FIELD")), "{extra}");
            assert_eq!(problem["errors"][0]["field"], field, "{extra}: {problem}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }

    async fn a_key_is_created_disabled_and_works_when_it_is_enabled(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let created = api.post(KEYS, &json!({"name": "Later", "kind": "secret", "enabled": false})).await;
        assert_eq!(created.status, 201);
        let key = created.json();
        assert_eq!((&key["status"], &key["disabled_at"]), (&json!("disabled"), &json!("2026-11-21T12:00:00.000Z")));
        let plain = PlainKey::from_presented(key["key"].as_str().unwrap());
        assert_eq!(said(&app.verify(&plain).await), "INVALID_API_KEY disabled");
        let path = format!("{KEYS}/{}", key["id"].as_str().unwrap());
        assert_eq!(api.post_nothing(&format!("{path}/enable")).await.json()["status"], "active");
        assert_eq!(said(&app.verify(&plain).await), "VALID");
        let log = api.get("/v1/orgs/northwind/audit").await.json();
        let events: Vec<&str> = log["data"].as_array().unwrap().iter().take(3).map(|entry| entry["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["key.enabled", "key.disabled", "key.created"]);
        let enabled = api.post(KEYS, &json!({"name": "Now", "kind": "secret", "enabled": true})).await.json();
        assert_eq!(enabled["status"], "active");
    }

    async fn pages_on_localhost_are_refused_from_the_start(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let body = json!({"name": "Shop", "kind": "widget", "domains": ["shop.example"], "localhost_forbidden": true});
        let made = api.post(KEYS, &body).await.json();
        assert_eq!(made["localhost_forbidden"], true);
        let plain = PlainKey::from_presented(made["key"].as_str().unwrap());
        let at = async |origin| said(&app.ask(&Request { key: Some(&plain), origin: Some(origin), ..Request::default() }).await);
        assert_eq!((at("http://localhost:3000").await, at("https://shop.example").await), ("ORIGIN_NOT_ALLOWED".into(), "VALID".into()));
    }

    async fn what_is_said_twice_is_kept_once(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let lists = json!({"scopes": ["bots:write", "bots:read", "bots:write"], "domains": ["b.example", "A.example", "a.example.", "b.example"],
            "ip_ranges": ["192.0.2.0/24", "10.0.0.1", "192.0.2.0/24", "10.0.0.1/32"]});
        let mut body = json!({"name": "Shop", "kind": "widget"});
        body.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
        let made = api.post(KEYS, &body).await.json();
        let path = format!("{KEYS}/{}", made["id"].as_str().unwrap());
        let changed = api.patch(&path, &lists).await.json();
        for key in [&made, &changed] {
            assert_eq!(key["scopes"], json!(["bots:write", "bots:read"]));
            assert_eq!(key["domains"], json!(["b.example", "a.example"]));
            assert_eq!(key["ip_ranges"].as_array().unwrap().len(), 2, "{key}");
        }
        let agent = json!({"name": "Helper", "domains": ["a.example", "a.example"]});
        let agents = "/v1/orgs/northwind/agents";
        let agent = api.post(agents, &agent).await.json();
        let path = format!("{agents}/{}", agent["public_id"].as_str().unwrap());
        let changed = api.patch(&path, &json!({"domains": ["a.example", "a.example"]})).await.json();
        assert_eq!((&agent["domains"], &changed["domains"]), (&json!(["a.example"]), &json!(["a.example"])));
    }

    async fn a_body_with_a_field_twice_makes_nothing(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let body = r#"{"name": "Production", "kind": "secret", "kind": "widget"}"#;
        let answer = api.send(Method::POST, KEYS, body, &[]).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (400, &json!("kind")));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }

    async fn a_list_is_filtered_and_read_page_by_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        for number in 0..4 {
            app.clock.advance(1);
            org.key(&format!("Server {number}")).await;
        }
        app.clock.advance(1);
        let shop = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        api.post_nothing(&format!("{KEYS}/{}/disable", shop.id)).await;
        app.org("contoso").await.key("Server 9").await;
        let names = async |query: &str| -> Vec<String> {
            let (mut names, mut cursor) = (vec![], String::new());
            loop {
                let page = api.get(&format!("{KEYS}?limit=3&{query}{cursor}")).await.json();
                names.extend(page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => return names,
                }
            }
        };
        assert_eq!(names("").await, ["Shop", "Server 3", "Server 2", "Server 1", "Server 0"]);
        assert_eq!(names("q=server").await.len(), 4);
        assert_eq!(names("q=ver%203").await, ["Server 3"]);
        assert_eq!(names("kind=widget").await, ["Shop"]);
        assert_eq!(names("kind=secret&environment=live&status=active").await.len(), 4);
        assert_eq!(names("status=disabled").await, ["Shop"]);
        assert!(names("environment=test").await.is_empty() && names("status=revoked").await.is_empty());
        assert!(names("status=expired").await.is_empty());
        for wrong in ["status=gone", "kind=public", "sort=kind", "order=up", "project=Default", "cursor=x", "cursor=key_0~1"] {
            assert_eq!(api.get(&format!("{KEYS}?{wrong}")).await.status, 400, "{wrong}");
        }
    }

    async fn a_list_is_read_in_every_order_which_its_cursors_keep(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        for (name, days) in [("b", Some(30)), ("C", None), ("a", Some(10)), ("D", Some(20))] {
            app.clock.advance(1_000);
            let expires = days.map(|days| app.clock.now().plus(days * DAY));
            let made = org.create_key(with(secret_key(name), |settings| settings.expires_at = expires)).await.unwrap();
            if ["C", "a"].contains(&name) {
                app.verify(&made.plain).await;
            }
        }
        flush(&app.engine).await.unwrap();
        let mut cursors = vec![];
        for (query, expected) in [
            ("", "DaCb"), ("order=asc", "bCaD"), ("sort=created_at", "DaCb"),
            ("sort=name", "abCD"), ("sort=name&order=desc", "DCba"),
            ("sort=last_used_at", "aCDb"), ("sort=last_used_at&order=asc", "bDCa"),
            ("sort=expires_at", "bDaC"), ("sort=expires_at&order=asc", "aDbC"),
        ] {
            let (mut read, mut cursor) = (String::new(), String::new());
            loop {
                let page = api.get(&format!("{KEYS}?limit=2&{query}{cursor}")).await.json();
                assert_eq!(page["total"], 4);
                read.extend(page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursors.push((query, next.to_owned()));
                cursor = format!("&cursor={next}");
            }
            assert_eq!(read, expected, "{query}");
        }
        for (of, cursor) in &cursors {
            let next = api.get(&format!("{KEYS}?cursor={cursor}")).await.json();
            for (other, _) in &cursors {
                let page = api.get(&format!("{KEYS}?{other}&cursor={cursor}")).await.json();
                assert_eq!(page, next, "{of} in {other}");
            }
        }
        for beyond in ["created_at.desc", "expires_at.asc"] {
            let answer = api.get(&format!("{KEYS}?cursor={beyond}.key_00000000000000000000000000000000~9999999999999999999")).await;
            assert_eq!(answer.status, 200, "{beyond}");
        }
    }

    async fn a_total_counts_what_the_filters_let_through(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let project = api.post("/v1/orgs/northwind/projects", &json!({"name": "Billing"})).await.json()["id"].clone();
        for name in ["Alpha", "Bravo", "Charlie"] {
            api.post(KEYS, &json!({"name": name, "kind": "secret", "environment": "test", "project": project})).await;
        }
        org.key("Other").await;
        app.org("contoso").await.key("Theirs").await;
        let project = project.as_str().unwrap();
        for (query, total) in [
            (String::new(), 4), (format!("project={project}"), 3), (format!("project={project}&q=bravo"), 1),
            (format!("project={project}&environment=live"), 0), ("environment=test&status=active&kind=secret".to_owned(), 3),
            ("project=prj_00000000000000000000000000000000".to_owned(), 0),
        ] {
            let page = api.get(&format!("{KEYS}?limit=1&{query}")).await.json();
            assert_eq!((&page["total"], page["data"].as_array().unwrap().len()), (&json!(total), total.min(1)), "{query}");
        }
    }

    async fn a_listed_status_is_the_one_at_the_time(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        api.post(KEYS, &json!({"name": "Short", "kind": "secret", "expires_in_days": 1})).await;
        app.set_time("2026-11-22T12:00:00Z");
        assert!(app.clock.now() > NOON);
        assert_eq!(api.get(&format!("{KEYS}?status=expired")).await.json()["data"][0]["status"], "expired");
        assert_eq!(api.get(&format!("{KEYS}?status=active")).await.json()["data"], json!([]));
    }

    async fn what_is_not_there_is_not_found(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let (api, theirs) = (app.api().await, other.key("Production").await);
        org.key("Production").await;
        for path in [
            "/v1/orgs/no-such-org/keys".to_owned(),
            "/v1/orgs/No%20Slug/keys".to_owned(),
            "/v1/orgs/%ff/keys".to_owned(),
            "/v1/orgs/org_00000000000000000000000000000000/keys".to_owned(),
            format!("{KEYS}/{}", theirs.id),
            format!("{KEYS}/key_00000000000000000000000000000000"),
            format!("{KEYS}/x"),
        ] {
            let answer = api.get(&path).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &json!("NOT_FOUND")), "{path}");
        }
    }
}
