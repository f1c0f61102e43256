//! Requests that the API rejects before the key is verified.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use latchkey::key::text::PlainKey;

use crate::test_app::{
    HttpAnswer, TestApp,
    browser::answer_of,
    org::{secret_key, widget_key, with},
};

on_both! {
    async fn a_body_that_will_not_do_is_a_problem_that_names_the_field(app: &TestApp) {
        let token = app.service_token().await;
        let mut text = String::new();
        for body in [
            "", "{", "[]", "null", r#"{"key":1}"#, r#"{"key":"k","key":"k"}"#, r#"{"scopes":"bots:read"}"#,
            r#"{"scopes":[1]}"#, r#"{"scopes":["Not A Scope"]}"#, r#"{"class":"made up"}"#, r#"{"cost":0}"#,
            r#"{"cost":1.5}"#, r#"{"cost":601}"#,
            r#"{"environment":""}"#, r#"{"project":"Default"}"#, r#"{"dry_run":"yes"}"#, r#"{"ip":"localhost"}"#, r#"{"origin":7}"#, "{\"key\":\"\u{fffd}",
        ] {
            let answer = app.post_verify(Some(&token), body).await;
            assert_problem(&answer, 400);
            let problem = answer.json();
            text += &format!("{body} → {} {} {}\n", problem["code"], problem["detail"], problem["errors"]);
        }
        insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"
         → "INVALID_REQUEST" "The request has no body. Send a JSON object with any of `key`, `agent`, `scopes`, `class`, `origin`, `referer`, `user_agent`, `ip`, `environment`, `project`, `cost`, `dry_run`." null
        { → "INVALID_REQUEST" "The body is not valid JSON (line 1, column 1)." null
        [] → "INVALID_REQUEST" "The body must be a JSON object." null
        null → "INVALID_REQUEST" "The body must be a JSON object." null
        {"key":1} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be a string","field":"key"}]
        {"key":"k","key":"k"} → "INVALID_REQUEST" "A field or parameter appears twice. See `errors`." [{"detail":"appears twice. Send it once.","field":"key"}]
        {"scopes":"bots:read"} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be a list of at most 100 items","field":"scopes"}]
        {"scopes":[1]} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"each item must be a string","field":"scopes"}]
        {"scopes":["Not A Scope"]} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"`Not A Scope` is not a valid scope. Scopes have 1 to 64 characters: a–z, 0–9, `:` and `-`.","field":"scopes"}]
        {"class":"made up"} → "INVALID_REQUEST" "Unknown endpoint class." [{"detail":"must be one of default","field":"class"}]
        {"cost":0} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be a whole number from 1 to 10000","field":"cost"}]
        {"cost":1.5} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be a whole number from 1 to 10000","field":"cost"}]
        {"cost":601} → "INVALID_REQUEST" "The cost is above the limit." [{"detail":"must be at most 600: the limit of the class `default` a minute","field":"cost"}]
        {"environment":""} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be one of `live`, `test`","field":"environment"}]
        {"project":"Default"} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"Enter the ID of a project: `prj_` followed by 32 hexadecimal digits.","field":"project"}]
        {"dry_run":"yes"} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be true or false","field":"dry_run"}]
        {"ip":"localhost"} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be an IPv4 or IPv6 address, with or without a port","field":"ip"}]
        {"origin":7} → "INVALID_REQUEST" "Validation failed. See `errors`." [{"detail":"must be a string","field":"origin"}]
        {"key":"� → "INVALID_REQUEST" "The body is not valid JSON (line 1, column 11)." null
        "#) };
    }

    async fn a_restriction_that_is_misspelt_is_not_dropped(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        let token = app.service_token().await;
        let ask = async |field: &str, value: serde_json::Value| {
            let body = serde_json::json!({"key": made.plain.expose(), field: value});
            app.post_verify(Some(&token), &body.to_string()).await
        };
        assert_eq!(ask("scopes", serde_json::json!(["bots:read"])).await.json()["code"], "VALID");
        for (field, value) in [
            ("scope", serde_json::json!("bots:read")),
            ("agent_id", serde_json::json!("agt_1")),
            ("Origin", serde_json::json!("https://evil.example")),
            ("ips", serde_json::json!(null)),
        ] {
            let answer = ask(field, value).await;
            assert_problem(&answer, 400);
            assert_eq!(answer.json()["errors"][0]["field"], field);
        }
    }

    async fn a_parameter_in_the_address_is_refused_where_there_are_none(app: &TestApp) {
        let api = app.api().await;
        let made = app.org("northwind").await.key("Production").await;
        let (key, id) = (serde_json::json!({"key": made.plain.expose()}), made.id);
        for answer in [
            api.post("/v1/verify?scopes=admin", &key).await,
            api.post("/v1/orgs?x=1", &serde_json::json!({"name": "Acme", "slug": "acme"})).await,
            api.get("/v1/orgs/northwind?x=1").await,
            api.get(&format!("/v1/orgs/northwind/keys/{id}?x=1")).await,
            api.post(&format!("/v1/orgs/northwind/keys/{id}/disable?dry_run=true"), &serde_json::json!({})).await,
            api.get("/v1/instances?x").await,
        ] {
            assert_problem(&answer, 400);
            assert_eq!(answer.json()["errors"][0]["detail"], "is unknown. Omit it.");
        }
        assert_eq!(api.get(&format!("/v1/orgs/northwind/keys/{id}")).await.json()["status"], "active");
        assert_eq!(api.post("/v1/verify?", &key).await.json()["code"], "VALID");
    }

    async fn what_an_api_server_passes_on_blank_counts_as_absent(app: &TestApp) {
        let org = app.org("northwind").await;
        let (secret, widget) = (org.key("Production").await, org.create_key(widget_key("Widget", &["shop.example"])).await.unwrap());
        let token = app.service_token().await;
        let ask = async |key: &PlainKey, also: serde_json::Value| {
            let mut body = serde_json::json!({"key": key.expose()});
            body.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
            app.post_verify(Some(&token), &body.to_string()).await.json()["code"].clone()
        };
        for blank in ["", " "] {
            let all = serde_json::json!({"agent": blank, "class": blank, "origin": blank, "referer": blank, "ip": blank});
            assert_eq!(ask(&secret.plain, all.clone()).await, "VALID");
            assert_eq!(ask(&widget.plain, all).await, "ORIGIN_NOT_ALLOWED", "neither Origin nor Referer");
            let referer = serde_json::json!({"origin": blank, "referer": "https://shop.example/cart"});
            assert_eq!(ask(&widget.plain, referer).await, "VALID");
        }
        let sandboxed = serde_json::json!({"origin": "null", "referer": "https://shop.example/cart"});
        assert_eq!(ask(&widget.plain, sandboxed).await, "ORIGIN_NOT_ALLOWED");
    }

    async fn an_address_with_a_port_is_held_against_the_ranges(app: &TestApp) {
        let made = app.org("northwind").await.create_key(with(secret_key("Production"), |settings| {
            settings.ip_ranges = vec!["203.0.113.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        })).await.unwrap();
        let token = app.service_token().await;
        for (ip, code) in [
            ("203.0.113.7:51234", "VALID"), ("[2001:db8::1]:443", "VALID"), ("[2001:db8::1]", "VALID"),
            ("198.51.100.7:51234", "IP_NOT_ALLOWED"), ("[2001:db9::1]:443", "IP_NOT_ALLOWED"), ("", "IP_NOT_ALLOWED"),
        ] {
            let body = serde_json::json!({"key": made.plain.expose(), "ip": ip}).to_string();
            let answer = app.post_verify(Some(&token), &body).await.json();
            assert_eq!(answer["code"], code, "{ip}");
            let says_to_send_it = answer["detail"].as_str().unwrap().contains("has no `ip`");
            assert_eq!(says_to_send_it, ip.is_empty(), "{answer}");
        }
    }

    async fn every_field_of_a_verification_is_known(app: &TestApp) {
        let token = app.service_token().await;
        let body = r#"{"key":null,"agent":null,"cost":3,"ip":"2001:db8::1","scopes":[],"class":"default","origin":null,"referer":null,
            "environment":"live","project":"prj_00000000000000000000000000000000","dry_run":false}"#;
        assert_eq!(app.post_verify(Some(&token), body).await.json()["code"], "MISSING_API_KEY");
    }

    async fn a_token_is_needed_and_must_be_one(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        let none = app.post_verify(None, "{}").await;
        assert_problem(&none, 401);
        assert_eq!(none.header("www-authenticate"), "Bearer realm=\"latchkey\"");
        let token = app.service_token().await;
        let (front, last) = token.expose().split_at(42);
        let mistyped = PlainKey::from_presented(format!("{front}{}", if last == "x" { "y" } else { "x" }));
        for wrong in [&made.plain, &mistyped, &PlainKey::from_presented("nonsense"), &PlainKey::from_presented("")] {
            let answer = app.post_verify(Some(wrong), "{}").await;
            assert_problem(&answer, 401);
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer:?}");
        }
    }

    async fn the_token_is_looked_at_before_the_body(app: &TestApp) {
        assert_problem(&app.post_verify(None, "{").await, 401);
    }

    async fn a_body_that_is_too_large_is_refused(app: &TestApp) {
        let token = app.service_token().await;
        let answer = app.post_verify(Some(&token), &format!(r#"{{"referer":"{}"}}"#, "x".repeat(70_000))).await;
        assert_problem(&answer, 413);
    }

    async fn a_body_that_says_that_it_is_no_json_is_refused(app: &TestApp) {
        let (router, _) = app.server(&[]);
        let api = app.api().await;
        let token = app.service_token().await;
        app.org("northwind").await;
        for (name, value) in [
            (header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CONTENT_ENCODING, "gzip"),
        ] {
            let request = Request::builder().method(Method::POST).uri("/v1/verify").header(&name, value)
                .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
                .body(Body::from("{}")).unwrap();
            let answer = answer_of(&router, request).await;
            assert_problem(&answer, 415);
            assert_eq!(answer.json()["code"], "UNSUPPORTED_MEDIA_TYPE");
            let keys = "/v1/orgs/northwind/keys";
            // The caller adds its own Content-Type, so that the request has two.
            let answer = api.send(Method::POST, keys, r#"{"name":"N","kind":"secret"}"#, &[(name, value)]).await;
            assert_problem(&answer, 415);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }

    async fn other_paths_and_methods_are_problems_too(app: &TestApp) {
        let (router, _) = app.server(&[]);
        let send = async |method, path| {
            answer_of(&router, Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
        };
        for path in ["/v1", "/v1/", "/v1/nothing", "/v1/orgs/", "/openapi.json/", "/openapi.json/x"] {
            for method in [Method::GET, Method::POST] {
                assert_problem(&send(method, path).await, 404);
            }
        }
        for method in [Method::POST, Method::DELETE, Method::PUT] {
            let answer = send(method, "/openapi.json").await;
            assert_problem(&answer, 405);
            assert_eq!(answer.header("allow"), "GET,HEAD");
        }
        assert_problem(&send(Method::POST, "/v1/verify/").await, 404);
        let get = send(Method::GET, "/v1/verify").await;
        assert_problem(&get, 405);
        assert_eq!(get.header("allow"), "POST");
    }

    async fn a_page_of_another_site_may_not_read_the_answer(app: &TestApp) {
        let (router, _) = app.server(&[]);
        let request = Request::builder().method(Method::POST).uri("/v1/verify")
            .header(header::ORIGIN, "https://evil.example")
            .header(header::AUTHORIZATION, format!("Bearer {}", app.service_token().await.expose()))
            .body(Body::from("{}")).unwrap();
        let answer = answer_of(&router, request).await;
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

/// Checks that a response is a problem according to RFC 9457 with this status.
fn assert_problem(answer: &HttpAnswer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    let explained = format!(
        "http://localhost:3000/docs/errors#{}",
        problem["code"].as_str().unwrap()
    );
    assert_eq!(problem["type"], explained);
    assert!(
        problem["title"]
            .as_str()
            .is_some_and(|title| !title.is_empty()),
        "{problem}"
    );
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.ends_with('.')),
        "{problem}"
    );
    assert!(
        problem["code"]
            .as_str()
            .is_some_and(|code| !code.is_empty()),
        "{problem}"
    );
}
