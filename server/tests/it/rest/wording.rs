//! For every invalid request, the response contains a message for the sender about the field, never a message of a
//! parser.

use axum::http::Method;
use latchkey::{agents::create::create, projects, role::Role};
use serde_json::{Value, json};

use crate::test_app::{HttpAnswer, TestApp, api::Api, org::agent};

/// Phrases of the error messages of Rust parsers.
const OF_PARSERS: [&str; 20] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "invalid digit",
    "invalid character",
    "expected ",
    "unknown variant",
    "unknown field",
    "missing field",
    "duplicate field",
    "struct ",
    "u16",
    "u32",
    "u64",
    "i64",
    "parse",
    "deserial",
    " at line",
    "EOF",
    "serde",
];

on_both! {
    async fn every_field_of_every_body_is_rejected_in_words_for_people(app: &TestApp) {
        let (api, paths) = (app.api().await, Paths::of(app).await);
        let values = [
            json!(null), json!(true), json!(0), json!(-1), json!(1.5), json!(1e300), json!(""), json!("\u{0}nonsense"), json!([]),
            json!([1]), json!([[]]), json!([""]), json!({}), json!({"a": 1}), json!(vec!["a"; 600]),
        ];
        let description = app.browser().get("/openapi.json").await.json();
        let mut rejected = 0;
        for (method, path, operation) in operations(&description) {
            let Some(schema) = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str() else { continue };
            let schema = schema.rsplit('/').next().unwrap();
            let path = paths.filled(&path);
            for field in fields_of(&description, schema) {
                for value in &values {
                    let answer = send(&api, &method, &path, &json!({&field: value}).to_string()).await;
                    rejected += usize::from(is_in_words(&answer, &format!("{path} {field} {value}")));
                }
            }
            for body in ["", " ", "{", "[]", "[null]", "7", "\"a\"", "null", "{\"a\":1,\"a\":1}", "{\"a\" 1}", "\u{feff}{}", "{}x"] {
                let answer = send(&api, &method, &path, body).await;
                assert!(is_in_words(&answer, &format!("{path} {body}")), "{path} accepts {body}");
                assert_eq!(answer.status, 400, "{path} {body}");
            }
            let unknown = send(&api, &method, &path, r#"{"no_such_field":1}"#).await;
            let error = unknown.json()["errors"][0].clone();
            assert!(error["detail"].as_str().unwrap().starts_with("is unknown. Use "), "{path}: {error}");
        }
        assert!(rejected > 300, "{rejected}");
    }

    async fn every_parameter_of_every_address_is_rejected_in_words_for_people(app: &TestApp) {
        let (api, paths) = (app.api().await, Paths::of(app).await);
        let mut rejected = 0;
        for (method, path, operation) in operations(&app.browser().get("/openapi.json").await.json()) {
            let path = paths.filled(&path);
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            for parameter in in_query {
                let name = parameter["name"].as_str().unwrap();
                for value in ["", "nonsense", "-1", "1.5", "99999999999999999999", "%00", "%FF", "yesterday", "2026-13-01", "é"] {
                    let answer = send(&api, &method, &format!("{path}?{name}={value}"), "").await;
                    rejected += usize::from(is_in_words(&answer, &format!("{path}?{name}={value}")));
                }
                // A filter that can be repeated.
                if parameter["explode"] == true {
                    continue;
                }
                let twice = send(&api, &method, &format!("{path}?{name}=1&{name}=1"), "").await;
                let error = json!([{"field": name, "detail": "appears twice. Send it once."}]);
                assert_eq!((twice.status.as_u16(), &twice.json()["errors"]), (400, &error), "{path} {name}");
            }
            if method == Method::GET && path.contains("northwind/") && operation["parameters"].to_string().contains("query") {
                let unknown = send(&api, &method, &format!("{path}?no_such_parameter=1"), "").await;
                let detail = unknown.json()["errors"][0]["detail"].clone();
                assert!(detail.as_str().unwrap().starts_with("is unknown. Use "), "{path}: {detail}");
            }
        }
        assert!(rejected > 50, "{rejected}");
    }

    async fn what_was_reported_is_said_so(app: &TestApp) {
        let (api, paths) = (app.api().await, Paths::of(app).await);
        let key = paths.filled("/v1/orgs/{org}/keys/{id}");
        let mut text = String::new();
        for (method, path, body) in [
            (Method::GET, "/v1/orgs/northwind/audit?from=yesterday".to_owned(), ""),
            (Method::GET, "/v1/orgs/northwind/audit?event=key.*&event=agent.*".to_owned(), ""),
            (Method::GET, "/v1/orgs/northwind/audit?key=all&limit=1000&evnet=key.*".to_owned(), ""),
            (Method::GET, "/v1/orgs/northwind/keys?status=broken".to_owned(), ""),
            (Method::POST, format!("{key}/revoke"), ""),
            (Method::POST, format!("{key}/revoke"), "{}"),
            (Method::POST, format!("{key}/revoke"), r#"{"reason":"boredom"}"#),
            (Method::POST, format!("{key}/enable"), ""),
            (Method::POST, format!("{key}/rotate"), r#"{"overlap_seconds":-1}"#),
            (Method::POST, format!("{key}/end-old-secret"), ""),
            (Method::PATCH, key.clone(), r#"{"project":"Default","expires_at":"soon","scopes":[1],"metadata":[]}"#),
            (Method::PATCH, key.clone(), r#"{"scopes":["bots:eat"]}"#),
            (Method::PATCH, key.clone(), r#"{"domains":["shop.example"],"localhost_forbidden":true,"expires_at":"2020-01-01T00:00:00Z"}"#),
            (Method::POST, "/v1/orgs/northwind/keys".to_owned(), r#"{"expires_at":null,"expires_in_days":1}"#),
            (Method::POST, "/v1/orgs/northwind/keys".to_owned(), r#"{"name":"Shop","kind":"widget","expires_at":"2020-01-01T00:00:00Z"}"#),
            (Method::POST, format!("{key}/revoke"), r#"{"reason":"unused"}"#),
            (Method::POST, format!("{key}/revoke"), r#"{"reason":"unused"}"#),
            (Method::POST, format!("{key}/disable"), ""),
            (Method::PATCH, key.clone(), r#"{"name":"Other"}"#),
        ] {
            let answer = send(&api, &method, &path, body).await;
            let shown = path.replace(&key, "KEY").replace("/v1/orgs/northwind/", "");
            text += &format!("{}\n", format!("{method} {shown} {body}").trim_end());
            if answer.status.as_u16() >= 400 {
                let problem = answer.json();
                text += &format!("    {} {}\n", problem["code"].as_str().unwrap(), problem["detail"].as_str().unwrap());
                for error in problem["errors"].as_array().into_iter().flatten() {
                    text += &format!("    {}: {}\n", error["field"].as_str().unwrap(), error["detail"].as_str().unwrap());
                }
            }
        }
        insta::allow_duplicates! { insta::assert_snapshot!(text, @r#"
        GET audit?from=yesterday
            INVALID_REQUEST The query is invalid. See `errors`.
            from: must be a time with an offset (RFC 3339), such as `2026-11-21T12:00:00Z`
        GET audit?event=key.*&event=agent.*
            INVALID_REQUEST A field or parameter appears twice. See `errors`.
            event: appears twice. Send it once.
        GET audit?key=all&limit=1000&evnet=key.*
            INVALID_REQUEST The query is invalid. See `errors`.
            evnet: is unknown. Use any of `limit`, `cursor`, `event`, `key`, `actor`, `from`, `to`.
            key: Enter the ID of a key: `key_` followed by 32 hexadecimal digits.
            limit: must be a whole number from 1 to 100
        GET keys?status=broken
            INVALID_REQUEST The query is invalid. See `errors`.
            status: must be one of `active`, `disabled`, `expired`, `revoked`
        POST KEY/revoke
            INVALID_REQUEST The request has no body. Send a JSON object with `reason`.
        POST KEY/revoke {}
            INVALID_FIELD Validation failed. See `errors`.
            reason: is required. Must be `compromised`, `superseded`, `unused`, `left-team` or `other`.
        POST KEY/revoke {"reason":"boredom"}
            INVALID_FIELD Validation failed. See `errors`.
            reason: must be one of `compromised`, `superseded`, `unused`, `left-team`, `other`
        POST KEY/enable
            WRONG_STATE The key is already active. No action is needed.
        POST KEY/rotate {"overlap_seconds":-1}
            INVALID_FIELD Validation failed. See `errors`.
            overlap_seconds: must be a whole number from 0 to 2592000
        POST KEY/end-old-secret
            WRONG_STATE This key has no old secret that still works. No action is needed.
        PATCH KEY {"project":"Default","expires_at":"soon","scopes":[1],"metadata":[]}
            INVALID_FIELD Validation failed. See `errors`.
            expires_at: must be a time with an offset (RFC 3339), such as `2026-11-21T12:00:00Z`
            metadata: must be an object
            project: Enter the ID of a project: `prj_` followed by 32 hexadecimal digits.
            scopes: each item must be a string
        PATCH KEY {"scopes":["bots:eat"]}
            INVALID_FIELD Validation failed. See `errors`.
            scopes: Unknown scope `bots:eat`. Choose from `bots:read`, `bots:write`, `integrations:read`, `integrations:write`, `channels:read`, `channels:write`, `conversations:read`, `conversations:write`, `agent-loops:read`, `agent-loops:write`, `admin`.
        PATCH KEY {"domains":["shop.example"],"localhost_forbidden":true,"expires_at":"2020-01-01T00:00:00Z"}
            INVALID_FIELD Validation failed. See `errors`.
            domains: Only widget keys have allowed domains. Remove the domains, or create a widget key.
            localhost_forbidden: This key's localhost access cannot be changed.
            expires_at: The expiry date must be in the future.
        POST keys {"expires_at":null,"expires_in_days":1}
            INVALID_FIELD Validation failed. See `errors`.
            kind: is required
            name: is required
            expires_in_days: cannot be combined with `expires_at`. Remove one of them.
        POST keys {"name":"Shop","kind":"widget","expires_at":"2020-01-01T00:00:00Z"}
            INVALID_FIELD Validation failed. See `errors`.
            domains: Enter at least one domain. A widget key works only on its allowed domains.
            expires_at: The expiry date must be in the future.
        POST KEY/revoke {"reason":"unused"}
        POST KEY/revoke {"reason":"unused"}
            WRONG_STATE The key is already revoked. No action is needed.
        POST KEY/disable
            WRONG_STATE The key is revoked, which cannot be undone. Create a new key instead.
        PATCH KEY {"name":"Other"}
            WRONG_STATE This key is revoked and can no longer be changed. Create a new key instead.
        "#) };
    }
}

/// The path parameters of the operations.
struct Paths {
    key: String,
    agent: String,
    project: String,
    user: String,
}

impl Paths {
    async fn of(app: &TestApp) -> Self {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id.to_string();
        let agent = create(&app.engine, &org.permit(), &agent("Helper", &[])).await;
        let agent = agent.unwrap().public_id.to_string();
        let project =
            projects::create(&app.engine, &org.permit(), &"Billing".parse().unwrap()).await;
        let project = project.unwrap().to_string();
        let user = org.person("dana", Role::Owner).await.to_string();
        Self {
            key,
            agent,
            project,
            user,
        }
    }

    fn filled(&self, path: &str) -> String {
        path.replace("{org}", "northwind")
            .replace("{id}", &self.key)
            .replace("{public_id}", &self.agent)
            .replace("{project_id}", &self.project)
            .replace("{user_id}", &self.user)
    }
}

/// The method, path and description of every operation.
fn operations(description: &Value) -> Vec<(Method, String, Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| {
                    let method = method.to_uppercase().parse().unwrap();
                    (method, path.clone(), operation.clone())
                })
        })
        .collect()
}

fn fields_of(description: &Value, schema: &str) -> Vec<String> {
    let properties = &description["components"]["schemas"][schema]["properties"];
    properties.as_object().unwrap().keys().cloned().collect()
}

async fn send(api: &Api, method: &Method, path: &str, body: &str) -> HttpAnswer {
    api.send(method.clone(), path, body, &[]).await
}

/// Checks the wording of a response. Returns whether it is a rejection.
fn is_in_words(answer: &HttpAnswer, asked: &str) -> bool {
    if answer.status.as_u16() < 400 {
        return false;
    }
    let problem = answer.json();
    assert!(
        matches!(answer.status.as_u16(), 400 | 409 | 422),
        "{asked}: {problem}"
    );
    let errors = problem["errors"].as_array().into_iter().flatten();
    let details: Vec<&str> = errors
        .map(|error| &error["detail"])
        .chain([&problem["detail"]])
        .map(|detail| detail.as_str().unwrap())
        .collect();
    for detail in details {
        assert!(detail.len() > 5, "{asked}: {detail}");
        for word in OF_PARSERS {
            assert!(!detail.contains(word), "{asked}: {detail}");
        }
    }
    true
}
