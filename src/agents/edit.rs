//! Changing an agent.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, select_locked},
    domain::DomainPattern,
    id::ProjectId,
    keys::rules::each_once,
    name::DisplayName,
};

use super::{AgentError, AgentSettings, PublicId, check};

/// What is to be different about an agent. `None` leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditAgent {
    /// Its name.
    pub name: Option<DisplayName>,
    /// The project it belongs to; `Some(None)` means the org's first, `Default`.
    pub project: Option<Option<ProjectId>>,
    /// The sites whose pages may use it.
    pub domains: Option<Vec<DomainPattern>>,
    /// Whether its public ID may stand in a page in place of a key.
    pub public_embedding: Option<bool>,
}

/// Everything anew.
impl From<AgentSettings> for EditAgent {
    fn from(settings: AgentSettings) -> Self {
        Self {
            name: Some(settings.name),
            project: Some(settings.project),
            domains: Some(settings.domains),
            public_embedding: Some(settings.public_embedding),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    name: DisplayName,
    project_id: ProjectId,
    domains: String,
    public_embedding: bool,
}

/// Changes an agent. Verifications on this instance go by it from then on.
///
/// # Errors
/// When there is no such agent or something about it will not do, which changes nothing.
pub async fn edit(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    public_id: PublicId,
    edit: EditAgent,
) -> Result<(), AgentError> {
    let org_id = permit.org_id();
    let mut tx = engine.db.begin().await?;
    let row: Option<Row> = select_locked!(
        tx,
        "SELECT name, project_id, domains, public_embedding FROM agents WHERE org_id = $1 AND public_id = $2",
        org_id,
        public_id
    )?;
    let row = row.ok_or(AgentError::NotFound)?;
    let settings = AgentSettings {
        name: edit.name.unwrap_or(row.name),
        project: edit.project.unwrap_or(Some(row.project_id)),
        domains: match edit.domains {
            Some(domains) => domains,
            None => crate::keys::stored_domains(&row.domains)?,
        },
        public_embedding: edit.public_embedding.unwrap_or(row.public_embedding),
    };
    let project = check(engine, &mut tx, org_id, &settings).await?;
    const UPDATE: &str = "UPDATE agents SET name = $1, project_id = $2, domains = $3, public_embedding = $4 \
         WHERE org_id = $5 AND public_id = $6";
    on!(tx.on(), c => sqlx::query(UPDATE)
        .bind(settings.name.clone()).bind(project).bind(serde_json::json!(each_once(settings.domains)).to_string())
        .bind(settings.public_embedding).bind(org_id).bind(public_id)
        .execute(c).await.map(drop))
    .map_err(StorageError::from)?;
    tx.commit().await?;
    engine.cache.forget_agent(&public_id);
    Ok(())
}
