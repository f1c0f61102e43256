//! The result of a verification.

use std::sync::Arc;

use strum::{IntoStaticStr, VariantArray};

use super::{known_agent::KnownAgent, known_key::KnownKey, known_org::KnownOrg, request::Request};
use crate::{
    Engine,
    clock::Monotonic,
    convention::Scope,
    outcome::Outcome,
    rate_limit::{Standing, Windows},
};

/// Why a key is invalid. For trusted callers only: end clients see only that the key is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum InvalidReason {
    /// The text does not have the format of a key.
    Malformed,
    /// The key was not found.
    Unknown,
    /// The key is disabled.
    Disabled,
    /// The key is revoked.
    Revoked,
    /// The secret was replaced by a rotation and its overlap is over.
    Superseded,
}

/// The result of verifying a [`Request`].
#[derive(Debug)]
pub struct Answer {
    /// The outcome.
    pub outcome: Outcome,
    /// Why the key is invalid, if it is.
    pub reason: Option<InvalidReason>,
    /// The required scopes that the key does not have.
    pub missing_scopes: Vec<Scope>,
    /// The key, if it was found.
    pub key: Option<Arc<KnownKey>>,
    /// The org of the key, or of the agent that replaces the key.
    pub org: Option<Arc<KnownOrg>>,
    /// The requested agent, if it was found and the caller is allowed to see it.
    pub agent: Option<Arc<KnownAgent>>,
    /// Whether the key (or agent) works on pages of the request's origin.
    pub origin_allowed: bool,
    /// The state of the rate limit of the key (or of the agent that replaces it), if all other checks passed.
    pub rate_limit: Option<Standing>,
}

impl InvalidReason {
    /// All reasons.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The value in the API.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Answer {
    pub(super) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            reason: None,
            missing_scopes: Vec::new(),
            key: None,
            org: None,
            agent: None,
            origin_allowed: false,
            rate_limit: None,
        }
    }

    pub(super) fn invalid(reason: InvalidReason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::of(Outcome::InvalidApiKey)
        }
    }

    /// The last check: a request counts towards the rate limit only if it passed all other checks.
    pub(super) fn limit(
        &mut self,
        windows: &Windows,
        request: &Request<'_>,
        engine: &Engine,
        now: Monotonic,
    ) {
        if self.outcome != Outcome::Valid {
            return;
        }
        let Request { class, cost, .. } = *request;
        let taken = match request.dry_run {
            false => windows.take(class, cost, &engine.convention, now),
            true => windows.would_take(class, cost, &engine.convention, now),
        };
        if taken.is_err() {
            self.outcome = Outcome::RateLimited;
        }
        let (Ok(standing) | Err(standing)) = taken;
        self.rate_limit = Some(standing);
    }
}
