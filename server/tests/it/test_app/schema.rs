//! Checks whether a response conforms to the OpenAPI document.

use axum::http::Method;
use latchkey::convention::Convention;
use serde_json::{Value, json};

use super::browser::Answer;

/// Panics unless the document has an operation at this path that allows this response.
pub fn check_answer(description: &Value, method: &Method, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let Some(operation) = operation(description, method, path) else {
        assert!(
            [404, 405].contains(&answer.status.as_u16()),
            "{method} {path} is not described: {answer:?}"
        );
        return;
    };
    let response = &operation["responses"][answer.status.as_str()];
    let at = format!("{method} {path} {}", answer.status);
    assert!(
        response.is_object(),
        "{at} is not described: {}",
        answer.body
    );
    match response["content"].as_object() {
        None => assert_eq!(answer.body, "", "{at}"),
        Some(content) => {
            let sent = answer.header("content-type");
            let media_type = sent.split(';').next().unwrap_or_default();
            let schema = &content
                .get(media_type)
                .unwrap_or_else(|| panic!("{at}: {sent}"))["schema"];
            if !media_type.ends_with("json") {
                return;
            }
            let errors = errors(description, schema, &answer.json());
            assert!(errors.is_empty(), "{at}: {errors:#?}\n{}", answer.body);
        }
    }
}

/// The operation whose path template matches this path.
fn operation<'a>(description: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let paths = description["paths"].as_object().unwrap();
    let (_, item) = paths.iter().find(|(template, _)| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == parts.len()
            && template
                .iter()
                .zip(&parts)
                .all(|(of_template, part)| of_template.starts_with('{') || of_template == part)
    })?;
    item.get(method.as_str().to_lowercase())
}

/// The validation errors of a value.
fn errors(description: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    // References are relative to the document.
    schema["components"] = description["components"].clone();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn an_answer_that_is_not_as_described_is_noticed() {
    let convention = Convention::built_in("latchkey").unwrap();
    let document = latchkey_server::openapi::document("http://localhost:3000", &convention);
    let description = serde_json::to_value(document).unwrap();
    let org = json!({"$ref": "#/components/schemas/Org"});
    let errors = errors(&description, &org, &json!({"id": 7, "slug": "northwind"}));
    assert_eq!(errors.len(), 2, "{errors:#?}");
}
