//! Query parameters.

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::form_urlencoded;

use super::fields::{self, Fields};
use crate::problem::{FieldError, Problem};

/// The query parameters, which are all strings. Responds with 400 if one is invalid or unknown.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.uri).map(Self)
    }
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let query = uri.query().unwrap_or_default();
    let mut parameters = Fields::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters.add(name.into_owned(), Value::from(value));
    }
    fields::read(parameters.each_once()?).map_err(invalid_parameters)
}

/// Checks the query of an operation without parameters. A parameter there belongs in the body, or to another operation.
///
/// # Errors
/// If the query has parameters, which the error lists.
pub fn has_none(uri: &Uri) -> Result<(), Problem> {
    match uri.query() {
        None => Ok(()),
        Some(_) => read(uri).map(|NoParameters {}| ()),
    }
}

/// The query of an operation without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

fn invalid_parameters(errors: Vec<FieldError>) -> Problem {
    Problem::invalid_request("The query is invalid. See `errors`.", errors)
}

/// A boolean query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    True,
    False,
}

/// The number of items on a page of a list: 1 to 100.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Limit(u16);

#[derive(Debug, thiserror::Error)]
#[error("must be a whole number from 1 to 100")]
pub struct InvalidLimit;

impl TryFrom<String> for Limit {
    type Error = InvalidLimit;
    fn try_from(text: String) -> Result<Self, InvalidLimit> {
        let limit = text.parse().ok();
        let limit = limit.filter(|limit| (1..=100).contains(limit));
        limit.map(Self).ok_or(InvalidLimit)
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

/// The error for an invalid cursor.
pub fn not_a_cursor() -> Problem {
    invalid_parameters(vec![FieldError {
        field: "cursor".into(),
        detail: "must be the next_cursor of the previous page".to_owned(),
    }])
}
