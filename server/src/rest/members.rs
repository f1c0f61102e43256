//! `/v1/orgs/{org}/members`: the people of an organization. Only the operator's tokens manage them.

use axum::{Json, extract::State, http::StatusCode};
use latchkey::{
    email::EmailAddress,
    id::UserId,
    members::{self, Member, MemberError},
    name::DisplayName,
    role::Role,
    time::{Rfc3339, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Body, required},
    path::{MemberPath, OrgPath, no_member},
    query::{Limit, Parameters, not_a_cursor},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{Code, Problem},
    service_token::Manager,
};

/// A member of an organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberObject {
    /// The person.
    user: MemberUser,
    /// What the member can do.
    #[schema(value_type = words::MemberRole)]
    role: Role,
    /// When the person became a member.
    #[schema(value_type = jiff::Timestamp)]
    joined_at: Rfc3339,
    /// When the person last used the pages, to some minutes. Null means never.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    last_seen_at: Option<Rfc3339>,
    /// Whether the person's account has a second factor.
    second_factor: bool,
}

/// The account of a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberUser {
    /// `usr_` followed by 32 hexadecimal digits.
    #[schema(value_type = String)]
    id: UserId,
    /// The name.
    #[schema(value_type = String)]
    name: DisplayName,
    /// The e-mail address.
    #[schema(value_type = String)]
    email: EmailAddress,
}

/// One page of members.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberList {
    /// The members, the oldest account first.
    data: Vec<MemberObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<UserId>,
}

/// A change of a member.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// What the member can do from now on.
    #[schema(value_type = words::MemberRole, required, nullable = false)]
    role: Option<Role>,
}

/// The members to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MemberQuery {
    /// The maximum number of items on a page. Default: 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^usr_[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// List members
///
/// Requires a token for the whole instance.
#[utoipa::path(get, path = "/v1/orgs/{org}/members", operation_id = "list_members", tag = "Members", params(MemberQuery),
    responses((status = 200, description = "A page of the list", body = MemberList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<MemberQuery>,
) -> Result<Json<MemberList>, Problem> {
    let permit = of.permit()?;
    let after = query.cursor.map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| not_a_cursor())?;
    let page = members::page(&state.engine, &permit, after, query.limit.into()).await;
    let (members, next_cursor) = page?;
    Ok(Json(MemberList {
        data: members.into_iter().map(MemberObject::from).collect(),
        next_cursor,
    }))
}

/// Change a member's role
///
/// The role applies from the member's next request on. Requires a token for the whole instance.
#[utoipa::path(patch, path = "/v1/orgs/{org}/members/{user_id}", operation_id = "change_member", tag = "Members",
    request_body = MemberChange, responses((status = 200, description = "The updated member", body = MemberObject),
        (status = 409, description = "LAST_OWNER")))]
pub async fn change(
    State(state): State<AppState>,
    // Extracted before the body, so that other tokens are denied regardless of what they send.
    _: Manager,
    MemberPath { of, id }: MemberPath,
    Body { fields, .. }: Body<MemberChange>,
) -> Result<Json<MemberObject>, Problem> {
    let role = required("role", fields.role)?;
    let changed = members::change_role(&state.engine, &of.permit()?, id, role).await;
    changed.map_err(refused)?;
    let member = members::find(&state.engine, &of.permit()?, id).await?;
    Ok(Json(member.ok_or_else(no_member)?.into()))
}

/// Remove a member
///
/// The person loses access immediately. The keys, projects and tokens that they created remain. Requires a token for the
/// whole instance.
#[utoipa::path(delete, path = "/v1/orgs/{org}/members/{user_id}", operation_id = "remove_member", tag = "Members",
    responses((status = 204, description = "Removed"), (status = 409, description = "LAST_OWNER")))]
pub async fn remove(
    State(state): State<AppState>,
    MemberPath { of, id }: MemberPath,
) -> Result<StatusCode, Problem> {
    let removed = members::remove(&state.engine, &of.permit()?, id).await;
    removed.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Member> for MemberObject {
    fn from(member: Member) -> Self {
        Self {
            user: MemberUser {
                id: member.user_id,
                name: member.name,
                email: member.email,
            },
            role: member.role,
            joined_at: member.created_at.rfc3339(),
            last_seen_at: member.last_seen_at.map(Timestamp::rfc3339),
            second_factor: member.second_factor,
        }
    }
}

fn refused(error: MemberError) -> Problem {
    match error {
        MemberError::NotFound => no_member(),
        MemberError::LastOwner(_) => Problem::new(Code::LastOwner, error.to_string()),
        // Tokens have no password.
        MemberError::PasswordNeeded(_) => Problem::forbidden(),
        MemberError::Fault(fault) => fault.into(),
    }
}
