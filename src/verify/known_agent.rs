//! An agent as the cache holds it.

use std::sync::Arc;

use crate::{
    agents::PublicId,
    db::StorageError,
    domain::DomainPattern,
    id::{AgentId, OrgId, ProjectId},
    name::DisplayName,
    rate_limit::Windows,
};

/// An agent as verification knows it.
#[derive(Debug)]
pub struct KnownAgent {
    /// Its id.
    pub id: AgentId,
    /// The id that may stand in a page's source.
    pub public_id: PublicId,
    /// Its name.
    pub name: DisplayName,
    /// The org it belongs to.
    pub org_id: OrgId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The sites whose pages may use it; empty means no restriction beyond the key's.
    pub domains: Vec<DomainPattern>,
    /// Whether its public ID may stand in a page in place of a key.
    pub public_embedding: bool,
    /// What rate limits leave to pages that send its public ID in place of a key.
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

/// Reads which agent a public ID is of. Never changes.
pub(super) const SELECT_BY_PUBLIC_ID: &str = "SELECT id FROM agents WHERE public_id = $1";

/// Reads an agent by its id.
pub(super) const SELECT: &str = "SELECT id, public_id, name, org_id, project_id, domains, public_embedding \
     FROM agents WHERE id = $1";

impl KnownAgent {
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
