//! Parameters of addresses.

use axum::{
    extract::{FromRequestParts, Query},
    http::{Uri, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;

use crate::problem::{FieldError, Problem};

/// The parameters behind the `?`; 400 for those that will not do or that the operation does not know.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(match diagnose::<T>(&parts.uri) {
                errors if errors.is_empty() => {
                    Problem::invalid_request(format!("{}.", rejection.body_text()), errors)
                }
                errors => invalid_parameters(errors),
            }),
        }
    }
}

/// What is wrong with each parameter, read alone: serde stops at the first.
fn diagnose<T: DeserializeOwned>(uri: &Uri) -> Vec<FieldError> {
    let parameters = uri.query().unwrap_or_default().split('&');
    let errors = parameters.filter_map(|parameter| {
        let error = serde_urlencoded::from_str::<T>(parameter).err()?;
        let (name, _) = form_urlencoded::parse(parameter.as_bytes()).next()?;
        Some(FieldError {
            field: name.into_owned().into(),
            detail: error.to_string(),
        })
    });
    errors.collect()
}

fn invalid_parameters(errors: Vec<FieldError>) -> Problem {
    Problem::invalid_request("The query is invalid. See `errors`.", errors)
}

/// How many things a page of a list has: 1 to 100.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
pub struct Limit(u16);

/// The number is too small or too large for a page.
#[derive(Debug, thiserror::Error)]
#[error("limit must be 1 to 100")]
pub struct LimitOutOfRange;

impl TryFrom<u16> for Limit {
    type Error = LimitOutOfRange;
    fn try_from(limit: u16) -> Result<Self, LimitOutOfRange> {
        if (1..=100).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(LimitOutOfRange)
        }
    }
}

impl From<Limit> for u16 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// What a cursor of another list is told.
pub fn not_a_cursor() -> Problem {
    invalid_parameters(vec![FieldError {
        field: "cursor".into(),
        detail: "must be the next_cursor of the page before".to_owned(),
    }])
}
