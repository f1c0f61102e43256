//! The data of the agents' pages.

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    agents::{
        Agent,
        show::{self, ListedAgent, Place},
    },
    id::AgentId,
    keys::{create::new_creation_token, project},
    role::Action,
    usage::{latest::last_passed_of_agents, parts::requests_of_agents},
};

use super::{agent_form::AgentForm, more::More};
use crate::{
    error::AppError, pages::not_in_list::unknown, request::PageRequest, text::time::TimeText,
};

/// A page of the organization's agents.
#[derive(Debug, Clone)]
pub struct AgentList {
    /// The organization's name.
    pub org_name: String,
    /// The number of agents in the organization.
    pub count: i64,
    /// The agents of this page, by name.
    pub rows: Vec<AgentRow>,
    /// The public ID before which the previous page ends, if there is one.
    pub previous: Option<String>,
    /// The public ID after which the next page starts, if there is one.
    pub next: Option<String>,
    /// What the address names that is not there, in words.
    pub unknown: Vec<&'static str>,
    pub with_details: bool,
    /// Whether the user can create agents.
    pub may_edit: bool,
}

#[derive(Debug, Clone)]
pub struct AgentRow {
    /// The ID that can appear in a page's source.
    pub public_id: String,
    pub name: String,
    /// Only for owners and admins.
    pub details: Option<AgentDetails>,
    /// Only in a list, and for owners and admins.
    pub used: Option<Used>,
}

/// The requests with the public ID of an agent in place of a key.
#[derive(Debug, Clone)]
pub struct Used {
    /// Those of the last 30 days.
    pub requests: i64,
    /// When one last passed; `None` for never, or more than 90 days ago.
    pub last: Option<TimeText>,
}

/// The details of an agent that only owners and admins see.
#[derive(Debug, Clone)]
pub struct AgentDetails {
    /// The project's name.
    pub project: String,
    /// The domains whose pages can use the agent; a list has only the first one.
    pub domains: Vec<String>,
    /// The number of domains that are left out.
    pub more_domains: usize,
    /// Whether a page can use the public ID instead of a key.
    pub public_embedding: bool,
}

#[derive(Debug, Clone)]
pub struct AgentView {
    pub agent: AgentRow,
    /// Whether a page can use the public ID instead of a key.
    pub is_embedded: bool,
    /// Its use and its history, for owners and admins.
    pub more: Option<More>,
    /// The form that edits the agent, if the user is allowed to.
    pub form: Option<AgentOptions>,
}

/// The values and choices of an agent's form.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// The agent; `None` for a new one.
    pub id: Option<AgentId>,
    /// The current values.
    pub values: AgentForm,
    /// ID and name of each project.
    pub projects: Vec<(String, String)>,
    /// Whether the convention allows embedding by public ID.
    pub embedding_offered: bool,
    /// Whether a domain includes its subdomains.
    pub covers_subdomains: bool,
}

const PAGE_SIZE: u16 = 50;

/// Loads a page of the organization's agents. Every member can see it.
pub async fn list(request: PageRequest) -> Result<AgentList, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let permit = membership.permit()?;
    let after = request.parameter("after").parse().map(Place::After);
    let before = request.parameter("before").parse().map(Place::Before);
    let unknown = unknown(
        request.query(),
        &[
            ("after", after.is_ok(), "page"),
            ("before", before.is_ok(), "page"),
        ],
    );
    let mut place = after.or(before).unwrap_or(Place::Start);
    let mut rows = rows(engine, &membership, place).await?;
    let count = show::count(engine, &permit).await?;
    if rows.is_empty() && count > 0 {
        // The page is empty: the agents after the position, or the agent that defines it, were deleted.
        place = match place {
            Place::After(id) if show::summary(engine, &permit, id).await?.is_some() => Place::End,
            _ => Place::Start,
        };
        rows = self::rows(engine, &membership, place).await?;
    }
    let more = rows.len() > usize::from(PAGE_SIZE);
    let is_backwards = matches!(place, Place::Before(_) | Place::End);
    if more && is_backwards {
        rows.remove(0);
    }
    rows.truncate(usize::from(PAGE_SIZE));
    let (has_previous, has_next) = match place {
        Place::Start => (false, more),
        Place::After(_) => (true, more),
        Place::Before(_) => (more, true),
        Place::End => (more, false),
    };
    let id_of = |row: &AgentRow| row.public_id.clone();
    Ok(AgentList {
        org_name: membership.org().name.to_string(),
        count,
        previous: rows.first().filter(|_| has_previous).map(id_of),
        next: rows.last().filter(|_| has_next).map(id_of),
        rows,
        unknown,
        with_details: membership.may(Action::SeeKeyDetails),
        may_edit: membership.may(Action::EditAgents),
    })
}

/// Returns the agents of a page, and one more, which shows whether there is another page.
async fn rows(
    engine: &Engine,
    membership: &Membership,
    place: Place,
) -> Result<Vec<AgentRow>, AppError> {
    let limit = PAGE_SIZE + 1;
    if let Some(permit) = membership.permit_if_allowed::<to::SeeKeyDetails>() {
        let agents = show::list(engine, &permit, place, limit).await?;
        let ids: Vec<AgentId> = agents.iter().map(|agent| agent.summary.id).collect();
        let mut rows: Vec<AgentRow> = agents.into_iter().map(listed).collect();
        if let Some(permit) = membership.permit_if_allowed::<to::SeeUsageDetails>() {
            let requests = requests_of_agents(engine, &permit, &ids).await?;
            let last = last_passed_of_agents(engine, &permit, &ids).await?;
            let now = engine.clock().now();
            for (row, id) in rows.iter_mut().zip(&ids) {
                row.used = Some(Used {
                    requests: requests.get(id).copied().unwrap_or(0),
                    last: last.get(id).map(|at| TimeText::relative(*at, now)),
                });
            }
        }
        return Ok(rows);
    }
    let agents = show::summaries(engine, &membership.permit()?, place, limit).await?;
    let agents = agents.into_iter().map(|agent| AgentRow {
        public_id: agent.public_id.to_string(),
        name: agent.name.to_string(),
        details: None,
        used: None,
    });
    Ok(agents.collect())
}

/// Loads the agent in the request's path. Every member can see it.
pub async fn show(request: PageRequest) -> Result<AgentView, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let permit = membership.permit()?;
    let public_id = request.id("agent")?;
    let Some(details_permit) = membership.permit_if_allowed::<to::SeeKeyDetails>() else {
        let agent = show::summary(engine, &permit, public_id)
            .await?
            .ok_or(AppError::NotFound)?;
        return Ok(AgentView {
            agent: AgentRow {
                public_id: agent.public_id.to_string(),
                name: agent.name.to_string(),
                details: None,
                used: None,
            },
            is_embedded: show::is_embedded(engine, &permit, public_id).await?,
            more: None,
            form: None,
        });
    };
    let agent = show::details(engine, &details_permit, public_id)
        .await?
        .ok_or(AppError::NotFound)?;
    let form = match membership.permit_if_allowed::<to::EditAgents>() {
        Some(_) => Some(options(engine, &details_permit, Some(&agent)).await?),
        None => None,
    };
    Ok(AgentView {
        is_embedded: agent.public_embedding,
        more: More::of(&request, &membership, &agent).await?,
        agent: row_with_details(agent),
        form,
    })
}

/// Loads the form of a new agent, for users who can create agents.
pub async fn blank(request: PageRequest) -> Result<AgentOptions, AppError> {
    let membership = request.membership().await?;
    let _may_edit: Permit<to::EditAgents> = membership.permit()?;
    let engine = request.engine();
    let mut options = options(engine, &membership.permit()?, None).await?;
    options.values.creation_token = new_creation_token(engine)?;
    Ok(options)
}

async fn options(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    agent: Option<&Agent>,
) -> Result<AgentOptions, AppError> {
    let convention = engine.convention();
    let domains: Vec<String> = agent
        .map(|agent| agent.domains.iter().map(ToString::to_string).collect())
        .unwrap_or_default();
    let values = agent.map_or_else(AgentForm::default, |agent| AgentForm {
        change: String::new(),
        name: agent.summary.name.to_string(),
        project: agent.project_id.to_string(),
        domains: domains.join("\n"),
        public_embedding: if agent.public_embedding { "on" } else { "" }.to_owned(),
        base: agent.revision().to_string(),
        confirm: String::new(),
        creation_token: String::new(),
    });
    Ok(AgentOptions {
        id: agent.map(|agent| agent.summary.id),
        values,
        projects: project::choices(engine, permit)
            .await?
            .into_iter()
            .map(|project| (project.id.to_string(), project.name.to_string()))
            .collect(),
        embedding_offered: convention.public_agent_embedding,
        covers_subdomains: convention.domains.covers_subdomains,
    })
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
        used: None,
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
        used: None,
    }
}
