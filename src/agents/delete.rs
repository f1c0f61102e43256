//! Deleting an agent.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
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
    const SQL: &str = "DELETE FROM agents WHERE org_id = $1 AND public_id = $2";
    let deleted = on!(engine.db.write(), c => sqlx::query(SQL)
        .bind(permit.org_id()).bind(public_id).execute(c).await.map(|done| done.rows_affected()))
    .map_err(StorageError::from)?;
    if deleted == 0 {
        return Err(AgentError::NotFound);
    }
    engine.cache.forget_agent(&public_id);
    Ok(())
}
