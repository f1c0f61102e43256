//! The headers that an API server should add to the response to its client.

use std::fmt::Display;

use latchkey::{
    convention::{Convention, Scope},
    outcome::Outcome,
    verify::{Answer, Request},
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::rate_limit::{Policy, RateLimit, Remaining};
use crate::cors::EXPOSED_HEADERS;

/// Headers by their names in lower case.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ClientHeaders<'a> {
    /// How to authenticate (RFC 6750). Sent with 401 and if a scope is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    www_authenticate: Option<String>,
    /// The origin of the request, if any key works on it. Its pages can read the response, including errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    access_control_allow_origin: Option<String>,
    /// The headers that the page can read. Sent with `access-control-allow-origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    access_control_expose_headers: Option<&'static str>,
    /// For caches. Sent if the request had an origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    vary: Option<&'static str>,
    /// The rate limit of the endpoint class: `"chat";q=60;w=60` (draft-ietf-httpapi-ratelimit-headers).
    #[serde(
        rename = "ratelimit-policy",
        skip_serializing_if = "Option::is_none",
        serialize_with = "text"
    )]
    #[schema(value_type = String, required = false)]
    rate_limit_policy: Option<Policy<'a>>,
    /// The remaining requests, and the seconds until the window resets: `"chat";r=12;t=41`.
    #[serde(
        rename = "ratelimit",
        skip_serializing_if = "Option::is_none",
        serialize_with = "text"
    )]
    #[schema(value_type = String, required = false)]
    rate_limit: Option<Remaining<'a>>,
    /// The number of seconds to wait. Sent with `RATE_LIMITED`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "text")]
    #[schema(value_type = String, required = false)]
    retry_after: Option<i64>,
}

impl<'a> ClientHeaders<'a> {
    /// The headers for an answer.
    ///
    /// `readable` states whether pages of the request's origin can read responses even if the key itself does not allow
    /// the origin.
    pub fn of(
        answer: &Answer,
        request: &Request<'_>,
        readable: bool,
        convention: &'a Convention,
    ) -> Self {
        let sent_a_key = request.key.is_some_and(|key| !key.expose().is_empty());
        let allowed = request.origin.filter(|_| answer.origin_allowed || readable);
        let rate_limit = answer
            .rate_limit
            .as_ref()
            .map(|standing| RateLimit::of(standing, convention));
        Self {
            access_control_allow_origin: allowed.map(str::to_owned),
            access_control_expose_headers: allowed.map(|_| EXPOSED_HEADERS),
            vary: request.origin.map(|_| "Origin"),
            rate_limit_policy: rate_limit.map(Policy),
            rate_limit: rate_limit.map(Remaining),
            retry_after: rate_limit
                .filter(|_| answer.outcome == Outcome::RateLimited)
                .map(|rate_limit| rate_limit.retry_after()),
            www_authenticate: challenge(answer.outcome, sent_a_key, request.scopes, convention),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The challenge according to RFC 6750, section 3: without an error if no key was sent, and with all scopes that the
/// request requires if the key lacks one.
fn challenge(
    outcome: Outcome,
    sent_a_key: bool,
    needed: &[Scope],
    convention: &Convention,
) -> Option<String> {
    // The name of a convention consists of a–z, 0–9 and `-`, and a scope has no quotation marks, so neither needs
    // escaping.
    let realm = &convention.name;
    match (outcome, outcome.status()) {
        (Outcome::InsufficientScope, _) => {
            let needed: Vec<&str> = needed.iter().map(Scope::as_str).collect();
            let needed = needed.join(" ");
            Some(format!(
                "Bearer realm=\"{realm}\", error=\"insufficient_scope\", scope=\"{needed}\""
            ))
        }
        (_, 401) if sent_a_key => {
            Some(format!("Bearer realm=\"{realm}\", error=\"invalid_token\""))
        }
        (_, 401) => Some(format!("Bearer realm=\"{realm}\"")),
        _ => None,
    }
}

fn text<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
