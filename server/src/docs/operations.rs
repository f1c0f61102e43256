//! The API description as HTML: its operations.

use latchkey::{
    convention::{BoundTo, Convention},
    key::{Environment, Kind},
    outcome::Outcome,
};
use latchkey_app::pages::{check, key_of, scope_of};
use leptos::prelude::*;
use serde_json::Value;

use super::{
    objects::{self, joined, type_of},
    text,
};
use crate::html::with_code;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An operation of the document.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    description: &'a Value,
}

/// The page: an example, the contents, the operations by group, then the objects that they read and write.
pub fn main(document: &Value, convention: &Convention) -> AnyView {
    let url = text(&document["servers"][0], "url");
    let operations = operations(document);
    let groups = document["tags"].as_array().into_iter().flatten();
    let groups: Vec<(&Value, Vec<&Operation<'_>>)> = groups
        .map(|group| {
            let is_of_group = |one: &&Operation<'_>| one.description["tags"][0] == group["name"];
            (group, operations.iter().filter(is_of_group).collect())
        })
        .collect();
    let key = key_of(convention.environment_variable(Kind::Secret, Environment::Live));
    let scope = scope_of(&[], convention);
    let asks = match scope {
        Some(_) => {
            "Create a service token, and ask whether a key is valid and has the scope that the request needs:"
        }
        None => "Create a service token, and ask whether a key is valid:",
    };
    view! {
        <h1>"Latchkey API"</h1>
        <p>{with_code(text(&document["info"], "description"))}</p>
        <h2 id="example">"Example"</h2>
        <p>{asks}</p>
        <pre tabindex="0"><code>{check(url, &[("key", &key)], scope.as_deref())}</code></pre>
        <p>"The response is always 200. Forward the request if "<code>"valid"</code>" is true; otherwise, respond with "<code>"status"</code>", "<code>"code"</code>" and "<code>"detail"</code>":"</p>
        <pre tabindex="0"><code>{response_to(Outcome::ExpiredApiKey)}</code></pre>
        <nav aria-label="Contents"><ul>
            <li><a href="#example">"Example"</a></li>
            {groups.iter().map(contents).collect_view()}
            <li><a href="#objects">"Objects"</a></li>
        </ul></nav>
        {groups.iter().map(group).collect_view()}
        <h2 id="objects">"Objects"</h2>
        {objects::sections(document)}
    }
    .into_any()
}

/// The part of a response to `/v1/verify` that concerns the client.
fn response_to(outcome: Outcome) -> String {
    let (code, status) = (outcome.code(), outcome.status());
    let detail = Value::from(outcome.detail(BoundTo::Org));
    format!(
        "{{\n  \"valid\": false,\n  \"code\": \"{code}\",\n  \"status\": {status},\n  \"detail\": {detail}\n}}"
    )
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| METHODS.map(|method| (method, path, item.get(method))));
    let present = all.filter_map(|(method, path, description)| {
        let description = description?;
        Some(Operation {
            method,
            path,
            description,
        })
    });
    present.collect()
}

/// The contents entry of a group.
fn contents((group, operations): &(&Value, Vec<&Operation<'_>>)) -> AnyView {
    let name = text(group, "name");
    let links = operations.iter().map(|operation| {
        let summary = text(operation.description, "summary");
        view! { <li><a href=format!("#{}", anchor(summary))>{summary.to_owned()}</a></li> }
    });
    view! { <li><a href=format!("#{}", anchor(name))>{name.to_owned()}</a><ul>{links.collect_view()}</ul></li> }
        .into_any()
}

fn group((group, operations): &(&Value, Vec<&Operation<'_>>)) -> AnyView {
    let name = text(group, "name");
    view! {
        <h2 id=anchor(name)>{name.to_owned()}</h2>
        <p>{with_code(text(group, "description"))}</p>
        {operations.iter().map(|operation| section(operation)).collect_view()}
    }
    .into_any()
}

fn section(operation: &Operation<'_>) -> AnyView {
    let described = operation.description;
    let summary = text(described, "summary");
    let description = described["description"].as_str();
    let parameters = described["parameters"].as_array();
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    let responses = described["responses"].as_object().into_iter().flatten();
    let mut responses: Vec<(&String, &Value)> = responses.collect();
    responses.sort_by_key(|(status, _)| *status);
    let responses = responses.into_iter().map(response);
    view! {
        <section>
            <details>
                <summary>
                    <h3>{summary.to_owned()}</h3>
                    <code>{format!("{} {}", operation.method.to_uppercase(), operation.path)}</code>
                </summary>
                <div id=anchor(summary)>
                    {description.map(|description| view! { <p>{with_code(description)}</p> })}
                    {parameters.map(|parameters| table(parameters))}
                    {(!body.is_null()).then(|| view! { <p>"Body: "{type_of(body)}</p> })}
                    <ul>{responses.collect_view()}</ul>
                </div>
            </details>
        </section>
    }
    .into_any()
}

/// The anchor of an operation or group.
fn anchor(name: &str) -> String {
    name.to_lowercase()
        .replace(['’', '\''], "")
        .replace(' ', "-")
}

fn table(parameters: &[Value]) -> AnyView {
    let rows = parameters.iter().map(|parameter| {
        view! {
            <tr>
                <th scope="row"><code>{text(parameter, "name").to_owned()}</code>" in "{text(parameter, "in").to_owned()}</th>
                <td data-label="Type">{type_of(&parameter["schema"])}</td>
                <td>{with_code(text(parameter, "description"))}</td>
            </tr>
        }
    });
    objects::table("Parameter", rows.collect_view().into_any())
}

fn response((status, response): (&String, &Value)) -> AnyView {
    let description = text(response, "description");
    let content = &response["content"]["application/json"]["schema"];
    let says = if !content.is_null() {
        view! { {with_code(description)}" — "{type_of(content)} }.into_any()
    } else if status.as_str() >= "400" {
        let codes = description.split(", ").map(|code| {
            let link = view! { <a href=format!("/docs/errors#{code}")>{code.to_owned()}</a> };
            link.into_any()
        });
        joined(codes.collect(), " or ")
    } else {
        with_code(description)
    };
    view! { <li>{status.clone()}": "{says}</li> }.into_any()
}
