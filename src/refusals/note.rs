//! Noting a rejected request.

use super::memory::Noted;
use crate::{
    Engine,
    convention::{Convention, Scope},
    key::text::PlainKey,
    network::Network,
    outcome::Outcome,
    time::Timestamp,
    verify::{
        Answer, find,
        recorded::{Received, Recorded},
    },
};

use super::ClientFamily;

/// Notes a request that was rejected, in the organization of its key or agent, or of the service token that it came with.
/// A request that leads to none is noted nowhere: anyone can invent keys.
pub(crate) fn note(engine: &Engine, answer: &Answer, request: &Received<'_>, now: Timestamp) {
    if answer.outcome == Outcome::Valid || request.dry_run {
        return;
    }
    let key = answer.key.as_deref();
    // An unknown key can come with an agent that is known.
    let in_memory = match (key, &answer.agent) {
        (None, None) => request
            .agent
            .and_then(|agent| find::agent_in_memory(engine, agent)),
        _ => None,
    };
    let agent = answer.agent.as_deref().or(in_memory.as_deref());
    let agent = agent.filter(|agent| request.reaches(agent.org_id));
    let org_id = key
        .map(|key| key.org_id)
        .or(agent.map(|agent| agent.org_id));
    let Some(org_id) = org_id.or(request.org) else {
        return;
    };
    let unknown = request.key.filter(|_| key.is_none());
    let recorded = request.recorded(engine, answer.outcome);
    let missing: &[Scope] = match recorded.scopes.len() == request.scopes.len() {
        true => &answer.missing_scopes,
        false => &[],
    };
    let noted = Noted {
        reason: answer.reason,
        key_id: key.map(|key| key.id),
        agent_id: agent
            .filter(|agent| agent.org_id == org_id)
            .map(|agent| agent.id),
        prefix: unknown.and_then(|key| prefix(key, &engine.convention)),
        ..noted(&recorded, answer.outcome, missing, now)
    };
    engine.refusals.add(org_id, noted);
}

/// What is noted of a request whose key and agent are not known.
pub(super) fn noted(
    request: &Recorded<'_>,
    outcome: Outcome,
    missing_scopes: &[Scope],
    at: Timestamp,
) -> Noted {
    let scopes: Vec<&str> = missing_scopes.iter().map(Scope::as_str).collect();
    Noted {
        at,
        outcome,
        reason: None,
        key_id: None,
        agent_id: None,
        prefix: None,
        class: request.class,
        origin: request.origin.map(|origin| origin.to_string()),
        network: request.ip.map(Network::of),
        client: request.client.map(ClientFamily::named),
        missing_scopes: scopes.join(" "),
    }
}

/// The prefix of this instance's keys that a text begins with.
fn prefix(key: &PlainKey, convention: &Convention) -> Option<String> {
    let prefixes = convention.prefixes().chain(convention.legacy_prefixes());
    let mut prefixes = prefixes.map(|(prefix, _, _)| prefix);
    let prefix = prefixes.find(|prefix| !prefix.is_empty() && key.expose().starts_with(prefix));
    prefix.map(str::to_owned)
}
