//! `/v1/orgs/{org}/projects`: groups of keys and agents.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use latchkey::{
    access::to,
    id::ProjectId,
    name::DisplayName,
    projects::{self, Once, Project, ProjectError},
    revision::AsKnown,
    time::Rfc3339,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Body, required},
    created,
    entity_tag::{IfMatch, changed_meanwhile, tagged},
    idempotency::{Idempotency, replayed},
    path::{OrgPath, ProjectPath, no_project},
    query::{Limit, Parameters, not_a_cursor},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{Code, Problem},
};

/// A project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub struct ProjectObject {
    /// The ID.
    #[schema(value_type = String)]
    id: ProjectId,
    /// The name, which is unique in the organization.
    #[schema(value_type = String)]
    name: DisplayName,
    /// When it was created.
    #[schema(value_type = jiff::Timestamp)]
    created_at: Rfc3339,
    /// The number of its keys, including revoked and expired ones.
    key_count: i64,
    /// The number of its agents.
    agent_count: i64,
}

/// One page of projects.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectList {
    /// The projects, oldest first. The first of all is the organization's default.
    data: Vec<ProjectObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<ProjectId>,
}

/// The fields of a project.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectFields {
    /// The name: 1 to 80 characters, and not the name of another project of the organization.
    #[schema(value_type = words::Name, required, nullable = false)]
    name: Option<DisplayName>,
}

/// The projects to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectQuery {
    /// The maximum number of items on a page. Default: 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^prj_[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// List projects
#[utoipa::path(get, path = "/v1/orgs/{org}/projects", operation_id = "list_projects", tag = "Projects", params(ProjectQuery),
    responses((status = 200, description = "A page of the list", body = ProjectList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<ProjectQuery>,
) -> Result<Json<ProjectList>, Problem> {
    let after = query.cursor.map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| not_a_cursor())?;
    let page = projects::page(&state.engine, &of.permit()?, after, query.limit.into()).await;
    let (projects, next_cursor) = page?;
    Ok(Json(ProjectList {
        data: projects.into_iter().map(ProjectObject::from).collect(),
        next_cursor,
    }))
}

/// Create a project
#[utoipa::path(post, path = "/v1/orgs/{org}/projects", operation_id = "create_project", tag = "Projects",
    request_body = ProjectFields, responses((status = 201, description = "Created", body = ProjectObject),
        (status = 409, description = "LIMIT_REACHED")))]
pub async fn create(
    State(state): State<AppState>,
    of: OrgPath,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<ProjectFields>,
) -> Result<Response, Problem> {
    let name = required("name", fields.name)?;
    let make = async |token: Option<String>| {
        let permit = of.permit()?;
        let once = projects::create_once(&state.engine, &permit, &name, token.as_deref()).await;
        match once.map_err(refused)? {
            Once::Created(id) => answer(&state, &of, id).await,
            Once::CreatedBefore(id) => Ok(replayed(answer(&state, &of, id).await?)),
        }
    };
    let token_id = of.caller.token_id;
    idempotency
        .once(&state.engine, token_id, &bytes, make)
        .await
}

async fn answer(state: &AppState, of: &OrgPath, id: ProjectId) -> Result<Response, Problem> {
    let project = find(state, of, id).await?;
    let tag = project.tag();
    let created = created(&of.location("projects", id), ProjectObject::from(project));
    Ok(tagged(&tag, created))
}

/// Retrieve a project
#[utoipa::path(get, path = "/v1/orgs/{org}/projects/{project_id}", operation_id = "show_project", tag = "Projects",
    responses((status = 200, description = "The project", body = ProjectObject)))]
pub async fn show(
    State(state): State<AppState>,
    ProjectPath { of, id }: ProjectPath,
) -> Result<Response, Problem> {
    current(&state, &of, id).await
}

/// Returns the current state of the project.
async fn current(state: &AppState, of: &OrgPath, id: ProjectId) -> Result<Response, Problem> {
    let project = find(state, of, id).await?;
    Ok(tagged(&project.tag(), Json(ProjectObject::from(project))))
}

/// Update a project
///
/// The organization's first project, `Default`, cannot be renamed.
#[utoipa::path(patch, path = "/v1/orgs/{org}/projects/{project_id}", operation_id = "change_project", tag = "Projects",
    request_body = ProjectFields, responses((status = 200, description = "The updated project", body = ProjectObject),
        (status = 409, description = "WRONG_STATE")))]
pub async fn change(
    State(state): State<AppState>,
    ProjectPath { of, id }: ProjectPath,
    IfMatch(known): IfMatch,
    Body { fields, .. }: Body<ProjectFields>,
) -> Result<Response, Problem> {
    let name = required("name", fields.name)?;
    let renamed = projects::rename(&state.engine, &of.permit()?, id, &name, &known).await;
    renamed.map_err(refused)?;
    current(&state, &of, id).await
}

/// Delete a project
///
/// Move its keys, including expired ones, and its agents to another project first. Revoked keys move to the organization's
/// first project, `Default`, which cannot be deleted.
#[utoipa::path(delete, path = "/v1/orgs/{org}/projects/{project_id}", operation_id = "delete_project", tag = "Projects",
    responses((status = 204, description = "Deleted"), (status = 409, description = "PROJECT_NOT_EMPTY, WRONG_STATE")))]
pub async fn remove(
    State(state): State<AppState>,
    ProjectPath { of, id }: ProjectPath,
    IfMatch(known): IfMatch,
) -> Result<StatusCode, Problem> {
    let project = AsKnown { id, known };
    let deleted = projects::delete(&state.engine, &of.permit()?, project).await;
    deleted.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(state: &AppState, of: &OrgPath, id: ProjectId) -> Result<Project, Problem> {
    let permit = of.permit::<to::SeeKeyDetails>()?;
    let found = projects::find(&state.engine, &permit, id).await;
    found?.ok_or_else(no_project)
}

impl From<Project> for ProjectObject {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            created_at: project.created_at.rfc3339(),
            key_count: project.keys,
            agent_count: project.agents,
        }
    }
}

fn refused(error: ProjectError) -> Problem {
    match error {
        ProjectError::NotFound => no_project(),
        ProjectError::ChangedMeanwhile => changed_meanwhile(),
        ProjectError::NameTaken(_) => Problem::invalid_field("name", error),
        ProjectError::Limit(reached) => reached.into(),
        ProjectError::IsDefault => Problem::new(Code::WrongState, error.to_string()),
        ProjectError::NotEmpty => Problem::new(Code::ProjectNotEmpty, error.to_string()),
        ProjectError::Fault(fault) => fault.into(),
    }
}
