//! What an API server should put on its own answer to its client.

use latchkey::{
    convention::{Convention, Scope},
    outcome::Outcome,
    verify::{Answer, Request},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Headers by their names in lower case.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ClientHeaders {
    /// How to authenticate (RFC 6750), on 401 and where a scope is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    www_authenticate: Option<String>,
    /// The request's origin, where a list of domains allowed it: its page may read the answer, errors too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    access_control_allow_origin: Option<String>,
    /// Beside `access-control-allow-origin`, for caches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    vary: Option<&'static str>,
}

impl ClientHeaders {
    /// The headers that go with an answer.
    pub fn of(answer: &Answer, request: &Request<'_>, convention: &Convention) -> Self {
        let sent_a_key = request.key.is_some_and(|key| !key.expose().is_empty());
        let allowed = request.origin.filter(|_| answer.origin_allowed);
        Self {
            access_control_allow_origin: allowed.map(str::to_owned),
            vary: allowed.map(|_| "Origin"),
            www_authenticate: challenge(answer.outcome, sent_a_key, request.scopes, convention),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The challenge of RFC 6750, section 3: without an error where no key was sent, and with all scopes that the request
/// needs where the key lacks some.
fn challenge(
    outcome: Outcome,
    sent_a_key: bool,
    needed: &[Scope],
    convention: &Convention,
) -> Option<String> {
    // A convention's name is of a–z, 0–9 and `-`, and a scope has no quotation marks: neither needs escaping.
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
