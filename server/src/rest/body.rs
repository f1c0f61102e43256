//! JSON bodies: 400 for what is no JSON object, 422 for fields that will not do, all of them at once.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::StatusCode,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

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
    let object: Map<String, Value> = match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => object,
        Ok(_) => {
            return Err(Problem::invalid_request(
                "The body must be a JSON object.",
                Vec::new(),
            ));
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let detail = format!("The body is not JSON: line {line}, column {column}.");
            return Err(Problem::invalid_request(detail, Vec::new()));
        }
    };
    serde_json::from_value(Value::Object(object.clone())).map_err(|_| diagnose::<T>(object))
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
