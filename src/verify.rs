//! Verification: may this key do this now? (design §6)
//!
//! A key that is in memory is decided on without the database, without a lock that all requests share, and without an
//! allocation. The checks run in the order of design §6 and the first that fails answers.

pub mod cache;
mod decide;
mod find;
mod known_agent;
mod known_key;
mod known_org;
mod observe;

use std::{net::IpAddr, sync::Arc};

use strum::{IntoStaticStr, VariantArray};

pub use known_agent::KnownAgent;
pub use known_key::KnownKey;
pub use known_org::KnownOrg;
pub use observe::Verifications;

use crate::{
    Engine,
    clock::Monotonic,
    convention::{ClassIndex, Scope},
    db::StorageError,
    id::ProjectId,
    key::{
        Environment,
        text::{PlainKey, Recognised},
    },
    outcome::Outcome,
    rate_limit::{Cost, Standing, Windows},
    time::{SECOND, Timestamp},
    usage::subject::Subject,
};

use self::{
    decide::{Asked, Decision},
    find::Found,
    observe::observe,
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
    /// The end client's address: never that of the API server that asks.
    pub ip: Option<IpAddr>,
    /// The environment that the API server works in: a key of another one is refused. A public ID in place of a key counts
    /// as live.
    pub environment: Option<Environment>,
    /// The project that the API server works for: a key, or a public ID in place of one, of another is refused.
    pub project: Option<ProjectId>,
    /// As how many requests it counts in the rate limit. It is one request in the usage.
    pub cost: Cost,
    /// Decide, but count nothing: neither in the rate limit, nor in the usage, nor as the key's last use.
    pub dry_run: bool,
}

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
    fn of(outcome: Outcome) -> Self {
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

    fn invalid(reason: InvalidReason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::of(Outcome::InvalidApiKey)
        }
    }

    /// The last check: only what passed all others counts against a rate limit.
    fn limit(&mut self, windows: &Windows, request: &Request<'_>, engine: &Engine, now: Timestamp) {
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

/// The time of day, for what expires, and a clock that never goes back, for how old memory is.
#[derive(Debug, Clone, Copy)]
struct Now {
    wall: Timestamp,
    monotonic: Monotonic,
    /// What is in memory and was read then, or before, is not trusted.
    stale: Monotonic,
}

/// For how many milliseconds what a request found is decided on. Memory is trusted when the request begins; one that then
/// waits for the database must not decide on what others count as forgotten by then.
pub(crate) const DECIDED_WITHIN: i64 = 4 * SECOND;

impl Now {
    fn of(engine: &Engine) -> Self {
        let monotonic = engine.clock.monotonic();
        Self {
            wall: engine.clock.now(),
            monotonic,
            stale: engine.cache.stale_since(monotonic),
        }
    }

    /// Fails when what was found by now may be too old to decide on.
    fn still(self, engine: &Engine) -> Result<(), StorageError> {
        if engine.clock.monotonic().since(self.monotonic) < DECIDED_WITHIN {
            Ok(())
        } else {
            Err(StorageError::late())
        }
    }

    /// Whether nothing was forgotten since `changes` were counted. A request that waited for the database may have found
    /// what was forgotten while it waited, and others count on it that this decides nothing (see [`crate::effects`]): then it
    /// looks again, for as long as it may.
    fn is_unchanged(self, engine: &Engine, changes: u64) -> Result<bool, StorageError> {
        if engine.cache.changes() == changes {
            return Ok(true);
        }
        self.still(engine)?;
        Ok(false)
    }
}

/// Decides on a request and observes the decision: it is counted under its key, or under its agent when it comes without a
/// key, unless it is a dry run.
///
/// # Errors
/// When the key is not in memory (or has been there too long to be trusted) and the database cannot be asked. The
/// caller must refuse then.
pub async fn verify(engine: &Engine, request: &Request<'_>) -> Result<Answer, StorageError> {
    let now = Now::of(engine);
    let Some(presented) = request.key.filter(|key| !key.expose().is_empty()) else {
        return without_key(engine, request, now).await;
    };
    let unattributed = |answer| observe(engine, Decision::of(answer), None, request, now.wall);
    let recognised = presented.recognise(&engine.convention);
    let reason_if_absent = match recognised {
        Recognised::Ours { .. } => InvalidReason::Unknown,
        Recognised::Foreign => InvalidReason::Malformed,
        Recognised::Miswritten if engine.imports.any() => InvalidReason::Malformed,
        Recognised::Miswritten | Recognised::Malformed => {
            return Ok(unattributed(Answer::invalid(InvalidReason::Malformed)));
        }
    };
    let found = loop {
        let changes = engine.cache.changes();
        let found = find::all_of_key(engine, presented, request.agent, now).await?;
        if now.is_unchanged(engine, changes)? {
            break found;
        }
    };
    let Some(Found {
        key: known,
        secret_id,
        org,
        agent,
    }) = found
    else {
        return Ok(unattributed(Answer::invalid(reason_if_absent)));
    };
    let mut decision = match decide::usable(&known, secret_id, now.wall) {
        Err(answer) => Decision::of(answer),
        Ok(()) => {
            let asked = match request.agent {
                None => Asked::Nothing,
                Some(_) => agent.as_deref().map_or(Asked::Unknown, Asked::Of),
            };
            decide::with_key(&engine.convention, &known, &org, asked, request)
        }
    };
    now.still(engine)?;
    decision
        .answer
        .limit(&known.windows, request, engine, now.wall);
    let about = Some((known.org_id, Subject::Key(known.id, secret_id)));
    let mut answer = observe(engine, decision, about, request, now.wall);
    // Another org's agent is none of the caller's business.
    answer.agent = agent.filter(|_| answer.outcome != Outcome::OrgMismatch);
    answer.key = Some(known);
    answer.org = Some(org);
    Ok(answer)
}

/// Decides on a request without a key: an agent's public ID may stand in for one where the convention has that.
async fn without_key(
    engine: &Engine,
    request: &Request<'_>,
    now: Now,
) -> Result<Answer, StorageError> {
    let unattributed = |outcome| {
        let decision = Decision::of(Answer::of(outcome));
        observe(engine, decision, None, request, now.wall)
    };
    let asked = request
        .agent
        .filter(|_| engine.convention.public_agent_embedding);
    let Some(public_id) = asked else {
        return Ok(unattributed(Outcome::MissingApiKey));
    };
    let found = loop {
        let changes = engine.cache.changes();
        let found = find::all_of_agent(engine, public_id, now).await?;
        if now.is_unchanged(engine, changes)? {
            break found;
        }
    };
    let Some((agent, org)) = found else {
        return Ok(unattributed(Outcome::AgentNotFound));
    };
    now.still(engine)?;
    let mut decision = decide::with_agent_alone(&engine.convention, &agent, request);
    decision
        .answer
        .limit(&agent.windows, request, engine, now.wall);
    let about = Some((agent.org_id, Subject::Agent(agent.id)));
    let mut answer = observe(engine, decision, about, request, now.wall);
    answer.agent = Some(agent);
    answer.org = Some(org);
    Ok(answer)
}
