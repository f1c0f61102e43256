//! An agent as the cache holds it.

use std::sync::Arc;

use crate::{
    agents::PublicId,
    db::StorageError,
    domain::DomainPattern,
    id::{AgentId, OrgId, ProjectId},
    name::{DisplayName, Slug},
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
    /// That org's name in addresses.
    pub org_slug: Slug,
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
    slug: Slug,
    project_id: ProjectId,
    domains: String,
    public_embedding: bool,
}

/// Reads an agent by its public ID.
pub(super) const SELECT_BY_PUBLIC_ID: &str = "SELECT agents.id, agents.public_id, agents.name, agents.org_id, \
     orgs.slug, agents.project_id, agents.domains, agents.public_embedding \
     FROM agents JOIN orgs ON orgs.id = agents.org_id WHERE agents.public_id = $1";

impl KnownAgent {
    pub(super) fn from_row(row: Row, windows: Arc<Windows>) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            public_id: row.public_id,
            name: row.name,
            org_id: row.org_id,
            org_slug: row.slug,
            project_id: row.project_id,
            domains: crate::keys::stored_domains(&row.domains)?,
            public_embedding: row.public_embedding,
            windows,
        })
    }
}
