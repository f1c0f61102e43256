//! Parses fields of bodies and query parameters.
//!
//! Serde's error messages are written for Rust developers ("invalid type: integer `1`, expected a string"). This module
//! produces messages for API callers, which say what the field must be.

mod reader;
mod values;
mod wrong;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

use latchkey::key::metadata::readable;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use self::{
    reader::Object,
    wrong::{Wrong, one_of},
};
pub use self::{values::WholeNumber, wrong::unknown};
use crate::problem::{FieldError, Problem};

pub type Sent = BTreeMap<String, Field>;

/// The value of a field.
#[derive(Debug, Clone, Default)]
pub struct Field {
    value: Value,
    /// The JSON text of the value, if it was sent as JSON.
    json: Option<Box<RawValue>>,
}

impl From<Value> for Field {
    fn from(value: Value) -> Self {
        Self { value, json: None }
    }
}

/// Fields while a request is read.
#[derive(Debug, Default)]
pub struct Fields {
    values: Sent,
    twice: Option<String>,
    unreadable: Vec<FieldError>,
}

impl Fields {
    /// Adds a field. The name of a duplicate is kept for [`Self::each_once`].
    pub fn add(&mut self, name: String, field: impl Into<Field>) {
        match self.values.entry(name) {
            Entry::Vacant(place) => {
                place.insert(field.into());
            }
            Entry::Occupied(place) => {
                self.twice.get_or_insert_with(|| place.key().clone());
            }
        }
    }

    /// Adds a field of a body.
    fn add_json(&mut self, name: String, json: Box<RawValue>) {
        let value = readable(json.get()).unwrap_or_else(|error| {
            self.unreadable.push(FieldError {
                field: name.clone().into(),
                detail: error.to_string(),
            });
            Value::Null
        });
        let json = Some(json);
        self.add(name, Field { value, json });
    }

    /// Returns the fields if none appears twice. Without this check, one of the values would be dropped silently.
    ///
    /// # Errors
    /// If a field appears twice or cannot be parsed.
    pub fn each_once(self) -> Result<Sent, Problem> {
        if !self.unreadable.is_empty() {
            return Err(Problem::invalid_request(
                "Some fields cannot be read. See `errors`.",
                self.unreadable,
            ));
        }
        let Some(twice) = self.twice else {
            return Ok(self.values);
        };
        let error = FieldError {
            field: twice.into(),
            detail: "appears twice. Send it once.".to_owned(),
        };
        Err(Problem::invalid_request(
            "A field or parameter appears twice. See `errors`.",
            vec![error],
        ))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnObject;
        impl<'de> Visitor<'de> for AnObject {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some((name, json)) = object.next_entry()? {
                    fields.add_json(name, json);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(AnObject)
    }
}

/// Parses all fields.
///
/// # Errors
/// If fields are invalid: one error for each of them. Serde itself stops at the first one.
pub fn read<T: DeserializeOwned>(fields: Sent) -> Result<T, Vec<FieldError>> {
    T::deserialize(Object(fields.clone())).map_err(|_| {
        let errors = fields.into_iter().filter_map(|(field, value)| {
            let alone = Sent::from_iter([(field.clone(), value)]);
            let error = T::deserialize(Object(alone)).err()?;
            Some(FieldError {
                field: field.into(),
                detail: error.to_string(),
            })
        });
        errors.collect()
    })
}

/// The names of the fields that `T` accepts.
pub fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    let no_name = Sent::from_iter([(String::new(), Field::default())]);
    match T::deserialize(Object(no_name)) {
        Err(Wrong::Unknown(names)) => names,
        _ => &[],
    }
}

/// The error for a request without a required body.
pub fn no_body(names: &[&str]) -> Problem {
    let fields = one_of("with", names);
    Problem::invalid_request(
        format!("The request has no body. Send a JSON object {fields}"),
        Vec::new(),
    )
}

#[cfg(test)]
mod tests {
    use latchkey::{
        convention::Scope,
        key::{Kind, metadata::Metadata},
        list::AtMost,
        name::KeyName,
    };
    use serde_json::json;

    use super::*;
    use crate::rest::body::nullable;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Example {
        name: Option<KeyName>,
        kind: Option<Kind>,
        scopes: Option<AtMost<Scope, 2>>,
        count: Option<WholeNumber<1, 9>>,
        is_open: Option<bool>,
        metadata: Option<Metadata>,
        since: Option<latchkey::time::SentInstant>,
        #[serde(deserialize_with = "nullable")]
        until: Option<Option<latchkey::time::SentInstant>>,
    }

    fn read_json(json: Value) -> Result<Example, Vec<FieldError>> {
        let fields: Fields = serde_json::from_str(&json.to_string()).unwrap();
        read(fields.each_once().unwrap())
    }

    #[test]
    fn every_kind_of_field_is_read() {
        let example = read_json(json!({
            "name": "A", "kind": "secret", "scopes": ["chat:read"], "count": 9, "is_open": true,
            "metadata": {"a": [1, {"b": null}]}, "since": "2026-11-21T12:00:00+01:00", "until": null,
        }));
        let example = example.unwrap();
        assert_eq!(example.name.unwrap().as_str(), "A");
        assert_eq!(
            (example.kind, example.is_open),
            (Some(Kind::Secret), Some(true))
        );
        assert_eq!(example.scopes.unwrap().len(), 1);
        assert_eq!(example.count.unwrap().get(), 9);
        assert_eq!(
            example.metadata.unwrap().as_json(),
            r#"{"a":[1,{"b":null}]}"#
        );
        let since = example.since.unwrap().timestamp().rfc3339();
        assert_eq!(since.to_string(), "2026-11-21T11:00:00.000Z");
        assert!(example.until.is_some_and(|until| until.is_none()));
        for (sent, count) in [(json!(3.0), 3), (json!(9e0), 9), (json!(0.1e1), 1)] {
            let read = read_json(json!({"count": sent})).unwrap();
            assert_eq!(read.count.unwrap().get(), count);
        }
        let nothing = read_json(json!({"name": null, "kind": null, "scopes": null})).unwrap();
        assert!(nothing.name.is_none() && nothing.until.is_none());
    }

    #[test]
    fn every_wrong_field_is_named_with_what_it_must_be() {
        let wrong = |value: Value| {
            let errors = read_json(value).unwrap_err();
            let lines = errors
                .iter()
                .map(|error| format!("{}: {}\n", error.field, error.detail));
            lines.collect::<String>()
        };
        let mut text = String::new();
        for value in [
            json!({"name": 1, "kind": [], "scopes": "a", "count": 1.5, "is_open": "yes", "metadata": [], "since": 1}),
            json!({"name": " ", "kind": "s3cret", "scopes": [{}], "count": 10, "is_open": 1, "metadata": "", "since": "now"}),
            json!({"name": {}, "kind": null, "scopes": ["a", "b", "c"], "count": -1, "is_open": {}, "until": "2026-11-21"}),
            json!({"naem": "A", "count": "1"}),
        ] {
            text += &format!("---\n{}", wrong(value));
        }
        insta::assert_snapshot!(text, @"
        ---
        count: must be a whole number from 1 to 9
        is_open: must be true or false
        kind: must be one of `secret`, `widget`
        metadata: must be an object
        name: must be a string
        scopes: must be a list of at most 2 items
        since: must be a string
        ---
        count: must be a whole number from 1 to 9
        is_open: must be true or false
        kind: must be one of `secret`, `widget`
        metadata: must be an object
        name: Enter a name.
        scopes: each item must be a string
        since: must be a time with an offset (RFC 3339), such as `2026-11-21T12:00:00Z`
        ---
        count: must be a whole number from 1 to 9
        is_open: must be true or false
        name: must be a string
        scopes: must have at most 2 items
        until: must be a time with an offset (RFC 3339), such as `2026-11-21T12:00:00Z`
        ---
        count: must be a whole number from 1 to 9
        naem: is unknown. Use any of `name`, `kind`, `scopes`, `count`, `is_open`, `metadata`, `since`, `until`.
        ");
    }

    #[test]
    fn the_fields_of_an_operation_are_known() {
        assert_eq!(names::<Example>().len(), 8);
        let problem = format!("{:?}", no_body(&["reason"]));
        assert!(
            problem.contains("Send a JSON object with `reason`."),
            "{problem}"
        );
    }
}
