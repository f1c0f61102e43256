//! The answer to a verification.

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

/// Why a key is invalid. For trusted callers: an end client is told only that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum InvalidReason {
    /// It does not look like a key.
    Malformed,
    /// The key was not found.
    Unknown,
    /// It is switched off.
    Disabled,
    /// It was ended.
    Revoked,
    /// It is an old secret whose overlap is over.
    Superseded,
}

/// The answer to a [`Request`].
#[derive(Debug)]
pub struct Answer {
    /// What was decided.
    pub outcome: Outcome,
    /// Why the key is invalid, when it is.
    pub reason: Option<InvalidReason>,
    /// The scopes that the key lacks, when it lacks some.
    pub missing_scopes: Vec<Scope>,
    /// The key, when it is known.
    pub key: Option<Arc<KnownKey>>,
    /// The org of the key, or of the agent that stands in for one.
    pub org: Option<Arc<KnownOrg>>,
    /// The agent that was asked for, when it is one that the request may be about.
    pub agent: Option<Arc<KnownAgent>>,
    /// Whether the key (or agent) works on pages of the request's origin.
    pub origin_allowed: bool,
    /// Where the key (or the agent that stands in for one) is in its rate limit, when nothing else refused it.
    pub rate_limit: Option<Standing>,
}

impl InvalidReason {
    /// Every reason.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word on the wire.
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

    /// The last check: only what passed all others counts against a rate limit.
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
