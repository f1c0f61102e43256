//! The API description as HTML: the objects that operations read and write.

use leptos::prelude::*;
use serde_json::Value;

use super::text;
use crate::html::with_code;

const SCHEMAS: &str = "#/components/schemas/";

/// A section for each object.
pub fn sections(document: &Value) -> AnyView {
    let schemas = document["components"]["schemas"].as_object();
    let sections = schemas.into_iter().flatten().map(|(name, schema)| {
        view! {
            <section>
                <details>
                    <summary><h3>{name.clone()}</h3></summary>
                    <div id=format!("object-{name}")>
                        <p>{with_code(text(schema, "description"))}</p>
                        {content(schema)}
                    </div>
                </details>
            </section>
        }
    });
    sections.collect_view().into_any()
}

/// The fields of an object; for a string with a rule, its values or its type.
fn content(schema: &Value) -> AnyView {
    if schema["type"] == "string" {
        view! { <p>{type_of(schema)}</p> }.into_any()
    } else {
        fields(schema)
    }
}

/// The fields of an object as a table.
fn fields(schema: &Value) -> AnyView {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let rows = parts.chain([schema]).map(|part| {
        let others = part["$ref"].as_str().map(|reference| {
            view! { <tr><td colspan="3">"the fields of "{link(reference)}</td></tr> }
        });
        let required = part["required"].as_array().map_or(&[][..], Vec::as_slice);
        let own = part["properties"].as_object().into_iter().flatten();
        let own = own.map(|(name, field)| row(name, field, required.iter().any(|it| it == name)));
        view! { {others}{own.collect_view()} }
    });
    table("Field", rows.collect_view().into_any())
}

fn row(name: &str, field: &Value, is_required: bool) -> AnyView {
    let optional = (!is_required).then_some(", optional");
    view! {
        <tr>
            <th scope="row"><code>{name.to_owned()}</code></th>
            <td data-label="Type">{type_of(field)}{optional}</td>
            <td>{with_code(description(field))}</td>
        </tr>
    }
    .into_any()
}

/// A table of items that have a type and a description.
pub fn table(of: &'static str, rows: AnyView) -> AnyView {
    view! {
        <table class="table">
            <thead><tr>
                <th scope="col">{of}</th>
                <th scope="col">"Type"</th>
                <th scope="col">"Description"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// The description of a field. If the field can be null, the description is in the schema of the other choice.
fn description(field: &Value) -> &str {
    let choices = field["oneOf"].as_array().into_iter().flatten();
    choices
        .chain([field])
        .find_map(|schema| schema["description"].as_str())
        .unwrap_or_default()
}

/// The type of a schema in words, with a link if it is one of the objects.
pub fn type_of(schema: &Value) -> AnyView {
    if let Some(reference) = schema["$ref"].as_str() {
        return link(reference);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        // Lists null last.
        let (null, others): (Vec<_>, Vec<_>) =
            choices.iter().partition(|choice| choice["type"] == "null");
        let choices = others.into_iter().chain(null);
        return joined(choices.map(type_of).collect(), " or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().map(|word| match word.as_str() {
            Some(word) => view! { <code>{word.to_owned()}</code> }.into_any(),
            None => "null".into_any(),
        });
        return joined(words.collect(), ", ");
    }
    let name = |name: &Value| match name.as_str() {
        Some("array") => view! { "list of "{type_of(&schema["items"])} }.into_any(),
        Some("string") if schema["format"] == "date-time" => "time".into_any(),
        Some("string") => "text".into_any(),
        Some("integer") => "whole number".into_any(),
        Some("boolean") => "true or false".into_any(),
        Some(name) => name.to_owned().into_any(),
        None => "anything".into_any(),
    };
    match &schema["type"] {
        Value::Array(names) => joined(names.iter().map(name).collect(), " or "),
        one => name(one),
    }
}

/// Joins views with a separator.
pub fn joined(views: Vec<AnyView>, between: &'static str) -> AnyView {
    let views = views.into_iter().enumerate();
    let views = views.map(|(position, each)| view! { {(position > 0).then_some(between)}{each} });
    views.collect_view().into_any()
}

fn link(reference: &str) -> AnyView {
    let name = reference.strip_prefix(SCHEMAS).unwrap_or(reference);
    view! { <a href=format!("#object-{name}")>{name.to_owned()}</a> }.into_any()
}
