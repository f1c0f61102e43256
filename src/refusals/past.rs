//! Rejected requests of earlier times, for the demonstration: stored like those that were just rejected.

use super::{memory::Noted, note::noted, store::store};
use crate::{
    Engine,
    access::Operator,
    convention::Scope,
    fault::Fault,
    id::{AgentId, KeyId, OrgId, RefusalId},
    outcome::Outcome,
    time::Timestamp,
    verify::{InvalidReason, Request, recorded::Recorded},
};

/// A rejected request of an earlier time.
#[derive(Debug)]
pub struct PastRefusal<'a> {
    /// The org.
    pub org_id: OrgId,
    /// When it was rejected.
    pub at: Timestamp,
    /// Why.
    pub outcome: Outcome,
    /// Why the key is invalid, if it is.
    pub reason: Option<InvalidReason>,
    /// The key.
    pub key_id: Option<KeyId>,
    /// The agent whose public ID was sent.
    pub agent_id: Option<AgentId>,
    /// The prefix of a key that does not exist.
    pub prefix: Option<&'a str>,
    /// The required scopes that the key does not have.
    pub missing_scopes: &'a [Scope],
    /// What it came with.
    pub request: Request<'a>,
}

/// Stores rejected requests. An organization keeps only the newest [`KEPT`](super::KEPT).
///
/// # Errors
/// If the database cannot be reached.
pub async fn store_past(
    engine: &Engine,
    _operator: &Operator,
    past: &[PastRefusal<'_>],
) -> Result<(), Fault> {
    let mut unstored = engine.refusals.unstored.lock().await;
    for past in past {
        let noted = Noted {
            reason: past.reason,
            key_id: past.key_id,
            agent_id: past.agent_id,
            prefix: past.prefix.map(str::to_owned),
            ..noted(
                &Recorded::of_past(&past.request),
                past.outcome,
                past.missing_scopes,
                past.at,
            )
        };
        let id = RefusalId::new(past.at.as_millis(), engine.random.bytes()?);
        unstored.push((past.org_id, id, noted));
    }
    drop(unstored);
    store(engine).await
}
