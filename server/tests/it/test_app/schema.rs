//! Whether an answer is one that the API's description allows: as much of JSON Schema as the description uses. What it
//! does not know, it refuses, so that a new keyword is not passed over.

use axum::http::Method;
use serde_json::{Map, Value};

use super::browser::Answer;

/// Panics unless the description has an operation at this path that may answer so.
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
            let schema = &content
                .get(answer.header("content-type"))
                .unwrap_or_else(|| panic!("{at}: {}", answer.header("content-type")))["schema"];
            let errors = check(description, schema, &answer.json(), "");
            assert!(errors.is_empty(), "{at}: {errors:#?}\n{}", answer.body);
        }
    }
}

/// The operation whose path, with its parameters filled in, is this one.
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

/// What is wrong with a value, if anything is.
pub fn check(description: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = schema.as_object().expect("a schema is an object");
    let mut errors = vec![];
    for (keyword, rule) in schema {
        let holds = match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/components/schemas/");
                let target = &description["components"]["schemas"][name.unwrap()];
                errors.extend(check(description, target, value, at));
                true
            }
            "allOf" => {
                for part in rule.as_array().unwrap() {
                    errors.extend(check(description, part, value, at));
                }
                true
            }
            "oneOf" => {
                let fits = |part: &&Value| check(description, part, value, at).is_empty();
                rule.as_array().unwrap().iter().filter(fits).count() == 1
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|one| is_of_type(value, one)),
                one => is_of_type(value, one),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|field| value.get(field.as_str().unwrap()).is_some()),
            "properties" => {
                errors.extend(properties(description, rule, value, at));
                true
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    errors.extend(check(description, rule, item, &format!("{at}[]")));
                }
                true
            }
            "additionalProperties" | "propertyNames" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    if rule.is_object() && keyword == "additionalProperties" {
                        errors.extend(check(description, rule, field, &format!("{at}.{name}")));
                    }
                }
                true
            }
            "format" => has_format(value, rule.as_str().unwrap()),
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maxLength" | "minLength" | "maximum" | "pattern" | "description" | "title"
            | "default" => true,
            unknown => panic!("teach tests/it/test_app/schema.rs about {unknown}"),
        };
        if !holds {
            errors.push(format!("{at}: {value} against {keyword} {rule}"));
        }
    }
    errors
}

fn properties(description: &Value, rule: &Value, value: &Value, at: &str) -> Vec<String> {
    let known = rule.as_object().unwrap();
    let empty = Map::new();
    known
        .iter()
        .filter_map(|(name, schema)| {
            Some((name, schema, value.as_object().unwrap_or(&empty).get(name)?))
        })
        .flat_map(|(name, schema, field)| {
            check(description, schema, field, &format!("{at}.{name}"))
        })
        .collect()
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("no type of JSON Schema: {unknown}"),
    }
}

fn has_format(value: &Value, format: &str) -> bool {
    match (format, value.as_str()) {
        ("date-time", Some(text)) => text.parse::<jiff::Timestamp>().is_ok(),
        ("uri", Some(text)) => url::Url::parse(text).is_ok(),
        ("int32" | "int64", None) | ("date-time" | "uri", None) => true,
        (format, _) => {
            panic!("teach tests/it/test_app/schema.rs about the format {format} of {value}")
        }
    }
}
