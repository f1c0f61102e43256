//! `/v1/orgs/{org}/invitations`: invites people into an organization. Only the operator's tokens do this.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use latchkey::{
    access::to,
    email::EmailAddress,
    id::InvitationId,
    invitations::{
        self, CreatedInvitation, Invitation, InvitationToken, InviteError, NewInvitation,
        WithdrawError,
    },
    role::Role,
    time::{Rfc3339, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Body, required},
    created_in_list,
    idempotency::{Idempotency, replayed},
    path::{InvitationPath, OrgPath, no_invitation},
    query::{Limit, Parameters, not_a_cursor},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{Code, Problem},
    service_token::Manager,
};

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationObject {
    /// The ID.
    #[schema(value_type = String)]
    id: InvitationId,
    /// The e-mail address that it is for.
    #[schema(value_type = String)]
    email: EmailAddress,
    /// What the person can do as a member.
    #[schema(value_type = words::MemberRole)]
    role: Role,
    /// Until when it can be accepted.
    #[schema(value_type = jiff::Timestamp)]
    expires_at: Rfc3339,
    /// The link with which the person accepts. Returned once, in the response that creates the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    url: Option<String>,
}

/// One page of invitations.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationList {
    /// The invitations that can be accepted, oldest first.
    data: Vec<InvitationObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<InvitationId>,
}

/// The fields of a new invitation.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitationFields {
    /// The e-mail address of the person. If it was invited before, that invitation is replaced, and its link no longer
    /// works.
    #[schema(value_type = String, required, nullable = false, max_length = 254)]
    email: Option<EmailAddress>,
    /// What the person can do as a member.
    #[schema(value_type = words::MemberRole, required, nullable = false)]
    role: Option<Role>,
}

/// The invitations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvitationQuery {
    /// The maximum number of items on a page. Default: 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^inv_[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// List invitations
///
/// Requires a token for the whole instance.
#[utoipa::path(get, path = "/v1/orgs/{org}/invitations", operation_id = "list_invitations", tag = "Members",
    params(InvitationQuery), responses((status = 200, description = "A page of the list", body = InvitationList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<InvitationQuery>,
) -> Result<Json<InvitationList>, Problem> {
    let permit = of.permit()?;
    let after = query.cursor.map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| not_a_cursor())?;
    let page = invitations::page(&state.engine, &permit, after, query.limit.into()).await;
    let (invitations, next_cursor) = page?;
    let data = invitations.into_iter();
    Ok(Json(InvitationList {
        data: data.map(InvitationObject::from).collect(),
        next_cursor,
    }))
}

/// Invite someone
///
/// Send the person the link in `url`. It works once, for seven days, and only for this e-mail address. If this instance
/// sends mail, the person also gets the link at that address. An organization can have 100 open invitations. Requires a token for the whole instance.
#[utoipa::path(post, path = "/v1/orgs/{org}/invitations", operation_id = "create_invitation", tag = "Members",
    request_body = NewInvitationFields, responses((status = 201, description = "Created", body = InvitationObject),
        (status = 409, description = "ALREADY_MEMBER, LIMIT_REACHED")))]
pub async fn create(
    State(state): State<AppState>,
    // Extracted before the body, so that other tokens are denied regardless of what they send.
    _: Manager,
    of: OrgPath,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<NewInvitationFields>,
) -> Result<Response, Problem> {
    let permit = of.permit::<to::InviteMembers>()?;
    let email = required("email", fields.email)?;
    let role = required("role", fields.role)?;
    let engine = &*state.engine;
    let create = async |creation_token: Option<String>| {
        let new = NewInvitation {
            email: email.clone(),
            role,
            shows_link: true,
            creation_token,
        };
        match invitations::create(engine, &permit, new).await {
            Ok(invited) => Ok(created_in_list(object(&state, invited))),
            Err(InviteError::AlreadyCreated(id)) => {
                let found = invitations::find(engine, &permit, id).await?;
                let found: InvitationObject = found.ok_or_else(no_invitation)?.into();
                Ok(replayed(created_in_list(found)))
            }
            Err(error) => Err(refused(error)),
        }
    };
    idempotency
        .once(engine, of.caller.token_id, &bytes, create)
        .await
}

/// Withdraw an invitation
///
/// Its link no longer works. Requires a token for the whole instance.
#[utoipa::path(delete, path = "/v1/orgs/{org}/invitations/{invitation_id}", operation_id = "withdraw_invitation", tag = "Members",
    responses((status = 204, description = "Withdrawn")))]
pub async fn withdraw(
    State(state): State<AppState>,
    InvitationPath { of, id }: InvitationPath,
) -> Result<StatusCode, Problem> {
    match invitations::withdraw(&state.engine, &of.permit()?, id).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(WithdrawError::NotFound) => Err(no_invitation()),
        Err(WithdrawError::Fault(fault)) => Err(fault.into()),
    }
}

fn object(state: &AppState, invited: CreatedInvitation) -> InvitationObject {
    InvitationObject {
        id: invited.id,
        email: invited.email,
        role: invited.role,
        expires_at: invited.expires_at.rfc3339(),
        url: invited.token.map(|token| link(state, &token)),
    }
}

fn link(state: &AppState, token: &InvitationToken) -> String {
    format!(
        "{}/invitations/{}",
        state.addresses.public_url,
        token.expose()
    )
}

impl From<Invitation> for InvitationObject {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            expires_at: Timestamp::rfc3339(invitation.expires_at),
            url: None,
        }
    }
}

fn refused(error: InviteError) -> Problem {
    match error {
        InviteError::AlreadyMember(_) => Problem::new(Code::AlreadyMember, error.to_string()),
        InviteError::TooMany | InviteError::TooOften { .. } => {
            Problem::new(Code::LimitReached, error.to_string())
        }
        InviteError::Limit(reached) => reached.into(),
        // Tokens have no password.
        InviteError::PasswordNeeded(_) => Problem::forbidden(),
        InviteError::RoleTooHigh => Problem::invalid_field("role", error),
        InviteError::NotFound | InviteError::AlreadyCreated(_) => no_invitation(),
        InviteError::Fault(fault) => fault.into(),
    }
}
