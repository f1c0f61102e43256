//! Cached agents.

use std::sync::Arc;

use crate::{
    agents::PublicId,
    db::{StorageError, places},
    domain::DomainPattern,
    id::{AgentId, OrgId, ProjectId},
    name::DisplayName,
    rate_limit::Windows,
    usage::subject::{Cell, Group},
};

/// The agent data needed for verification.
#[derive(Debug)]
pub struct KnownAgent {
    /// The agent's ID.
    pub id: AgentId,
    /// The ID that can be published in a page's source.
    pub public_id: PublicId,
    /// The display name.
    pub name: DisplayName,
    /// The agent's org.
    pub org_id: OrgId,
    /// The agent's project.
    pub project_id: ProjectId,
    /// The sites on which the agent works. Empty means that only the key's own domains apply.
    pub domains: Vec<DomainPattern>,
    /// Whether a page can send the agent's public ID instead of a key.
    pub public_embedding: bool,
    /// The rate limit windows for pages that send the public ID instead of a key.
    pub(super) windows: Arc<Windows>,
}

/// The columns of a [`KnownAgent`].
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: AgentId,
    public_id: PublicId,
    name: DisplayName,
    org_id: OrgId,
    project_id: ProjectId,
    domains: String,
    public_embedding: bool,
}

/// Selects the public IDs that exist of `agents` public IDs, with their agent, which never changes.
pub(super) fn select_by_public_id(agents: usize) -> String {
    let places = places(1, agents);
    format!("SELECT public_id, id FROM agents WHERE public_id IN ({places})")
}

/// Selects `agents` agents by ID.
pub(super) fn select(agents: usize) -> String {
    let places = places(1, agents);
    format!(
        "SELECT id, public_id, name, org_id, project_id, domains, public_embedding FROM agents WHERE id IN ({places})"
    )
}

impl KnownAgent {
    /// The agents that this one's requests without a key are counted with.
    pub(super) fn cell(&self) -> Cell {
        Cell {
            project: Some(self.project_id),
            group: Group::Agents,
        }
    }

    pub(super) fn from_row(row: Row, windows: Arc<Windows>) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            public_id: row.public_id,
            name: row.name,
            org_id: row.org_id,
            project_id: row.project_id,
            domains: crate::keys::stored_domains(&row.domains)?,
            public_embedding: row.public_embedding,
            windows,
        })
    }
}
