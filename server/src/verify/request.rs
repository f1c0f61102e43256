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
    rest::{body, fields},
};

/// A verification request. Unknown fields are rejected, because a misspelled restriction would have no effect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerificationRequest)]
pub struct Body {
    /// The key that the client presented.
    #[schema(value_type = Option<String>)]
    pub key: Option<PlainKey>,
    /// The public ID of the agent that the client requests.
    pub agent: Option<String>,
    /// The scopes that the client's request requires. `OfferedScope` lists the scopes of this instance.
    #[schema(value_type = Option<Vec<String>>)]
    pub scopes: Option<AtMost<Scope, MAX_SCOPES>>,
    /// The endpoint class.
    #[schema(value_type = Option<words::EndpointClass>)]
    pub class: Option<String>,
    /// The client's `Origin` header.
    pub origin: Option<String>,
    /// The client's `Referer` header.
    pub referer: Option<String>,
    /// The credits that the request costs. Validated, but not used yet.
    #[expect(dead_code, reason = "no key has credits yet")]
    #[schema(value_type = Option<u64>, minimum = 1)]
    cost: Option<NonZeroU64>,
    /// The IP address of the end client.
    #[schema(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
}

/// A field, whether a value is valid for it, and what it must be.
type Check = (&'static str, fn(&Value) -> bool, &'static str);

/// The names of the fields.
const NAMES: [&str; CHECKS.len()] = {
    let mut names = [""; CHECKS.len()];
    let mut index = 0;
    while index < CHECKS.len() {
        names[index] = CHECKS[index].0;
        index += 1;
    }
    names
};

const CHECKS: [Check; 8] = [
    ("key", Value::is_string, "must be a string"),
    ("agent", Value::is_string, "must be a string"),
    (
        "scopes",
        is_scopes,
        "must be a list of at most 100 scopes, such as [\"chat:read\"]",
    ),
    ("class", Value::is_string, "must be a string"),
    (
        "cost",
        |value| value.as_u64().is_some_and(|cost| cost > 0),
        "must be a whole number of at least 1",
    ),
    (
        "origin",
        Value::is_string,
        "must be a string: the Origin header as it came",
    ),
    (
        "referer",
        Value::is_string,
        "must be a string: the Referer header as it came",
    ),
    ("ip", is_address, "must be an IPv4 or IPv6 address"),
];

impl Body {
    /// Reads a body.
    ///
    /// # Errors
    /// Says of each field what is wrong with it, without repeating its value.
    pub fn parse(json: &[u8]) -> Result<Self, Problem> {
        // Serde would read an array as the fields in their order.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(diagnose(json));
        }
        serde_json::from_slice(json).map_err(|_| diagnose(json))
    }
}

/// Looks again at a body that is not valid, to say which fields are wrong.
fn diagnose(json: &[u8]) -> Problem {
    let fields = match body::object(json, || &NAMES) {
        Ok(fields) => fields,
        Err(problem) => return problem,
    };
    let errors = fields.into_iter().filter_map(|(field, value)| {
        let check = CHECKS.iter().find(|(name, ..)| *name == field);
        let detail = match check {
            Some((_, is_valid, _)) if value.is_null() || is_valid(&value) => return None,
            Some((_, _, must_be)) => (*must_be).to_owned(),
            None => fields::unknown(&NAMES),
        };
        Some(FieldError {
            field: field.into(),
            detail,
        })
    });
    Problem::invalid_request("Validation failed. See `errors`.", errors.collect())
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
    use rstest::rstest;

    use super::*;

    #[test]
    fn all_fields_may_be_absent_or_null() {
        assert!(Body::parse(b"{}").unwrap().key.is_none());
        let body =
            br#"{"key":"k","agent":null,"scopes":["chat:read"],"cost":1,"ip":"2001:db8::1"}"#;
        let body = Body::parse(body).unwrap();
        assert_eq!(body.key.unwrap().expose(), "k");
        assert_eq!(body.scopes.unwrap().len(), 1);
        let all = NAMES.map(|name| (name.to_owned(), Value::Null));
        let all = Value::Object(all.into_iter().collect());
        Body::parse(all.to_string().as_bytes()).unwrap();
    }

    #[rstest]
    #[case("scope")]
    #[case("agent_id")]
    #[case("IP")]
    #[case("origin ")]
    fn a_field_that_is_unknown_is_named_with_those_that_are_known(#[case] misspelt: &str) {
        let body = Value::Object([(misspelt.to_owned(), Value::Null)].into_iter().collect());
        let refusal = Body::parse(body.to_string().as_bytes()).unwrap_err();
        let refusal = format!("{refusal:?}");
        assert!(
            refusal.contains(&format!("field: {misspelt:?}"))
                && refusal.contains("Use any of `key`, `agent`, `scopes`,"),
            "{refusal}"
        );
    }

    #[rstest]
    #[case("{", "not valid JSON (line 1")]
    #[case("", "has no body")]
    #[case("[]", "JSON object")]
    #[case(r#"{"key":1}"#, "\"key\"")]
    #[case(r#"{"scopes":"s3cret"}"#, "\"scopes\"")]
    #[case(r#"{"scopes":["s3cret!"]}"#, "\"scopes\"")]
    #[case::too_many_scopes(&format!(r#"{{"scopes":[{}"a"]}}"#, r#""a","#.repeat(100)), "\"scopes\"")]
    #[case(r#"{"cost":0}"#, "\"cost\"")]
    #[case(r#"{"cost":-1}"#, "\"cost\"")]
    #[case(r#"{"cost":1.5}"#, "\"cost\"")]
    #[case(r#"{"cost":"s3cret"}"#, "\"cost\"")]
    #[case(r#"{"ip":"s3cret"}"#, "\"ip\"")]
    #[case(r#"{"origin":["s3cret"]}"#, "\"origin\"")]
    #[case(r#"{"key":"s3cret","key":"s3cret"}"#, "twice")]
    fn what_is_refused_is_explained_and_never_repeated(#[case] body: &str, #[case] named: &str) {
        let refusal = format!("{:?}", Body::parse(body.as_bytes()).unwrap_err());
        assert!(
            refusal.contains(named) && !refusal.contains("s3cret"),
            "{refusal}"
        );
    }
}
