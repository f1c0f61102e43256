//! All routes, and the valid request of each.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;
use url::form_urlencoded;

use crate::{
    denials::table,
    test_app::{Browser, TestApp},
};

/// Parameters that pages read, including those that no link contains.
const PARAMETERS: [&str; 20] = [
    "q",
    "status",
    "kind",
    "environment",
    "sort",
    "dir",
    "after",
    "before",
    "range",
    "event",
    "key",
    "actor",
    "from",
    "to",
    "revoke",
    "reason",
    "next",
    "email",
    "setup",
    "no_such_parameter",
];

/// A route, and its valid request.
#[derive(Debug, Clone)]
pub enum Door {
    /// An operation of the API.
    Operation {
        method: Method,
        path: String,
        parameters: Vec<String>,
        body: Vec<(String, Value)>,
        is_list: bool,
    },
    /// A page, form or server function, with the form that the denial table sends.
    Browser {
        method: Method,
        path: String,
        fields: String,
        names: Vec<String>,
    },
}

/// Returns every route.
pub async fn doors(app: &TestApp, owner: &Browser) -> Vec<Door> {
    let description = app.browser().get("/openapi.json").await.json();
    let mut doors = operations(&description);
    let of_api = doors.len();
    for entry in table::entries() {
        if entry.path.starts_with("/v1/") {
            continue;
        }
        let page = entry
            .path
            .replace("{org}", "northwind")
            .replace("{org_id}", "%FF")
            .replace("{agent}", table::AGENT)
            .replace("{token}", table::TOKEN)
            .replace("{link}", table::LINK);
        let page = owner.get(&page).await.body;
        let mut names: BTreeSet<String> = names_in(&page);
        names.extend(PARAMETERS.map(str::to_owned));
        names.extend(
            form_urlencoded::parse(entry.fields.as_bytes()).map(|(name, _)| name.into_owned()),
        );
        doors.push(Door::Browser {
            method: entry.method.clone(),
            path: entry.path.to_owned(),
            fields: entry.fields.to_owned(),
            names: names.into_iter().collect(),
        });
    }
    assert!(
        of_api > 25 && doors.len() > of_api + 50,
        "{of_api} {}",
        doors.len()
    );
    doors
}

/// Returns the names of a page's fields and of its links' parameters.
fn names_in(page: &str) -> BTreeSet<String> {
    let fields = page
        .split("name=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let links = page
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next()?.split_once('?'));
    let parameters = links.flat_map(|(_, query)| {
        query
            .split("&amp;")
            .filter_map(|pair| pair.split('=').next())
    });
    fields.chain(parameters).map(str::to_owned).collect()
}

fn operations(description: &Value) -> Vec<Door> {
    let mut doors = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|parameter| parameter["in"] == "query");
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let is_list = schema["type"] == "array";
            let schema = if is_list { &schema["items"] } else { schema };
            let name = schema["$ref"]
                .as_str()
                .and_then(|name| name.rsplit('/').next());
            let schema = name.map(|name| &description["components"]["schemas"][name]);
            let properties = schema.and_then(|schema| schema["properties"].as_object());
            let body = properties.into_iter().flatten();
            doors.push(Door::Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                parameters: in_query
                    .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                    .collect(),
                body: body
                    .map(|(field, _)| (field.clone(), usual(field)))
                    .collect(),
                is_list,
            });
        }
    }
    doors
}

/// Returns a valid value of a body field; null if the field is optional.
fn usual(field: &str) -> Value {
    match field {
        "name" => "Made".into(),
        "kind" => "secret".into(),
        "reason" => "unused".into(),
        "slug" => "made".into(),
        "role" => "member".into(),
        "email" => "kim@example.com".into(),
        "sha256" => "a5d6ad5ae0ad7d1e6a4d1aa0d8aa37c5df3a4a4c5ad75d1e6a4d1aa0d8aa37c5".into(),
        "key" => "lk_sk_live_unknown".into(),
        _ => Value::Null,
    }
}
