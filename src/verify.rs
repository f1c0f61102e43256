//! Verification: whether a key is allowed to make a request (design §6).
//!
//! For a cached key, the decision needs no database access, no lock shared by all requests, and no allocation. The
//! checks run in the order of design §6, and the first that fails determines the outcome.

mod answer;
pub mod cache;
mod decide;
pub(crate) mod find;
mod known_agent;
mod known_key;
mod known_org;
mod now;
mod observe;
pub(crate) mod recorded;
pub(crate) mod request;

pub use answer::{Answer, InvalidReason};
pub use known_agent::KnownAgent;
pub use known_key::KnownKey;
pub use known_org::KnownOrg;
pub(crate) use now::DECIDED_WITHIN;
pub use observe::Verifications;
pub use request::Request;

use crate::{
    Engine,
    db::StorageError,
    key::text::Recognised,
    outcome::Outcome,
    refusals,
    usage::{flush::flush, subject::Subject},
};

use self::{
    decide::{Asked, Decision},
    find::Found,
    now::Now,
    observe::observe,
    recorded::Received,
};

/// Verifies a request and records the decision. Unless it is a dry run, the request is counted for its key, or for its
/// agent if it has no key.
///
/// # Errors
/// If the key is not cached (or its entry is too old to be trusted) and the database cannot be reached. The caller must
/// reject the request then.
pub async fn verify(engine: &Engine, request: &Request<'_>) -> Result<Answer, StorageError> {
    let now = Now::of(engine);
    let request = Received::of(request);
    let answer = decide_and_count(engine, &request, now).await?;
    refusals::note(engine, &answer, &request, now.wall);
    Ok(answer)
}

async fn decide_and_count(
    engine: &Engine,
    request: &Received<'_>,
    now: Now,
) -> Result<Answer, StorageError> {
    let Some(presented) = request.key.filter(|key| !key.expose().is_empty()) else {
        return without_key(engine, request, now).await;
    };
    let unattributed = |answer| observe(engine, Decision::of(answer), None, request, now.wall);
    let recognised = presented.recognise(&engine.convention);
    let reason_if_absent = match recognised {
        Recognised::Ours { .. } => InvalidReason::Unknown,
        Recognised::Foreign => InvalidReason::Malformed,
        Recognised::Miswritten if engine.imports.may_hold(engine.peppers.digests(presented)) => {
            InvalidReason::Malformed
        }
        Recognised::Miswritten | Recognised::Malformed => {
            return Ok(unattributed(absent(request, InvalidReason::Malformed)));
        }
    };
    let found = loop {
        let changes = engine.cache.changes();
        let found = find::all_of_key(engine, presented, request, now).await?;
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
        return Ok(unattributed(absent(request, reason_if_absent)));
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
        .limit(&known.windows, request, engine, now.monotonic);
    let about = Some((
        known.org_id,
        Subject::Key(known.id, secret_id),
        known.cell(),
    ));
    let mut answer = observe(engine, decision, about, request, now.wall);
    if answer.outcome == Outcome::Valid
        && !request.dry_run
        && known.is_first_use_beside_old_one(secret_id)
    {
        let flushing = engine.clone();
        engine.commits.spawn(async move {
            // A batch that cannot be stored is kept for the next flush.
            if let Err(error) = flush(&flushing).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "failed to store the first use of a new secret");
            }
        });
    }
    // Do not disclose another org's agent to the caller.
    answer.agent = agent.filter(|_| answer.outcome != Outcome::OrgMismatch);
    answer.key = Some(known);
    answer.org = Some(org);
    Ok(answer)
}

/// The answer for a text that is not a key. To an organization's own token it gives no reason, so that the key of another
/// organization looks the same as one that does not exist.
fn absent(request: &Request<'_>, reason: InvalidReason) -> Answer {
    match request.org {
        None => Answer::invalid(reason),
        Some(_) => Answer::of(Outcome::InvalidApiKey),
    }
}

/// Verifies a request without a key. An agent's public ID can replace the key if the convention allows it.
async fn without_key(
    engine: &Engine,
    request: &Received<'_>,
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
        let found = find::all_of_agent(engine, public_id, request, now).await?;
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
        .limit(&agent.windows, request, engine, now.monotonic);
    let about = Some((agent.org_id, Subject::Agent(agent.id), agent.cell()));
    let mut answer = observe(engine, decision, about, request, now.wall);
    answer.agent = Some(agent);
    answer.org = Some(org);
    Ok(answer)
}
