//! `/openapi.json` and the pages generated from it.

use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use latchkey::convention::Convention;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::test_app::TestApp;

// The denial tests check that the described operations exist, by sending a request to each.
#[test]
fn the_description_has_every_route_and_no_other() {
    let description = description("latchkey");
    let routes: BTreeSet<String> = latchkey_server::routes()
        .into_iter()
        .filter(|(_, path)| path.starts_with("/v1/"))
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let described: BTreeSet<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    assert_eq!(routes, described);
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    let description = description("latchkey");
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|summary| !summary.ends_with('.')),
                "{method} {path}"
            );
            for name in ["summary", "operationId"] {
                assert!(
                    operation[name].is_string() && ids.insert(operation[name].to_string()),
                    "{method} {path}: duplicate or missing {name}"
                );
            }
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.contains_key("401") && responses.contains_key("503"),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn the_scopes_and_classes_of_the_instance_are_listed() {
    let agentix = description("agentix");
    let schemas = &agentix["components"]["schemas"];
    assert_eq!(
        schemas["OfferedScope"]["enum"],
        serde_json::json!(["chat", "config", "conversations"])
    );
    assert_eq!(
        schemas["EndpointClass"]["enum"],
        serde_json::json!(["chat", "config"])
    );
    let described = schemas["EndpointClass"]["description"].as_str().unwrap();
    assert!(described.contains("`chat` (60 a minute)"), "{described}");
    for (object, field) in [("NewKey", "scopes"), ("KeyChange", "scopes")] {
        let scopes = schemas[object]["properties"][field]["items"]["$ref"].clone();
        assert_eq!(scopes, "#/components/schemas/OfferedScope", "{object}");
    }
    let none = description("talkifai")["components"]["schemas"]["OfferedScope"].clone();
    assert!(none["enum"].is_null(), "{none}");
    assert_eq!(
        none["description"],
        "A permission of a key. This instance has none."
    );
}

fn description(convention: &str) -> Value {
    let convention = Convention::built_in(convention).unwrap();
    let document = latchkey_server::openapi::document("http://localhost:3000", &convention);
    serde_json::to_value(document).unwrap()
}

on_both! {
    async fn the_description_is_served_and_its_references_lead_somewhere(app: &TestApp) {
        let answer = app.browser().get("/openapi.json").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        let description = answer.json();
        assert_eq!((&description["openapi"], &description["servers"][0]["url"]), (&Value::from("3.1.0"), &Value::from("http://localhost:3000")));
        let mut references = 0;
        for part in answer.body.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(description["components"]["schemas"][name].is_object(), "{name}");
            references += 1;
        }
        assert!(references > 10, "{references}");
    }

    async fn the_documentation_is_rendered_once(app: &TestApp) {
        let router = app.router();
        let body = async |path: &str| {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        };
        for path in ["/docs", "/docs/errors", "/openapi.json"] {
            let (first, second) = (body(path).await, body(path).await);
            assert!(first.len() > 1_000 && first.as_ptr() == second.as_ptr(), "{path}");
        }
    }

    async fn the_pages_show_it_without_script(app: &TestApp) {
        let browser = app.browser();
        let page = browser.get("/docs").await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        let description = browser.get("/openapi.json").await.json();
        for (path, item) in description["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let line = format!("<code>{} {path}</code>", method.to_uppercase());
                assert!(page.body.contains(&line), "{line}");
            }
        }
        assert_eq!(page.body.matches("<details>").count(), page.body.matches("<section>").count(), "each can be opened");
        for part in page.body.split("href=\"#").skip(1) {
            let anchor = part.split('"').next().unwrap();
            assert!(page.body.contains(&format!("id=\"{anchor}\"")), "{anchor} does not exist");
        }
        for page in [&page, &browser.get("/docs/errors").await] {
            assert!(!page.body.contains("<script") && !page.body.contains(" style=\""));
            let policy = page.header("content-security-policy");
            // Leptos's hydration markers.
            assert!(!page.body.contains("<!>"));
            assert!(policy.contains("default-src 'none'") && policy.contains("style-src 'self'") && !policy.contains("script-src"));
        }
    }

    async fn each_code_has_an_anchor_to_which_problems_point(app: &TestApp) {
        let errors = app.browser().get("/docs/errors").await;
        for outcome in latchkey::outcome::Outcome::ALL.iter().filter(|outcome| outcome.code() != "VALID") {
            assert_eq!(errors.body.matches(&format!("id=\"{outcome}\"")).count(), 1, "{outcome}");
        }
        let api = app.api().await;
        let description = app.browser().get("/openapi.json").await.json();
        let codes = description["components"]["schemas"]["ProblemCode"]["enum"].clone();
        for code in codes.as_array().unwrap() {
            assert_eq!(errors.body.matches(&format!("id=\"{}\"", code.as_str().unwrap())).count(), 1, "{code}");
        }
        let problem = api.get("/v1/orgs/no-such-org/keys").await.json();
        assert_eq!(problem["type"], "http://localhost:3000/docs/errors#NOT_FOUND");
        assert!(errors.body.contains(&format!("<h3>{}</h3>", problem["title"].as_str().unwrap())));
    }
}
