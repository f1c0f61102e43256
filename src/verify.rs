//! Verification: may this key do this now? (design §6)
//!
//! A key that is in memory is decided on without the database, without a lock that all requests share, and without an
//! allocation. The checks run in the order of design §6 and the first that fails answers.

pub mod cache;
mod find;
mod known_key;

use std::sync::Arc;

pub use known_key::KnownKey;

use crate::{
    Engine,
    convention::{self, Convention, Scope},
    db::StorageError,
    domain::{self, Origin},
    key::{
        Kind,
        text::{PlainKey, Recognised},
    },
    outcome::Outcome,
    time::Timestamp,
    usage::recorder::{Bucket, ClassIndex},
};

/// What an API server asks.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The key that its client presented.
    pub key: Option<&'a PlainKey>,
    /// The public ID of the agent that the client wants.
    pub agent: Option<&'a str>,
    /// What the client's request needs.
    pub scopes: &'a [Scope],
    /// Which rate limit the request counts against.
    pub class: ClassIndex,
    /// The client's `Origin` header as it came; `None` when there was none.
    pub origin: Option<&'a str>,
    /// The client's `Referer` header as it came.
    pub referer: Option<&'a str>,
}

/// Why a key is invalid. For trusted callers: an end client is told only that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidReason {
    /// It does not look like a key.
    Malformed,
    /// There is no such key.
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
}

impl InvalidReason {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
        }
    }
}

impl Answer {
    fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            reason: None,
            missing_scopes: Vec::new(),
            key: None,
        }
    }

    fn invalid(reason: InvalidReason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::of(Outcome::InvalidApiKey)
        }
    }
}

/// Decides on a request and counts the decision under its key.
///
/// # Errors
/// When the key is not in memory (or has been there too long to be trusted) and the database cannot be asked. The
/// caller must refuse then.
pub async fn verify(engine: &Engine, request: &Request<'_>) -> Result<Answer, StorageError> {
    let now = engine.clock.now();
    let Some(presented) = request.key.filter(|key| !key.expose().is_empty()) else {
        let outcome = if request.agent.is_some() {
            Outcome::AgentNotFound
        } else {
            Outcome::MissingApiKey
        };
        return Ok(Answer::of(outcome));
    };
    let known = match presented.recognise(&engine.convention) {
        Recognised::Ours { .. } => find::find(engine, presented, now).await?,
        Recognised::Foreign | Recognised::Malformed => {
            return Ok(Answer::invalid(InvalidReason::Malformed));
        }
    };
    let Some(known) = known else {
        return Ok(Answer::invalid(InvalidReason::Unknown));
    };
    let mut answer = decide(&engine.convention, &known, request, now);
    engine
        .recorder
        .count(Bucket::of(&known, request.class, answer.outcome, now), now);
    answer.key = Some(known);
    Ok(answer)
}

/// The decision on a known key: pure, so that every case can be listed in a test.
fn decide(
    convention: &Convention,
    key: &KnownKey,
    request: &Request<'_>,
    now: Timestamp,
) -> Answer {
    if key.lifecycle.revoked_at.is_some() {
        return Answer::invalid(InvalidReason::Revoked);
    }
    if key.lifecycle.disabled_at.is_some() {
        return Answer::invalid(InvalidReason::Disabled);
    }
    if key.secret_ends_at.is_some_and(|at| at <= now) {
        return Answer::invalid(InvalidReason::Superseded);
    }
    if key.lifecycle.expires_at.is_some_and(|at| at <= now) {
        return Answer::of(Outcome::ExpiredApiKey);
    }
    if request.agent.is_some() {
        return Answer::of(Outcome::AgentNotFound);
    }
    if key.kind == Kind::Widget && !comes_from_allowed_domain(convention, key, request) {
        return Answer::of(Outcome::OriginNotAllowed);
    }
    match convention::satisfies(&key.scopes, request.scopes, convention) {
        Ok(()) => Answer::of(Outcome::Valid),
        Err(missing_scopes) => Answer {
            missing_scopes,
            ..Answer::of(Outcome::InsufficientScope)
        },
    }
}

/// Whether a page of one of the key's domains made the request.
fn comes_from_allowed_domain(
    convention: &Convention,
    key: &KnownKey,
    request: &Request<'_>,
) -> bool {
    Origin::of_request(request.origin, request.referer).is_ok_and(|origin| {
        domain::matching(&key.domains, &origin, convention.domain_rule(false)).is_some()
    })
}
