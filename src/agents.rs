//! Agents of an org: the bots, assistants and apps that use its keys (design §1).

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
    limits::LimitReached,
    name::DisplayName,
    time::Timestamp,
};

pub use public_id::{InvalidPublicId, PublicId};

/// The fields of an agent that every role can see.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AgentSummary {
    /// The agent's ID.
    pub id: AgentId,
    /// The ID that can be published in a page's source.
    pub public_id: PublicId,
    /// The agent's display name.
    pub name: DisplayName,
}

/// The fields of an agent that owners and admins can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The fields that every role can see.
    pub summary: AgentSummary,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The project's display name.
    pub project_name: DisplayName,
    /// The sites whose pages can use the agent. If empty, only the key's own restrictions apply.
    pub domains: Vec<DomainPattern>,
    /// Whether a page can embed the public ID in place of a key.
    pub public_embedding: bool,
    /// When the agent was created.
    pub created_at: Timestamp,
}

/// The settings of a new or edited agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// The agent's display name.
    pub name: DisplayName,
    /// The project it belongs to; `None` means the org's first project, `Default`.
    pub project: Option<ProjectId>,
    /// The sites whose pages can use the agent. If empty, only the key's own restrictions apply.
    pub domains: Vec<DomainPattern>,
    /// Whether a page can embed the public ID in place of a key.
    pub public_embedding: bool,
}

/// Why an agent was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The org has no such agent.
    #[error("The agent was not found.")]
    NotFound,
    /// The agent was changed since the caller read it.
    #[error("Someone else changed this agent in the meantime.")]
    ChangedMeanwhile,
    /// The org has no such project.
    #[error("The project was not found. Choose a project of this organization.")]
    UnknownProject,
    /// The instance's convention does not allow public IDs in place of keys.
    #[error("This instance requires a key on every page. Turn off embedding by public ID.")]
    EmbeddingNotOffered,
    /// Without domains, anyone could use the agent from anywhere.
    #[error(
        "Enter at least one domain. Without a key, an agent works only on its allowed domains."
    )]
    DomainsNeeded,
    /// More domains than [`MAX_PATTERNS`].
    #[error("{TOO_MANY_PATTERNS}")]
    TooManyDomains,
    /// The org has reached a limit.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(AgentError);

/// Validates the settings, and returns the ID of the agent's project.
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
