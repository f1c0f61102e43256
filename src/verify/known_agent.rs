//! Cached agents.

use std::sync::Arc;

use crate::{
    agents::PublicId,
    db::StorageError,
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

/// Selects the ID of the agent with a public ID. It never changes.
pub(super) const SELECT_BY_PUBLIC_ID: &str = "SELECT id FROM agents WHERE public_id = $1";

/// Selects an agent by ID.
pub(super) const SELECT: &str = "SELECT id, public_id, name, org_id, project_id, domains, public_embedding \
     FROM agents WHERE id = $1";

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
