//! `/v1/orgs/{org}/agents`: the bots, assistants and apps that use keys.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use latchkey::{
    access::to,
    agents::{
        Agent, AgentError, AgentSettings, PublicId,
        create::{Once, create_once},
        delete,
        edit::{self, EditAgent},
        list::{self, Place, SortBy},
        show,
    },
    domain::{DomainPattern, MAX_PATTERNS},
    id::{AgentId, ProjectId},
    list::AtMost,
    name::DisplayName,
    revision::AsKnown,
    time::Rfc3339,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Body, nullable, required},
    created,
    entity_tag::{IfMatch, changed_meanwhile, tagged},
    idempotency::{Idempotency, replayed},
    path::{AgentPath, OrgPath, no_agent},
    query::{Limit, Parameters, not_a_cursor},
    sort::{AgentSort, Order},
};
use crate::{app_state::AppState, openapi::words, problem::Problem};

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub struct AgentObject {
    /// The ID.
    #[schema(value_type = String)]
    id: AgentId,
    /// The public ID, which you send in requests. You can include it in the source of a page.
    public_id: String,
    /// The name.
    #[schema(value_type = String)]
    name: DisplayName,
    /// The ID of the project.
    #[schema(value_type = String)]
    project: ProjectId,
    /// The domains whose pages can use the agent. Empty means no restriction other than the key's.
    #[schema(value_type = Vec<String>)]
    domains: Vec<DomainPattern>,
    /// Whether pages can use the public ID instead of a key.
    public_embedding: bool,
    /// When it was created.
    #[schema(value_type = jiff::Timestamp)]
    created_at: Rfc3339,
}

/// One page of agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentList {
    /// The agents.
    data: Vec<AgentObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
    /// The number of agents that match the filters, on all pages.
    total: i64,
}

/// The fields of a new agent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// The name: 1 to 80 characters.
    #[schema(value_type = words::Name, required, nullable = false)]
    name: Option<DisplayName>,
    /// The ID of the project. Default: the organization's first project.
    #[schema(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    project: Option<ProjectId>,
    /// The domains whose pages can use the agent.
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    domains: Option<AtMost<DomainPattern, MAX_PATTERNS>>,
    /// Whether pages can use the public ID instead of a key. Only if the convention allows it.
    public_embedding: Option<bool>,
}

/// The fields to change. Omitted fields do not change.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentChange {
    /// The name: 1 to 80 characters.
    #[schema(value_type = words::Name, required = false, nullable = false)]
    #[serde(default, deserialize_with = "nullable")]
    name: Option<Option<DisplayName>>,
    /// The ID of a project. Null means the organization's first project.
    #[schema(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    #[serde(default, deserialize_with = "nullable")]
    project: Option<Option<ProjectId>>,
    /// The domains whose pages can use the agent. Null or an empty list means no restriction.
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    #[serde(default, deserialize_with = "nullable")]
    domains: Option<Option<AtMost<DomainPattern, MAX_PATTERNS>>>,
    /// Whether pages can use the public ID instead of a key.
    public_embedding: Option<bool>,
}

/// The agents to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentListQuery {
    /// The maximum number of items on a page. Default: 50. A page with 1 MB of items can have fewer.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page, whose order it keeps: `sort` and `order` are then ignored.
    #[param(pattern = "^(created_at|name)\\.(asc|desc)\\.agn_[0-9a-f]{32}~[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// The field by which the list is sorted. Default: `created_at`.
    #[param(value_type = words::AgentSort, required = false)]
    sort: Option<AgentSort>,
    /// The direction. Default: `asc`. The order of names ignores case and accents.
    #[param(value_type = words::SortOrder, required = false)]
    order: Option<Order>,
    /// Returns only agents of the project with this ID.
    #[param(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    project: Option<ProjectId>,
}

/// List agents
#[utoipa::path(get, path = "/v1/orgs/{org}/agents", operation_id = "list_agents", tag = "Agents", params(AgentListQuery),
    responses((status = 200, description = "A page of the list", body = AgentList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<AgentListQuery>,
) -> Result<Json<AgentList>, Problem> {
    let (sort, order, after) = match &query.cursor {
        // The next page has the order of the previous one.
        Some(cursor) => of_cursor(cursor).ok_or_else(not_a_cursor)?,
        None => (
            query.sort.unwrap_or_default(),
            query.order.unwrap_or(Order::Asc),
            None,
        ),
    };
    let query = list::AgentQuery {
        project: query.project,
        sort: match sort {
            AgentSort::CreatedAt => SortBy::Created,
            AgentSort::Name => SortBy::Name,
        },
        descending: order == Order::Desc,
        after,
        limit: query.limit.into(),
    };
    let page = list::list(&state.engine, &of.permit()?, &query).await?;
    Ok(Json(AgentList {
        data: page.agents.into_iter().map(AgentObject::from).collect(),
        next_cursor: page
            .next
            .map(|place| format!("{}{place}", prefix(sort, order))),
        total: page.matching,
    }))
}

/// Parses a cursor: the order of the list, and where the page starts.
fn of_cursor(text: &str) -> Option<(AgentSort, Order, Option<Place>)> {
    let orders = AgentSort::ALL
        .iter()
        .flat_map(|sort| Order::ALL.map(|order| (*sort, order)));
    orders.into_iter().find_map(|(sort, order)| {
        let place = Place::parse(text.strip_prefix(&prefix(sort, order))?)?;
        Some((sort, order, Some(place)))
    })
}

fn prefix(sort: AgentSort, order: Order) -> String {
    format!("{}.{}.", sort.as_str(), order.as_str())
}

/// Create an agent
#[utoipa::path(post, path = "/v1/orgs/{org}/agents", operation_id = "create_agent", tag = "Agents", request_body = NewAgent,
    responses((status = 201, description = "Created", body = AgentObject), (status = 409, description = "LIMIT_REACHED")))]
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
        let permit = of.permit()?;
        let once = create_once(&state.engine, &permit, &settings, token.as_deref()).await;
        match once.map_err(refused)? {
            Once::Made(agent) => answer(&state, &of, agent.public_id).await,
            Once::MadeBefore(public_id) => Ok(replayed(answer(&state, &of, public_id).await?)),
        }
    };
    let token_id = of.caller.token_id;
    idempotency
        .once(&state.engine, token_id, &bytes, make)
        .await
}

async fn answer(state: &AppState, of: &OrgPath, public_id: PublicId) -> Result<Response, Problem> {
    let agent = find(state, of, public_id).await?;
    let tag = agent.tag();
    let created = created(&of.location("agents", public_id), AgentObject::from(agent));
    Ok(tagged(&tag, created))
}

/// Retrieve an agent
#[utoipa::path(get, path = "/v1/orgs/{org}/agents/{public_id}", operation_id = "show_agent", tag = "Agents",
    responses((status = 200, description = "The agent", body = AgentObject)))]
pub async fn show(
    State(state): State<AppState>,
    AgentPath { of, public_id }: AgentPath,
) -> Result<Response, Problem> {
    current(&state, &of, public_id).await
}

/// Returns the current state of the agent.
async fn current(state: &AppState, of: &OrgPath, public_id: PublicId) -> Result<Response, Problem> {
    let agent = find(state, of, public_id).await?;
    Ok(tagged(&agent.tag(), Json(AgentObject::from(agent))))
}

/// Update an agent
///
/// Omitted fields do not change. Changes take effect immediately.
#[utoipa::path(patch, path = "/v1/orgs/{org}/agents/{public_id}", operation_id = "change_agent", tag = "Agents", request_body = AgentChange,
    responses((status = 200, description = "The updated agent", body = AgentObject), (status = 409, description = "LIMIT_REACHED")))]
pub async fn change(
    State(state): State<AppState>,
    AgentPath { of, public_id }: AgentPath,
    IfMatch(known): IfMatch,
    Body { fields, .. }: Body<AgentChange>,
) -> Result<Response, Problem> {
    let edit = EditAgent {
        name: fields.name.map(|name| required("name", name)).transpose()?,
        project: fields.project,
        domains: fields
            .domains
            .map(|domains| domains.unwrap_or_default().into()),
        public_embedding: fields.public_embedding,
        known,
    };
    let changed = edit::edit(&state.engine, &of.permit()?, public_id, edit).await;
    changed.map_err(refused)?;
    current(&state, &of, public_id).await
}

/// Delete an agent
///
/// Its public ID stops working immediately and is never reused.
#[utoipa::path(delete, path = "/v1/orgs/{org}/agents/{public_id}", operation_id = "delete_agent", tag = "Agents",
    responses((status = 204, description = "Deleted")))]
pub async fn remove(
    State(state): State<AppState>,
    AgentPath { of, public_id: id }: AgentPath,
    IfMatch(known): IfMatch,
) -> Result<StatusCode, Problem> {
    let agent = AsKnown { id, known };
    let deleted = delete::delete(&state.engine, &of.permit()?, agent).await;
    deleted.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(state: &AppState, of: &OrgPath, public_id: PublicId) -> Result<Agent, Problem> {
    let permit = of.permit::<to::SeeKeyDetails>()?;
    let found = show::details(&state.engine, &permit, public_id).await;
    found?.ok_or_else(no_agent)
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
            created_at: agent.created_at.rfc3339(),
        }
    }
}

/// Maps an error to the field that caused it.
fn refused(error: AgentError) -> Problem {
    let field = match error {
        AgentError::NotFound => return no_agent(),
        AgentError::ChangedMeanwhile => return changed_meanwhile(),
        AgentError::UnknownProject => "project",
        AgentError::EmbeddingNotOffered => "public_embedding",
        AgentError::DomainsNeeded | AgentError::TooManyDomains => "domains",
        AgentError::Limit(reached) => return reached.into(),
        AgentError::Fault(fault) => return fault.into(),
    };
    Problem::invalid_field(field, error)
}
