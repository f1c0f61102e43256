//! `/v1/orgs/{org}/agents`: what keys are used on.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use latchkey::{
    access::to,
    agents::{
        Agent, AgentError, AgentSettings, PublicId,
        create::{Once, create_once},
        delete,
        edit::{self, EditAgent},
        show,
    },
    domain::{DomainPattern, MAX_PATTERNS},
    id::{AgentId, ProjectId},
    list::AtMost,
    name::DisplayName,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Body, nullable, required},
    created,
    idempotency::{Idempotency, replayed},
    path::{AgentPath, OrgPath, no_agent},
    query::{Limit, Parameters, not_a_cursor},
    randomness_failed, storage_failed,
};
use crate::{app_state::AppState, key_object::instant, openapi::words, problem::Problem};

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub struct AgentObject {
    /// Its id.
    #[schema(value_type = String)]
    id: AgentId,
    /// The id that requests name it by. It may stand in a page's source.
    public_id: String,
    /// Its name.
    #[schema(value_type = String)]
    name: DisplayName,
    /// The id of the project that it belongs to.
    #[schema(value_type = String)]
    project: ProjectId,
    /// The sites whose pages may use it; empty means no restriction beyond the key's.
    #[schema(value_type = Vec<String>)]
    domains: Vec<DomainPattern>,
    /// Whether its public ID may stand in a page in place of a key.
    public_embedding: bool,
    /// When it was made.
    #[schema(value_type = jiff::Timestamp)]
    created_at: Option<jiff::Timestamp>,
}

/// One page of agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentList {
    /// The agents, oldest first.
    data: Vec<AgentObject>,
    /// What to send as `cursor` for the page after this one; null on the last.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<AgentId>,
}

/// What an agent is made from.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// Its name: 1 to 80 characters.
    #[schema(value_type = words::Name, required, nullable = false)]
    name: Option<DisplayName>,
    /// The id of the project that it belongs to; the organization's first when left out.
    #[schema(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    project: Option<ProjectId>,
    /// The sites whose pages may use it.
    #[schema(value_type = Option<Vec<String>>)]
    domains: Option<AtMost<DomainPattern, MAX_PATTERNS>>,
    /// Whether its public ID may stand in a page in place of a key; where the convention has that.
    public_embedding: Option<bool>,
}

/// What is to be different. What is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentChange {
    /// Its name: 1 to 80 characters.
    #[schema(value_type = words::Name, required = false, nullable = false)]
    #[serde(default, deserialize_with = "nullable")]
    name: Option<Option<DisplayName>>,
    /// The id of a project; null for the organization's first.
    #[schema(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    #[serde(default, deserialize_with = "nullable")]
    project: Option<Option<ProjectId>>,
    /// The sites whose pages may use it; null or an empty list for no restriction.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, deserialize_with = "nullable")]
    domains: Option<Option<AtMost<DomainPattern, MAX_PATTERNS>>>,
    /// Whether its public ID may stand in a page in place of a key.
    public_embedding: Option<bool>,
}

/// Which agents to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentQuery {
    /// How many a page has at most [50]. It ends early where its items hold 1 MB.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^agn_[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// List an organization's agents
#[utoipa::path(get, path = "/v1/orgs/{org}/agents", operation_id = "list_agents", tag = "Agents", params(AgentQuery),
    responses((status = 200, description = "One page", body = AgentList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<AgentQuery>,
) -> Result<Json<AgentList>, Problem> {
    let after = query.cursor.map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| not_a_cursor())?;
    let page = show::page(&state.engine, &of.permit(), after, query.limit.into()).await;
    let (agents, next_cursor) = page.map_err(storage_failed)?;
    Ok(Json(AgentList {
        data: agents.into_iter().map(AgentObject::from).collect(),
        next_cursor,
    }))
}

/// Make an agent
#[utoipa::path(post, path = "/v1/orgs/{org}/agents", operation_id = "create_agent", tag = "Agents", request_body = NewAgent,
    responses((status = 201, description = "It was made", body = AgentObject)))]
pub async fn create(
    State(state): State<AppState>,
    of: OrgPath,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<NewAgent>,
) -> Result<Response, Problem> {
    let settings = AgentSettings {
        name: required("name", fields.name)?,
        project: fields.project,
        domains: fields.domains.unwrap_or_default().into(),
        public_embedding: fields.public_embedding.unwrap_or_default(),
    };
    let make = async |token: Option<String>| {
        let permit = of.permit();
        let once = create_once(&state.engine, &permit, &settings, token.as_deref()).await;
        match once.map_err(refused)? {
            Once::Made(agent) => answer(&state, &of, agent.public_id).await,
            Once::MadeBefore(public_id) => Ok(replayed(answer(&state, &of, public_id).await?)),
        }
    };
    let manager = &of.manager;
    idempotency.once(&state.engine, manager, &bytes, make).await
}

async fn answer(state: &AppState, of: &OrgPath, public_id: PublicId) -> Result<Response, Problem> {
    let agent = AgentObject::from(find(state, of, public_id).await?);
    Ok(created(&of.location("agents", public_id), agent))
}

/// Show an agent
#[utoipa::path(get, path = "/v1/orgs/{org}/agents/{public_id}", operation_id = "show_agent", tag = "Agents",
    responses((status = 200, description = "The agent", body = AgentObject)))]
pub async fn show(
    State(state): State<AppState>,
    AgentPath { of, public_id }: AgentPath,
) -> Result<Json<AgentObject>, Problem> {
    Ok(Json(find(&state, &of, public_id).await?.into()))
}

/// Change an agent
#[utoipa::path(patch, path = "/v1/orgs/{org}/agents/{public_id}", operation_id = "change_agent", tag = "Agents", request_body = AgentChange,
    responses((status = 200, description = "The agent as it is now", body = AgentObject)))]
pub async fn change(
    State(state): State<AppState>,
    AgentPath { of, public_id }: AgentPath,
    Body { fields, .. }: Body<AgentChange>,
) -> Result<Json<AgentObject>, Problem> {
    let edit = EditAgent {
        name: fields.name.map(|name| required("name", name)).transpose()?,
        project: fields.project,
        domains: fields
            .domains
            .map(|domains| domains.unwrap_or_default().into()),
        public_embedding: fields.public_embedding,
    };
    let changed = edit::edit(&state.engine, &of.permit(), public_id, edit).await;
    changed.map_err(refused)?;
    Ok(Json(find(&state, &of, public_id).await?.into()))
}

/// Delete an agent
///
/// Its public ID means nothing from then on.
#[utoipa::path(delete, path = "/v1/orgs/{org}/agents/{public_id}", operation_id = "delete_agent", tag = "Agents",
    responses((status = 204, description = "It is deleted")))]
pub async fn remove(
    State(state): State<AppState>,
    AgentPath { of, public_id }: AgentPath,
) -> Result<StatusCode, Problem> {
    let deleted = delete::delete(&state.engine, &of.permit(), public_id).await;
    deleted.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(state: &AppState, of: &OrgPath, public_id: PublicId) -> Result<Agent, Problem> {
    let permit = of.permit::<to::SeeKeyDetails>();
    let found = show::details(&state.engine, &permit, public_id).await;
    found.map_err(storage_failed)?.ok_or_else(no_agent)
}

impl From<Agent> for AgentObject {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.summary.id,
            public_id: agent.summary.public_id.to_string(),
            name: agent.summary.name,
            project: agent.project_id,
            domains: agent.domains,
            public_embedding: agent.public_embedding,
            created_at: instant(agent.created_at),
        }
    }
}

/// Which field it was that the operation did not take.
fn refused(error: AgentError) -> Problem {
    let field = match error {
        AgentError::NotFound => return no_agent(),
        AgentError::UnknownProject => "project",
        AgentError::EmbeddingNotOffered => "public_embedding",
        AgentError::DomainsNeeded | AgentError::TooManyDomains => "domains",
        AgentError::Randomness(error) => return randomness_failed(error),
        AgentError::Storage(error) => return storage_failed(error),
    };
    Problem::invalid_field(field, error)
}
