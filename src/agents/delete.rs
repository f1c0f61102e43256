//! Deleting an agent.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    id::AgentId,
};

use super::{AgentError, PublicId};

/// Deletes an agent. Its public ID means nothing from then on, and no agent gets it again.
///
/// # Errors
/// When there is no such agent.
pub async fn delete(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    public_id: PublicId,
) -> Result<(), AgentError> {
    let mut change = engine.change(permit).await?;
    const SQL: &str = "DELETE FROM agents WHERE org_id = $1 AND public_id = $2 RETURNING id";
    let deleted: Option<AgentId> = on!(change.on(), c => sqlx::query_scalar(SQL)
        .bind(permit.org_id()).bind(public_id).fetch_optional(c).await)?;
    let id = deleted.ok_or(AgentError::NotFound)?;
    let deleted = Happened::new(Event::AgentDeleted, Target::Agent(id));
    Ok(change.commit(deleted).await?)
}
