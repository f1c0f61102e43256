//! JSON bodies: 415 for what says that it is something else, 400 for what is no JSON object or says a thing twice, 422
//! for fields that will not do, all of them at once.

mod media_type;

use std::fmt;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::StatusCode,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};

pub use self::media_type::check_media_type;
use crate::problem::{FieldError, Problem};

/// A body whose fields are all optional for serde: what must be there is said by [`required`].
#[derive(Debug)]
pub struct Body<T> {
    /// What was read.
    pub fields: T,
    /// The body as it came.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        let fields = read(&bytes)?;
        Ok(Self { fields, bytes })
    }
}

/// Why a body could not be taken from the connection.
pub fn unread(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::body_too_large(),
        _ => Problem::invalid_request("The body could not be read.", Vec::new()),
    }
}

/// A field that must be there.
///
/// # Errors
/// When it is not.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::invalid_field(field, "is required"))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let EachOnce(object) =
        serde_json::from_slice(bytes).map_err(|error| unreadable(bytes, &error))?;
    serde_json::from_value(Value::Object(object.clone())).map_err(|_| diagnose::<T>(object))
}

/// An object that has each field once: of two, one would be dropped without a word.
struct EachOnce(Map<String, Value>);

impl<'de> Deserialize<'de> for EachOnce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = EachOnce;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<EachOnce, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = fields.next_entry()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a field twice"));
                    }
                }
                Ok(EachOnce(object))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// What is wrong with a body that is no object of fields.
fn unreadable(bytes: &[u8], error: &serde_json::Error) -> Problem {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(_)) => Problem::invalid_request("The body has a field twice.", Vec::new()),
        Ok(_) => Problem::invalid_request("The body must be a JSON object.", Vec::new()),
        Err(_) => {
            let (line, column) = (error.line(), error.column());
            let detail = format!("The body is not JSON: line {line}, column {column}.");
            Problem::invalid_request(detail, Vec::new())
        }
    }
}

/// Looks at each field alone, to say of all of them what is wrong: serde stops at the first.
fn diagnose<T: DeserializeOwned>(object: Map<String, Value>) -> Problem {
    let errors = object.into_iter().filter_map(|(field, value)| {
        let alone = Value::Object(Map::from_iter([(field.clone(), value)]));
        let error = serde_json::from_value::<T>(alone).err()?;
        Some(FieldError {
            field: field.into(),
            detail: error.to_string(),
        })
    });
    Problem::invalid_fields(errors.collect())
}

/// For fields where null says something else than leaving the field out: `None` is out, `Some(None)` is null.
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use latchkey::name::KeyName;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Fields {
        name: Option<KeyName>,
        limit: Option<u8>,
        #[serde(default, deserialize_with = "nullable")]
        ends: Option<Option<u8>>,
    }

    #[test]
    fn every_field_that_will_not_do_is_named() {
        let problem = read::<Fields>(br#"{"name":" ","limit":300,"since":1}"#).unwrap_err();
        let said = format!("{problem:?}");
        for part in [
            "InvalidField",
            "Enter a name.",
            "expected u8",
            "unknown field `since`",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    #[test]
    fn what_is_no_object_cannot_be_read() {
        for body in ["", "{", "[]", "null", "\"name\"", "{\"name\":\"\u{0}\"}"] {
            let said = format!("{:?}", read::<Fields>(body.as_bytes()).unwrap_err());
            assert!(said.contains("InvalidRequest"), "{body}: {said}");
        }
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused_and_in_metadata_is_not_ours_to_judge() {
        let said = format!(
            "{:?}",
            read::<Fields>(br#"{"limit":1,"limit":1}"#).unwrap_err()
        );
        assert!(said.contains("a field twice"), "{said}");
        let said = format!(
            "{:?}",
            read::<Fields>(br#"{"limit":1,"limit":1"#).unwrap_err()
        );
        assert!(said.contains("is not JSON"), "{said}");
        read::<serde_json::Map<String, Value>>(br#"{"metadata":{"a":1,"a":2}}"#).unwrap();
    }

    #[test]
    fn null_is_not_the_same_as_nothing() {
        assert_eq!(read::<Fields>(b"{}").unwrap().ends, None);
        assert_eq!(
            read::<Fields>(br#"{"ends":null}"#).unwrap().ends,
            Some(None)
        );
        assert_eq!(
            read::<Fields>(br#"{"ends":2}"#).unwrap().ends,
            Some(Some(2))
        );
    }
}
