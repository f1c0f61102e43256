//! JSON bodies: 415 for another media type, 400 if the body is not a JSON object or contains a field twice, and 422 for
//! invalid fields, all of which are reported together.

mod media_type;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::StatusCode,
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

pub use self::media_type::check_media_type;
use super::{
    fields::{self, Fields, Sent},
    query,
};
use crate::problem::Problem;

/// A body whose fields are all optional for serde. [`required`] checks required fields.
#[derive(Debug)]
pub struct Body<T> {
    /// The parsed fields.
    pub fields: T,
    /// The body as it was sent.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        query::has_none(request.uri())?;
        check_media_type(request.headers())?;
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        let fields = read(&bytes)?;
        Ok(Self { fields, bytes })
    }
}

/// The error if a body could not be received.
pub fn unread(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::body_too_large(),
        _ => Problem::invalid_request("The body could not be read.", Vec::new()),
    }
}

/// The error of a missing field.
pub const IS_REQUIRED: &str = "is required";

/// Checks a required field.
///
/// # Errors
/// If it is missing.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::invalid_field(field, IS_REQUIRED))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let object = object(bytes, fields::names::<T>)?;
    fields::read(object).map_err(Problem::invalid_fields)
}

/// What serde_json marks its own values with.
const RESERVED: &[u8] = b"$serde_json::private::";

/// The fields of a body. `names` returns the allowed fields.
///
/// # Errors
/// If the body is missing, is not a JSON object, or contains a field twice.
pub fn object(
    bytes: &[u8],
    names: impl FnOnce() -> &'static [&'static str],
) -> Result<Sent, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Err(fields::no_body(names()));
    }
    // serde_json would read an object with this field as another value.
    if bytes.windows(RESERVED.len()).any(|name| name == RESERVED) {
        return Err(Problem::invalid_request(
            "Names of fields cannot contain `$serde_json::private::`.",
            Vec::new(),
        ));
    }
    match serde_json::from_slice::<Fields>(bytes) {
        Ok(fields) => fields.each_once(),
        Err(error) => Err(Problem::invalid_request(
            match error.classify() {
                Category::Data => "The body must be a JSON object.".to_owned(),
                Category::Io | Category::Syntax | Category::Eof => format!(
                    "The body is not valid JSON (line {}, column {}).",
                    error.line(),
                    error.column()
                ),
            },
            Vec::new(),
        )),
    }
}

/// For fields where null has a different meaning than omitting the field: `None` if omitted, `Some(None)` if null.
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
    use rstest::rstest;
    use serde::Deserialize;

    use super::*;
    use crate::rest::fields::WholeNumber;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Example {
        name: Option<KeyName>,
        limit: Option<WholeNumber<1, 100>>,
        #[serde(default, deserialize_with = "nullable")]
        ends: Option<Option<bool>>,
    }

    #[test]
    fn every_field_that_is_not_valid_is_named() {
        let problem = read::<Example>(br#"{"name":" ","limit":300,"since":1}"#).unwrap_err();
        let said = format!("{problem:?}");
        for part in [
            "InvalidField",
            "Enter a name.",
            "must be a whole number from 1 to 100",
            "is unknown. Use any of `name`, `limit`, `ends`.",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    #[test]
    fn an_empty_body_is_told_what_to_have() {
        let said = format!("{:?}", read::<Example>(b" ").unwrap_err());
        assert!(
            said.contains("with any of `name`, `limit`, `ends`."),
            "{said}"
        );
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case("[]")]
    #[case("null")]
    #[case("\"name\"")]
    #[case::a_control_character("{\"name\":\"\u{0}\"}")]
    fn a_body_that_is_no_object_is_an_invalid_request(#[case] body: &str) {
        let said = format!("{:?}", read::<Example>(body.as_bytes()).unwrap_err());
        assert!(said.contains("InvalidRequest"), "{said}");
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused_and_in_metadata_is_not_ours_to_judge() {
        let said = format!(
            "{:?}",
            read::<Example>(br#"{"limit":1,"limit":1}"#).unwrap_err()
        );
        assert!(
            said.contains("field: \"limit\", detail: \"appears twice"),
            "{said}"
        );
        let said = format!(
            "{:?}",
            read::<Example>(br#"{"limit":1,"limit":1"#).unwrap_err()
        );
        assert!(said.contains("is not valid JSON"), "{said}");
        object(br#"{"metadata":{"a":1,"a":2}}"#, || &[]).unwrap();
    }

    #[test]
    fn null_is_not_the_same_as_nothing() {
        assert_eq!(read::<Example>(b"{}").unwrap().ends, None);
        assert_eq!(
            read::<Example>(br#"{"ends":null}"#).unwrap().ends,
            Some(None)
        );
        assert_eq!(
            read::<Example>(br#"{"ends":true}"#).unwrap().ends,
            Some(Some(true))
        );
    }
}
