//! What owners and admins see of an agent besides its settings: who created it, its use and its history.

use latchkey::{
    access::{Membership, to},
    agents::Agent,
    domain::DomainRule,
    event::{Event, Target},
    role::Action,
};

use super::used::AgentUse;
use crate::{
    error::AppError,
    pages::{
        audit::{HistoryItem, history_of_agent, origin},
        usage::{SubjectUsage, of_agent},
    },
    request::PageRequest,
    text::time::TimeText,
};

#[derive(Debug, Clone)]
pub struct More {
    /// The agent's own ID, by which the audit log is filtered.
    pub id: String,
    pub created: TimeText,
    /// By whom and how it was created: " by Dana in the dashboard".
    pub created_by: Option<String>,
    /// Its requests. `None` if nothing was counted yet.
    pub usage: Option<SubjectUsage>,
    /// When it was last used, and its counts.
    pub use_of: AgentUse,
    /// How its domains are matched.
    pub rule: DomainRule,
    /// The origin to test.
    pub tried: String,
    /// The newest audit log entries about the agent, if the user's role can see them.
    pub history: Option<Vec<HistoryItem>>,
}

impl More {
    /// Loads it; `None` for those who do not see the usage of keys.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn of(
        request: &PageRequest,
        membership: &Membership,
        agent: &Agent,
    ) -> Result<Option<Self>, AppError> {
        let Some(permit) = membership.permit_if_allowed::<to::SeeUsageDetails>() else {
            return Ok(None);
        };
        let (engine, id) = (request.engine(), agent.summary.id);
        let usage = of_agent(request, membership, agent.summary.public_id).await?;
        let history = match membership.may(Action::SeeAuditLog) {
            true => Some(history_of_agent(engine, membership, id).await?),
            false => None,
        };
        Ok(Some(Self {
            id: id.to_string(),
            created: TimeText::date(agent.created_at),
            created_by: origin(engine, membership, Target::Agent(id), Event::AgentCreated).await?,
            use_of: AgentUse::of(engine, &permit, id, usage.as_ref()).await?,
            usage,
            rule: engine.convention().domain_rule(false),
            tried: request.parameter("origin"),
            history,
        }))
    }
}
