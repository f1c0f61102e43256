//! The body of `POST /v1/verify`.

use std::{net::IpAddr, num::NonZeroU64};

use latchkey::{
    convention::{MAX_SCOPES, Scope},
    key::text::PlainKey,
    list::AtMost,
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    openapi::words,
    problem::{FieldError, Problem},
};

/// What an API server asks. Fields that are not listed are left aside, so that servers may be newer than Latchkey.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = VerificationRequest)]
pub struct Body {
    /// The key that the client presented.
    #[schema(value_type = Option<String>)]
    pub key: Option<PlainKey>,
    /// The public ID of the agent that the client wants.
    pub agent: Option<String>,
    /// What the client's request needs; `OfferedScope` lists what keys of this instance are given.
    #[schema(value_type = Option<Vec<String>>)]
    pub scopes: Option<AtMost<Scope, MAX_SCOPES>>,
    /// The endpoint class.
    #[schema(value_type = Option<words::EndpointClass>)]
    pub class: Option<String>,
    /// The client's `Origin` header.
    pub origin: Option<String>,
    /// The client's `Referer` header.
    pub referer: Option<String>,
    /// Credits that the request costs: checked, so that a caller who sends it wrongly learns it now.
    #[expect(dead_code, reason = "no key has credits yet")]
    #[schema(value_type = Option<u64>, minimum = 1)]
    cost: Option<NonZeroU64>,
    /// The end client's address.
    #[schema(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
}

/// A field, whether a value will do for it, and what would.
type Check = (&'static str, fn(&Value) -> bool, &'static str);

const CHECKS: [Check; 8] = [
    ("key", Value::is_string, "must be a text"),
    ("agent", Value::is_string, "must be a text"),
    (
        "scopes",
        is_scopes,
        "must be a list of at most 100 scopes, such as [\"chat:read\"]",
    ),
    ("class", Value::is_string, "must be a text"),
    (
        "cost",
        |value| value.as_u64().is_some_and(|cost| cost > 0),
        "must be a whole number of at least 1",
    ),
    (
        "origin",
        Value::is_string,
        "must be a text: the Origin header as it came",
    ),
    (
        "referer",
        Value::is_string,
        "must be a text: the Referer header as it came",
    ),
    ("ip", is_address, "must be an IPv4 or IPv6 address"),
];

impl Body {
    /// Reads a body.
    ///
    /// # Errors
    /// Says of each field what is wrong with it, without repeating its value.
    pub fn parse(json: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(json).map_err(|error| diagnose(json, &error))
    }
}

/// Looks again at a body that will not do, to say which fields are wrong.
fn diagnose(json: &[u8], error: &serde_json::Error) -> Problem {
    let Ok(value) = serde_json::from_slice::<Value>(json) else {
        let detail = format!(
            "The body is not JSON: line {}, column {}.",
            error.line(),
            error.column()
        );
        return Problem::invalid_request(detail, Vec::new());
    };
    let Some(object) = value.as_object() else {
        return Problem::invalid_request("The body must be a JSON object.", Vec::new());
    };
    let errors: Vec<FieldError> = CHECKS
        .iter()
        .filter(|(field, will_do, _)| {
            object
                .get(*field)
                .is_some_and(|value| !value.is_null() && !will_do(value))
        })
        .map(|(field, _, detail)| FieldError {
            field: (*field).into(),
            detail: (*detail).to_owned(),
        })
        .collect();
    if errors.is_empty() {
        return Problem::invalid_request("The body has a field twice.", errors);
    }
    Problem::invalid_request("Validation failed. See `errors`.", errors)
}

fn is_scopes(value: &Value) -> bool {
    let is_scope = |item: &Value| item.as_str().is_some_and(|text| Scope::parse(text).is_ok());
    value
        .as_array()
        .is_some_and(|items| items.len() <= MAX_SCOPES && items.iter().all(is_scope))
}

fn is_address(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_may_be_absent_null_or_new() {
        assert!(Body::parse(b"{}").unwrap().key.is_none());
        let body = br#"{"key":"k","agent":null,"scopes":["chat:read"],"cost":1,"ip":"2001:db8::1","since_v9":[]}"#;
        let body = Body::parse(body).unwrap();
        assert_eq!(body.key.unwrap().expose(), "k");
        assert_eq!(body.scopes.unwrap().len(), 1);
    }

    #[test]
    fn what_is_refused_is_explained_and_never_repeated() {
        let refusal = |body: &str| format!("{:?}", Body::parse(body.as_bytes()).unwrap_err());
        for (body, named) in [
            ("{", "not JSON: line 1"),
            ("[]", "JSON object"),
            (r#"{"key":1}"#, "\"key\""),
            (r#"{"scopes":"s3cret"}"#, "\"scopes\""),
            (r#"{"scopes":["s3cret!"]}"#, "\"scopes\""),
            (
                &format!(r#"{{"scopes":[{}"a"]}}"#, r#""a","#.repeat(100)),
                "\"scopes\"",
            ),
            (r#"{"cost":0}"#, "\"cost\""),
            (r#"{"cost":-1}"#, "\"cost\""),
            (r#"{"cost":1.5}"#, "\"cost\""),
            (r#"{"cost":"s3cret"}"#, "\"cost\""),
            (r#"{"ip":"s3cret"}"#, "\"ip\""),
            (r#"{"origin":["s3cret"]}"#, "\"origin\""),
            (r#"{"key":"s3cret","key":"s3cret"}"#, "twice"),
        ] {
            let refusal = refusal(body);
            assert!(
                refusal.contains(named) && !refusal.contains("s3cret"),
                "{body}: {refusal}"
            );
        }
    }
}
