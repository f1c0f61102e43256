//! Making an agent.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::AgentId,
};

use super::{AgentError, AgentSettings, AgentSummary, PublicId, check};

/// Makes an agent with a public ID of its own.
///
/// # Errors
/// When something about it will not do, which changes nothing.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    settings: &AgentSettings,
) -> Result<AgentSummary, AgentError> {
    let now = engine.clock.now();
    let id = AgentId::new(now.as_millis(), engine.random.bytes()?);
    let public_id = PublicId::generate(&engine.random)?;
    let mut tx = engine.db.begin().await?;
    let project = check(engine, &mut tx, permit.org_id(), settings).await?;
    const INSERT: &str = "INSERT INTO agents (id, org_id, project_id, public_id, name, domains, public_embedding, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on!(tx.on(), c => sqlx::query(INSERT)
        .bind(id).bind(permit.org_id()).bind(project).bind(public_id).bind(settings.name.clone())
        .bind(serde_json::json!(settings.domains).to_string()).bind(settings.public_embedding).bind(now)
        .execute(c).await.map(drop))
    .map_err(StorageError::from)?;
    tx.commit().await?;
    Ok(AgentSummary {
        id,
        public_id,
        name: settings.name.clone(),
    })
}
