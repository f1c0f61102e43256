//! An org's agents: the bots, assistants and apps that keys are used on (design §1).

pub mod create;
pub mod delete;
pub mod edit;
pub mod list;
mod public_id;
pub mod show;

use crate::{
    Engine,
    db::Tx,
    domain::{DomainPattern, MAX_PATTERNS, TOO_MANY_PATTERNS},
    fault::{Fault, from_fault},
    id::{AgentId, OrgId, ProjectId},
    keys::project,
    name::DisplayName,
    time::Timestamp,
};

pub use public_id::{InvalidPublicId, PublicId};

/// What every role may know of an agent.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AgentSummary {
    /// Its id.
    pub id: AgentId,
    /// The id that may stand in a page's source.
    pub public_id: PublicId,
    /// Its name.
    pub name: DisplayName,
}

/// What owners and admins may know of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// What everyone may know.
    pub summary: AgentSummary,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// That project's name.
    pub project_name: DisplayName,
    /// The sites whose pages may use it; empty means no restriction beyond the key's.
    pub domains: Vec<DomainPattern>,
    /// Whether its public ID may stand in a page in place of a key.
    pub public_embedding: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What an agent is created from, and changed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// Its name.
    pub name: DisplayName,
    /// The project it belongs to; `None` means the org's first, `Default`.
    pub project: Option<ProjectId>,
    /// The sites whose pages may use it; empty means no restriction beyond the key's.
    pub domains: Vec<DomainPattern>,
    /// Whether its public ID may stand in a page in place of a key.
    pub public_embedding: bool,
}

/// Why an agent was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The org has no such agent.
    #[error("The agent was not found.")]
    NotFound,
    /// Someone else changed what the caller based the change on.
    #[error("Someone else changed this agent in the meantime.")]
    ChangedMeanwhile,
    /// The org has no such project.
    #[error("The project was not found. Choose a project of this organization.")]
    UnknownProject,
    /// The convention has no public IDs in place of keys.
    #[error("This instance requires a key on every page. Turn off embedding by public ID.")]
    EmbeddingNotOffered,
    /// Everyone could use it, from anywhere.
    #[error(
        "Enter at least one domain. Without a key, an agent works only on its allowed domains."
    )]
    DomainsNeeded,
    /// More domains than an agent has.
    #[error("{TOO_MANY_PATTERNS}")]
    TooManyDomains,
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(AgentError);

/// Checks what an agent is to be, and gives the project it will belong to.
async fn check(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
    settings: &AgentSettings,
) -> Result<ProjectId, AgentError> {
    if settings.public_embedding && !engine.convention.public_agent_embedding {
        return Err(AgentError::EmbeddingNotOffered);
    }
    if settings.public_embedding && settings.domains.is_empty() {
        return Err(AgentError::DomainsNeeded);
    }
    if settings.domains.len() > MAX_PATTERNS {
        return Err(AgentError::TooManyDomains);
    }
    project::resolve(tx, org_id, settings.project)
        .await?
        .ok_or(AgentError::UnknownProject)
}
