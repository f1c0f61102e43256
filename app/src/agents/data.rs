//! What the pages on agents show.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// An org's agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentList {
    /// The org's name.
    pub org_name: String,
    /// How many agents the org has.
    pub count: i64,
    /// A page of them, by name.
    pub rows: Vec<AgentRow>,
    /// The public ID that the next page begins after, if there is one.
    pub next: Option<String>,
    /// Whether the rows have details.
    pub with_details: bool,
    /// Whether the viewer may make agents.
    pub may_edit: bool,
}

/// An agent on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// The id that may stand in a page's source.
    pub public_id: String,
    /// Its name.
    pub name: String,
    /// What owners and admins see besides.
    pub details: Option<AgentDetails>,
}

/// What owners and admins may know of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentDetails {
    /// Its project's name.
    pub project: String,
    /// The sites whose pages may use it; in a list the first alone.
    pub domains: Vec<String>,
    /// How many more there are.
    pub more_domains: usize,
    /// Whether its public ID may stand in a page in place of a key.
    pub public_embedding: bool,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// The agent.
    pub agent: AgentRow,
    /// The form that changes it, for those who may.
    pub form: Option<AgentForm>,
}

/// The form that makes or changes an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentForm {
    /// The name that the field holds.
    pub name: String,
    /// The id of the project that is chosen.
    pub project: String,
    /// Domains, one on each line.
    pub domains: String,
    /// What is wrong with them.
    pub domain_errors: Vec<String>,
    /// Whether embedding by public ID is ticked.
    pub public_embedding: bool,
    /// Id and name of each project.
    pub projects: Vec<(String, String)>,
    /// Whether agents can be embedded by their public ID here.
    pub embedding_offered: bool,
    /// Whether a domain covers its subdomains.
    pub covers_subdomains: bool,
}

/// A page of the org's agents, for everyone in it: those after the one with the public ID `after`.
#[server(prefix = "/api", endpoint = "agents/list")]
pub async fn list_agents(org: String, after: String) -> Result<AgentList, AppError> {
    crate::error::answer(on_the_server::list(&org, &after).await)
}

/// One agent. `refused` says that the form comes back because of what was entered.
#[server(prefix = "/api", endpoint = "agents/show")]
pub async fn show_agent(org: String, agent: String, refused: bool) -> Result<AgentView, AppError> {
    crate::error::answer(on_the_server::show(&org, &agent, refused).await)
}

/// The blank form, for those who may make agents.
#[server(prefix = "/api", endpoint = "agents/new-form")]
pub async fn offer_new_agent(org: String, refused: bool) -> Result<AgentForm, AppError> {
    crate::error::answer(on_the_server::blank_form(&org, refused).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        Engine,
        access::{Permit, to},
        agents::{
            Agent,
            show::{self, ListedAgent},
        },
        domain::parse_list,
        keys::project,
        role::Action,
    };

    use super::{AgentDetails, AgentForm, AgentList, AgentRow, AgentView};
    use crate::{error::AppError, session, typed::Typed};

    const PAGE_SIZE: u16 = 50;

    pub async fn list(org: &str, after: &str) -> Result<AgentList, AppError> {
        let membership = session::membership(org).await?;
        let engine = session::engine()?;
        let permit = membership.permit()?;
        // A place that was never one begins at the start.
        let after = after.parse().ok();
        // One more than a page has says whether there is another.
        let limit = PAGE_SIZE + 1;
        let mut rows: Vec<AgentRow> = match membership.permit_if_allowed::<to::SeeKeyDetails>() {
            Some(permit) => show::list(&engine, &permit, after, limit)
                .await?
                .into_iter()
                .map(listed)
                .collect(),
            None => show::summaries(&engine, &permit, after, limit)
                .await?
                .into_iter()
                .map(|agent| AgentRow {
                    public_id: agent.public_id.to_string(),
                    name: agent.name.to_string(),
                    details: None,
                })
                .collect(),
        };
        let more = rows.len() > usize::from(PAGE_SIZE);
        rows.truncate(usize::from(PAGE_SIZE));
        let next = rows.last().map(|row| row.public_id.clone());
        Ok(AgentList {
            org_name: membership.org().name.to_string(),
            count: show::count(&engine, &permit).await?,
            rows,
            next: next.filter(|_| more),
            with_details: membership.role().may(Action::SeeKeyDetails),
            may_edit: membership.role().may(Action::EditAgents),
        })
    }

    pub async fn show(org: &str, agent: &str, refused: bool) -> Result<AgentView, AppError> {
        let membership = session::membership(org).await?;
        let engine = session::engine()?;
        let permit = membership.permit()?;
        let public_id = agent.parse().map_err(|_| AppError::NotFound)?;
        let Some(details_permit) = membership.permit_if_allowed::<to::SeeKeyDetails>() else {
            let agent = show::summary(&engine, &permit, public_id)
                .await?
                .ok_or(AppError::NotFound)?;
            return Ok(AgentView {
                agent: AgentRow {
                    public_id: agent.public_id.to_string(),
                    name: agent.name.to_string(),
                    details: None,
                },
                form: None,
            });
        };
        let agent = show::details(&engine, &details_permit, public_id)
            .await?
            .ok_or(AppError::NotFound)?;
        let form = match membership.permit_if_allowed::<to::EditAgents>() {
            Some(_) => {
                let form = form(&engine, &details_permit, Some(&agent)).await?;
                Some(if refused { form.typed() } else { form })
            }
            None => None,
        };
        Ok(AgentView {
            agent: row_with_details(agent),
            form,
        })
    }

    pub async fn blank_form(org: &str, refused: bool) -> Result<AgentForm, AppError> {
        let membership = session::membership(org).await?;
        let _may_edit: Permit<to::EditAgents> = membership.permit()?;
        let form = form(&*session::engine()?, &membership.permit()?, None).await?;
        Ok(if refused { form.typed() } else { form })
    }

    async fn form(
        engine: &Engine,
        permit: &Permit<to::SeeKeyDetails>,
        agent: Option<&Agent>,
    ) -> Result<AgentForm, AppError> {
        let convention = engine.convention();
        let domains: Vec<String> = agent
            .map(|agent| agent.domains.iter().map(ToString::to_string).collect())
            .unwrap_or_default();
        Ok(AgentForm {
            name: agent.map_or_else(String::new, |agent| agent.summary.name.to_string()),
            project: agent.map_or_else(String::new, |agent| agent.project_id.to_string()),
            domains: domains.join("\n"),
            domain_errors: Vec::new(),
            public_embedding: agent.is_some_and(|agent| agent.public_embedding),
            projects: project::choices(engine, permit)
                .await?
                .into_iter()
                .map(|project| (project.id.to_string(), project.name.to_string()))
                .collect(),
            embedding_offered: convention.public_agent_embedding,
            covers_subdomains: convention.domains.covers_subdomains,
        })
    }

    impl AgentForm {
        /// The form as it was sent, with what is wrong with its domains.
        fn typed(self) -> Self {
            let typed = Typed::received();
            let domains = typed.of("domains");
            let domain_errors = parse_list(&domains)
                .invalid
                .iter()
                .map(|invalid| invalid.error.to_string())
                .collect();
            Self {
                name: typed.of("name"),
                project: typed.of("project"),
                domains,
                domain_errors,
                public_embedding: !typed.of("public_embedding").is_empty(),
                ..self
            }
        }
    }

    fn listed(agent: ListedAgent) -> AgentRow {
        AgentRow {
            public_id: agent.summary.public_id.to_string(),
            name: agent.summary.name.to_string(),
            details: Some(AgentDetails {
                project: agent.project_name.to_string(),
                more_domains: agent.domains.saturating_sub(1),
                domains: agent.first_domain.into_iter().collect(),
                public_embedding: agent.public_embedding,
            }),
        }
    }

    fn row_with_details(agent: Agent) -> AgentRow {
        AgentRow {
            public_id: agent.summary.public_id.to_string(),
            name: agent.summary.name.to_string(),
            details: Some(AgentDetails {
                project: agent.project_name.to_string(),
                domains: agent.domains.iter().map(ToString::to_string).collect(),
                more_domains: 0,
                public_embedding: agent.public_embedding,
            }),
        }
    }
}
