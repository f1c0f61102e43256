//! Path parameters: an organization, and an object in it.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use latchkey::{
    Engine,
    access::{AccessError, Operator, Org, Permit, Permitted, to},
    agents::PublicId,
    db::StorageError,
    id::{InvitationId, KeyId, ProjectId, ReviewId, ServiceTokenId, UserId},
    orgs,
};

use super::query;
use crate::{
    app_state::AppState,
    problem::{Code, Problem},
    service_token::{ApiCaller, Reach},
};

/// The organization of the path parameter `{org}`, a slug or ID, and the caller.
#[derive(Debug)]
pub struct OrgPath {
    pub org: Org,
    pub caller: ApiCaller,
}

/// The organization and a key ID. The key may not exist.
#[derive(Debug)]
pub struct KeyPath {
    pub of: OrgPath,
    /// The value of `{id}`.
    pub id: KeyId,
}

/// Like [`KeyPath`], for a list with query parameters.
#[derive(Debug)]
pub struct KeyListPath {
    pub of: OrgPath,
    /// The value of `{id}`.
    pub id: KeyId,
}

/// The organization and the public ID of an agent. The agent may not exist.
#[derive(Debug)]
pub struct AgentPath {
    pub of: OrgPath,
    /// The value of `{public_id}`.
    pub public_id: PublicId,
}

/// The organization and a project ID. The project may not exist.
#[derive(Debug)]
pub struct ProjectPath {
    pub of: OrgPath,
    /// The value of `{project_id}`.
    pub id: ProjectId,
}

/// The organization and a service token ID. The token may not exist.
#[derive(Debug)]
pub struct TokenPath {
    pub of: OrgPath,
    /// The ID in `{token_id}`.
    pub id: ServiceTokenId,
}

/// The organization and a user ID. The user may not be a member.
#[derive(Debug)]
pub struct MemberPath {
    pub of: OrgPath,
    /// The ID in `{user_id}`.
    pub id: UserId,
}

/// The organization and the ID of an invitation. The invitation may not exist.
#[derive(Debug)]
pub struct InvitationPath {
    pub of: OrgPath,
    /// The ID in `{invitation_id}`.
    pub id: InvitationId,
}

/// The organization and the ID of a review. The review may not exist.
#[derive(Debug)]
pub struct ReviewPath {
    pub of: OrgPath,
    /// The ID in `{review_id}`.
    pub id: ReviewId,
}

impl OrgPath {
    /// Returns the caller's permit to do `A` in this organization.
    ///
    /// # Errors
    /// `INSTANCE_TOKEN_REQUIRED` if organization tokens cannot perform the action.
    pub fn permit<A: Permitted>(&self) -> Result<Permit<A>, Problem> {
        match &self.caller.reach {
            Reach::Instance(operator) => Ok(operator.permit(&self.org)),
            Reach::Org(token) => token.permit().map_err(|error| match error {
                AccessError::Fault(fault) => fault.into(),
                _ => Problem::instance_token_required(),
            }),
        }
    }

    /// The URL path of an object in this organization.
    pub fn location(&self, of: &str, id: impl std::fmt::Display) -> String {
        format!("/v1/orgs/{}/{of}/{id}", self.org.slug)
    }
}

impl FromRequestParts<AppState> for OrgPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = ApiCaller::from_request_parts(parts, state).await?;
        let name = parameter(parts, "org").await?;
        let org = match &caller.reach {
            Reach::Instance(operator) => named(&state.engine, operator, &name).await?,
            Reach::Org(token) => Some(token.org().clone())
                .filter(|org| name == org.slug.as_str() || name == org.id.to_string()),
        };
        let org = org.ok_or_else(no_org)?;
        Ok(Self { org, caller })
    }
}

impl FromRequestParts<AppState> for KeyPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        query::has_none(&parts.uri)?;
        let id = key_id(parts).await?;
        Ok(Self { of, id })
    }
}

impl FromRequestParts<AppState> for KeyListPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        let id = key_id(parts).await?;
        Ok(Self { of, id })
    }
}

impl FromRequestParts<AppState> for AgentPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        query::has_none(&parts.uri)?;
        let public_id = parameter(parts, "public_id").await?;
        let public_id = public_id.parse().map_err(|_| no_agent())?;
        Ok(Self { of, public_id })
    }
}

impl FromRequestParts<AppState> for ProjectPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        query::has_none(&parts.uri)?;
        let id = parameter(parts, "project_id").await?;
        let id = id.parse().map_err(|_| no_project())?;
        Ok(Self { of, id })
    }
}

impl FromRequestParts<AppState> for TokenPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        of.permit::<to::ManageTokens>()?;
        query::has_none(&parts.uri)?;
        let id = parameter(parts, "token_id").await?;
        let id = id.parse().map_err(|_| no_token())?;
        Ok(Self { of, id })
    }
}

impl FromRequestParts<AppState> for MemberPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        of.permit::<to::SeeMembers>()?;
        query::has_none(&parts.uri)?;
        let id = parameter(parts, "user_id").await?;
        let id = id.parse().map_err(|_| no_member())?;
        Ok(Self { of, id })
    }
}

impl FromRequestParts<AppState> for InvitationPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        of.permit::<to::InviteMembers>()?;
        query::has_none(&parts.uri)?;
        let id = parameter(parts, "invitation_id").await?;
        let id = id.parse().map_err(|_| no_invitation())?;
        Ok(Self { of, id })
    }
}

impl FromRequestParts<AppState> for ReviewPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        query::has_none(&parts.uri)?;
        let id = parameter(parts, "review_id").await?;
        let id = id.parse().map_err(|_| no_review())?;
        Ok(Self { of, id })
    }
}

/// Finds the organization with this slug or ID.
async fn named(
    engine: &Engine,
    operator: &Operator,
    name: &str,
) -> Result<Option<Org>, StorageError> {
    match (name.parse(), name.parse()) {
        (Ok(slug), _) => orgs::find(engine, operator, &slug).await,
        (_, Ok(id)) => orgs::find_by_id(engine, operator, id).await,
        _ => Ok(None),
    }
}

/// Returns a path parameter. Invalid UTF-8 means that nothing is found.
async fn parameter(parts: &mut Parts, name: &str) -> Result<String, Problem> {
    let Path(mut parameters) = Path::<HashMap<String, String>>::from_request_parts(parts, &())
        .await
        .map_err(|_| Problem::not_found())?;
    parameters.remove(name).ok_or_else(Problem::not_found)
}

async fn key_id(parts: &mut Parts) -> Result<KeyId, Problem> {
    let id = parameter(parts, "id").await?;
    id.parse().map_err(|_| no_key())
}

fn no_org() -> Problem {
    Problem::new(
        Code::NotFound,
        "The organization was not found. Check the slug or ID.",
    )
}

pub fn no_key() -> Problem {
    Problem::new(
        Code::NotFound,
        "The key was not found in this organization. Check the ID.",
    )
}

pub fn no_review() -> Problem {
    Problem::new(
        Code::NotFound,
        "The review was not found in this organization. Check the ID.",
    )
}

pub fn no_agent() -> Problem {
    Problem::new(
        Code::NotFound,
        "The agent was not found in this organization. Check the public ID.",
    )
}

pub fn no_project() -> Problem {
    Problem::new(
        Code::NotFound,
        "The project was not found in this organization. Check the ID.",
    )
}

/// The organization has no such service token.
pub fn no_token() -> Problem {
    Problem::new(
        Code::NotFound,
        "The service token was not found in this organization. Check the ID.",
    )
}

pub fn no_member() -> Problem {
    Problem::new(
        Code::NotFound,
        "The person is not a member of this organization. Check the ID.",
    )
}

pub fn no_invitation() -> Problem {
    Problem::new(
        Code::NotFound,
        "The invitation was not found in this organization. It may have been accepted, or has expired.",
    )
}
