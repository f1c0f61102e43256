//! `/v1/orgs`: lists, creates and returns organizations.

use axum::{Json, extract::State, response::Response};
use latchkey::{
    access::Org,
    id::OrgId,
    name::{DisplayName, Slug},
    orgs::{self, CreateOrgError},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Body, required},
    created,
    idempotency::{Idempotency, replayed},
    path::OrgPath,
    query::{Limit, NoParameters, Parameters, not_a_cursor},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{Code, Problem},
    service_token::Manager,
};

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Org)]
pub struct OrgObject {
    /// `org_` followed by 32 hexadecimal digits.
    #[schema(value_type = String)]
    id: OrgId,
    /// The name in URLs.
    #[schema(value_type = String)]
    slug: Slug,
    /// The name.
    #[schema(value_type = String)]
    name: DisplayName,
}

/// One page of organizations.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrgList {
    /// The organizations, oldest first.
    data: Vec<OrgObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<OrgId>,
}

/// The fields of a new organization.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrg {
    /// The name: 1 to 80 characters.
    #[schema(value_type = words::Name, required, nullable = false)]
    name: Option<DisplayName>,
    /// The name in URLs: 2 to 40 lower-case letters, digits and single hyphens, starting and ending with a letter or
    /// digit.
    #[schema(value_type = String, required, nullable = false, min_length = 2, max_length = 40, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    slug: Option<Slug>,
}

/// The organizations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrgQuery {
    /// The maximum number of items on a page. Default: 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^org_[0-9a-f]{32}$")]
    cursor: Option<String>,
}

impl From<Org> for OrgObject {
    fn from(org: Org) -> Self {
        Self {
            id: org.id,
            slug: org.slug,
            name: org.name,
        }
    }
}

/// List organizations
#[utoipa::path(get, path = "/v1/orgs", operation_id = "list_orgs", tag = "Organizations", params(OrgQuery),
    responses((status = 200, description = "A page of the list", body = OrgList)))]
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    Parameters(query): Parameters<OrgQuery>,
) -> Result<Json<OrgList>, Problem> {
    let after = query.cursor.map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| not_a_cursor())?;
    let page = orgs::list(&state.engine, &manager.operator, after, query.limit.into()).await;
    let (orgs, next_cursor) = page?;
    Ok(Json(OrgList {
        data: orgs.into_iter().map(OrgObject::from).collect(),
        next_cursor,
    }))
}

/// Create an organization
#[utoipa::path(post, path = "/v1/orgs", operation_id = "create_org", tag = "Organizations", request_body = NewOrg,
    responses((status = 201, description = "Created", body = OrgObject), (status = 409, description = "SLUG_TAKEN")))]
pub async fn create(
    State(state): State<AppState>,
    manager: Manager,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<NewOrg>,
) -> Result<Response, Problem> {
    let name = required("name", fields.name)?;
    let slug = required("slug", fields.slug)?;
    let (engine, operator) = (&*state.engine, &manager.operator);
    let make = async |token: Option<String>| match orgs::create_once(
        engine,
        operator,
        &name,
        &slug,
        token.as_deref(),
    )
    .await
    {
        Ok(org) => Ok(answer(org)),
        Err(CreateOrgError::AlreadyCreated(org)) => Ok(replayed(answer(*org))),
        Err(error @ CreateOrgError::SlugTaken(_)) => {
            Err(Problem::new(Code::SlugTaken, error.to_string()))
        }
        Err(CreateOrgError::Fault(fault)) => Err(fault.into()),
    };
    idempotency
        .once(engine, manager.token_id, &bytes, make)
        .await
}

/// Retrieve an organization
#[utoipa::path(get, path = "/v1/orgs/{org}", operation_id = "show_org", tag = "Organizations",
    responses((status = 200, description = "The organization", body = OrgObject)))]
pub async fn show(_: Manager, of: OrgPath, _: Parameters<NoParameters>) -> Json<OrgObject> {
    Json(of.org.into())
}

fn answer(org: Org) -> Response {
    created(&format!("/v1/orgs/{}", org.slug), OrgObject::from(org))
}
