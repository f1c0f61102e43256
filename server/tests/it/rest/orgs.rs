//! `/v1/orgs`.

use serde_json::json;

use crate::test_app::TestApp;

on_both! {
    async fn an_org_is_made_once_and_found_by_slug_and_id(app: &TestApp) {
        let api = app.api().await;
        let made = api.post("/v1/orgs", &json!({"name": "Northwind", "slug": "northwind"})).await;
        assert_eq!((made.status.as_u16(), made.header("location")), (201, "/v1/orgs/northwind"));
        assert_eq!(made.header("cache-control"), "no-store");
        let org = made.json();
        assert_eq!((&org["name"], &org["slug"]), (&json!("Northwind"), &json!("northwind")));
        for name in ["northwind", org["id"].as_str().unwrap()] {
            assert_eq!(api.get(&format!("/v1/orgs/{name}/keys")).await.status, 200, "{name}");
            assert_eq!(api.get(&format!("/v1/orgs/{name}")).await.json(), org, "{name}");
        }
        let again = api.post("/v1/orgs", &json!({"name": "Other", "slug": "northwind"})).await;
        assert_eq!((again.status.as_u16(), &again.json()["code"]), (409, &json!("SLUG_TAKEN")));
    }

    async fn an_org_that_is_not_there_is_not_found(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        for name in ["southwind", "org_00000000000000000000000000000000", "No%20Slug"] {
            let answer = api.get(&format!("/v1/orgs/{name}")).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (404, &json!("NOT_FOUND")), "{name}");
        }
    }

    async fn fields_that_will_not_do_are_all_named(app: &TestApp) {
        let api = app.api().await;
        for (body, fields) in [
            (json!({}), &["name"][..]),
            (json!({"name": "N"}), &["slug"]),
            (json!({"name": " ", "slug": "No Slug", "plan": 1}), &["name", "plan", "slug"]),
            (json!({"name": null, "slug": "northwind"}), &["name"]),
            (json!({"name": 7, "slug": ["a"]}), &["name", "slug"]),
        ] {
            let answer = api.post("/v1/orgs", &body).await;
            assert_eq!(answer.status, 422, "{body}");
            let problem = answer.json();
            let mut named: Vec<&str> =
                problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
            named.sort_unstable();
            assert_eq!(named, fields, "{body}: {problem}");
        }
        for body in [json!([]), json!("northwind")] {
            assert_eq!(api.post("/v1/orgs", &body).await.status, 400, "{body}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 0);
    }

    async fn a_list_is_read_page_by_page(app: &TestApp) {
        let api = app.api().await;
        for number in 0..5 {
            app.clock.advance(1);
            app.org(&format!("org-{number}")).await;
        }
        let (mut slugs, mut path) = (vec![], "/v1/orgs?limit=2".to_owned());
        loop {
            let page = api.get(&path).await.json();
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= 2);
            slugs.extend(data.iter().map(|org| org["slug"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/orgs?limit=2&cursor={cursor}");
        }
        assert_eq!(slugs, ["org-0", "org-1", "org-2", "org-3", "org-4"]);
        for wrong in ["limit=0", "limit=101", "limit=x", "limit=", "cursor=x", "page=2", "limit=1&limit=2"] {
            let answer = api.get(&format!("/v1/orgs?{wrong}")).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("INVALID_REQUEST")), "{wrong}");
        }
    }
}
