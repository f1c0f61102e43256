//! The API's description as HTML.

use std::fmt::Write as _;

use serde_json::Value;

use super::Text;

const METHODS: [&str; 4] = ["get", "post", "patch", "delete"];
const SCHEMAS: &str = "#/components/schemas/";

/// The page: contents, operations by group, then the objects that they read and write.
pub fn main(document: &Value) -> String {
    let mut operations = operations(document);
    let groups = document["tags"].as_array().map_or(&[][..], Vec::as_slice);
    operations.sort_by_key(|(_, _, operation)| {
        groups
            .iter()
            .position(|group| group["name"] == operation["tags"][0])
    });
    let mut html = format!(
        "<h1>Latchkey API</h1><p>{}</p>",
        Text(document["info"]["description"].as_str().unwrap_or_default())
    );
    html += "<nav aria-label=\"Contents\"><ul>";
    for (_, _, operation) in &operations {
        let _ = write!(
            html,
            "<li><a href=\"#{}\">{}</a></li>",
            Text(&anchor(operation)),
            Text(text(operation, "summary"))
        );
    }
    html += "</ul></nav>";
    let mut group = "";
    for (method, path, operation) in &operations {
        let tag = operation["tags"][0].as_str().unwrap_or_default();
        if tag != group {
            let described = groups.iter().find(|group| group["name"] == tag);
            let description = described.map_or("", |group| text(group, "description"));
            let _ = write!(html, "<h2>{}</h2><p>{}</p>", Text(tag), Text(description));
            group = tag;
        }
        html += &section(method, path, operation);
    }
    html += "<h2>Objects</h2>";
    let schemas = document["components"]["schemas"].as_object();
    for (name, schema) in schemas.into_iter().flatten() {
        let _ = write!(
            html,
            "<section id=\"object-{0}\"><h3>{0}</h3><p>{1}</p>{2}</section>",
            Text(name),
            Text(text(schema, "description")),
            content(schema)
        );
    }
    html
}

/// Method, path and description of each operation.
fn operations(document: &Value) -> Vec<(&'static str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            METHODS
                .into_iter()
                .filter_map(move |method| Some((method, path.as_str(), item.get(method)?)))
        })
        .collect()
}

/// What an operation is called in addresses: its summary's words.
fn anchor(operation: &Value) -> String {
    text(operation, "summary")
        .to_lowercase()
        .replace(['’', '\''], "")
        .replace(' ', "-")
}

fn section(method: &str, path: &str, operation: &Value) -> String {
    let mut html = format!(
        "<section id=\"{}\"><h3>{}</h3><p><code>{} {}</code></p>",
        Text(&anchor(operation)),
        Text(text(operation, "summary")),
        method.to_uppercase(),
        Text(path)
    );
    if let Some(description) = operation["description"].as_str() {
        let _ = write!(html, "<p>{}</p>", Text(description));
    }
    if let Some(parameters) = operation["parameters"].as_array() {
        html += "<table class=\"table\"><thead><tr><th scope=\"col\">Parameter</th><th scope=\"col\">Type</th>\
                 <th scope=\"col\">Description</th></tr></thead><tbody>";
        for parameter in parameters {
            let _ = write!(
                html,
                "<tr><th scope=\"row\"><code>{}</code> in {}</th><td data-label=\"Type\">{}</td><td>{}</td></tr>",
                Text(text(parameter, "name")),
                Text(text(parameter, "in")),
                type_of(&parameter["schema"]),
                Text(text(parameter, "description"))
            );
        }
        html += "</tbody></table>";
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        let _ = write!(html, "<p>Body: {}</p>", type_of(body));
    }
    html += "<ul>";
    let mut responses: Vec<_> = operation["responses"]
        .as_object()
        .into_iter()
        .flatten()
        .collect();
    responses.sort_by_key(|(status, _)| *status);
    for (status, response) in responses {
        let description = text(response, "description");
        let content = &response["content"]["application/json"]["schema"];
        let _ = match content.is_null() {
            false => write!(
                html,
                "<li>{status}: {} — {}</li>",
                Text(description),
                type_of(content)
            ),
            true if status.as_str() >= "400" => {
                let codes = description.split(", ").map(|code| {
                    let code = Text(code);
                    format!("<a href=\"/docs/errors#{code}\">{code}</a>")
                });
                let codes: Vec<String> = codes.collect();
                write!(html, "<li>{status}: {}</li>", codes.join(" or "))
            }
            true => write!(html, "<li>{status}: {}</li>", Text(description)),
        };
    }
    html + "</ul></section>"
}

/// What an object is made of; of a text with a rule, its words or its type.
fn content(schema: &Value) -> String {
    if schema["type"] == "string" {
        format!("<p>{}</p>", type_of(schema))
    } else {
        fields(schema)
    }
}

/// An object's fields as a table.
fn fields(schema: &Value) -> String {
    let parts = schema["allOf"].as_array();
    let own = parts.into_iter().flatten().chain([schema]);
    let mut html =
        "<table class=\"table\"><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th>\
                    <th scope=\"col\">Description</th></tr></thead><tbody>"
            .to_owned();
    for part in own {
        if let Some(reference) = part["$ref"].as_str() {
            let _ = write!(
                html,
                "<tr><td colspan=\"3\">the fields of {}</td></tr>",
                object(reference)
            );
        }
        let required = part["required"].as_array();
        for (name, field) in part["properties"].as_object().into_iter().flatten() {
            let needed =
                required.is_some_and(|required| required.iter().any(|required| required == name));
            let _ = write!(
                html,
                "<tr><th scope=\"row\"><code>{}</code></th><td data-label=\"Type\">{}{}</td><td>{}</td></tr>",
                Text(name),
                type_of(field),
                if needed { "" } else { ", optional" },
                Text(description(field))
            );
        }
    }
    html + "</tbody></table>"
}

/// What a field means; where it may be null, that stands with the schema of what it is otherwise.
fn description(field: &Value) -> &str {
    let choices = field["oneOf"].as_array().into_iter().flatten();
    choices
        .chain([field])
        .find_map(|schema| schema["description"].as_str())
        .unwrap_or_default()
}

/// A schema's type in words, with a link where it is one of the objects.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return object(reference);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        // null comes first in the document, and is read last.
        let choices: Vec<String> = choices.iter().rev().map(type_of).collect();
        return choices.join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().map(|word| match word.as_str() {
            Some(word) => format!("<code>{}</code>", Text(word)),
            None => "null".to_owned(),
        });
        return words.collect::<Vec<String>>().join(", ");
    }
    let name = |name: &Value| match name.as_str() {
        Some("array") => format!("list of {}", type_of(&schema["items"])),
        Some("string") if schema["format"] == "date-time" => "time".to_owned(),
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some(name) => Text(name).to_string(),
        None => "anything".to_owned(),
    };
    match &schema["type"] {
        Value::Array(names) => names.iter().map(name).collect::<Vec<String>>().join(" or "),
        one => name(one),
    }
}

/// A link to one of the objects.
fn object(reference: &str) -> String {
    let name = reference.strip_prefix(SCHEMAS).unwrap_or(reference);
    format!("<a href=\"#object-{0}\">{0}</a>", Text(name))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
