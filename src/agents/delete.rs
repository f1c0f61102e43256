//! Deleting an agent.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{on, select_locked},
    event::{Event, Target},
    id::AgentId,
    idempotency::note_gone,
    revision::{AsKnown, Revision},
};

use super::{AgentError, PublicId, show};

/// Deletes an agent. Its public ID stops working and is never reused.
///
/// # Errors
/// If there is no such agent, or it was changed in the meantime.
pub async fn delete(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    agent: impl Into<AsKnown<PublicId>>,
) -> Result<(), AgentError> {
    let (org_id, agent) = (permit.org_id(), agent.into());
    let mut change = engine.change(permit).await?;
    let locked: Option<(AgentId, Option<String>)> = select_locked!(
        change,
        "SELECT id, creation_token FROM agents WHERE org_id = $1 AND public_id = $2",
        org_id,
        agent.id
    )?;
    let (id, creation_token) = locked.ok_or(AgentError::NotFound)?;
    let stored = show::details_within(change.tx(), org_id, agent.id).await?;
    let stored = stored.ok_or(AgentError::NotFound)?;
    let nothing_sent = Revision::default();
    if agent
        .known
        .is_outdated(&nothing_sent, &stored.revision(), || stored.tag())
    {
        return Err(AgentError::ChangedMeanwhile);
    }
    const SQL: &str = "DELETE FROM agents WHERE org_id = $1 AND id = $2";
    on!(change.on(), c => sqlx::query(SQL).bind(org_id).bind(id).execute(c).await.map(drop))?;
    note_gone(change.tx(), creation_token.as_deref()).await?;
    let deleted = Happened::new(Event::AgentDeleted, Target::Agent(id));
    let deleted = deleted.changed("public_id", agent.id.to_string(), None::<&str>);
    Ok(change.commit(deleted).await?)
}
