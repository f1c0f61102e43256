//! Parameters of addresses.

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::problem::Problem;

/// The parameters behind the `?`; 400 for those that will not do or that the operation does not know.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(Problem::invalid_request(
                format!("{}.", rejection.body_text()),
                Vec::new(),
            )),
        }
    }
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
    Problem::invalid_request(
        "cursor must be the next_cursor of the page before.",
        Vec::new(),
    )
}
