//! Changing an agent.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
};

use super::{AgentError, AgentSettings, PublicId, check};

/// Gives an agent new settings. Verifications on this instance go by them from then on.
///
/// # Errors
/// When there is no such agent or something about it will not do, which changes nothing.
pub async fn edit(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    public_id: PublicId,
    settings: &AgentSettings,
) -> Result<(), AgentError> {
    let mut tx = engine.db.begin().await?;
    let project = check(engine, &mut tx, permit.org_id(), settings).await?;
    const UPDATE: &str = "UPDATE agents SET name = $1, project_id = $2, domains = $3, public_embedding = $4 \
         WHERE org_id = $5 AND public_id = $6";
    let changed = on!(tx.on(), c => sqlx::query(UPDATE)
        .bind(settings.name.clone()).bind(project).bind(serde_json::json!(settings.domains).to_string())
        .bind(settings.public_embedding).bind(permit.org_id()).bind(public_id)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(StorageError::from)?;
    if changed == 0 {
        return Err(AgentError::NotFound);
    }
    tx.commit().await?;
    engine.cache.forget_agent(&public_id);
    Ok(())
}
