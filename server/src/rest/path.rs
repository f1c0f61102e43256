//! Path parameters: an organization, and an object in it.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use latchkey::{
    access::{Org, Permit, Permitted},
    agents::PublicId,
    id::{KeyId, ProjectId},
    orgs,
};

use super::query;
use crate::{
    app_state::AppState,
    problem::{Code, Problem},
    service_token::Manager,
};

/// The organization that `{org}` identifies by slug or ID, and the caller.
#[derive(Debug)]
pub struct OrgPath {
    pub org: Org,
    pub manager: Manager,
}

/// The organization and a key ID. The key may not exist.
#[derive(Debug)]
pub struct KeyPath {
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

impl OrgPath {
    /// The caller's permit for the action `A` in this organization.
    pub fn permit<A: Permitted>(&self) -> Permit<A> {
        self.manager.operator.permit(&self.org)
    }

    /// The URL path of an object in this organization.
    pub fn location(&self, of: &str, id: impl std::fmt::Display) -> String {
        format!("/v1/orgs/{}/{of}/{id}", self.org.slug)
    }
}

impl FromRequestParts<AppState> for OrgPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let manager = Manager::from_request_parts(parts, state).await?;
        let name = parameter(parts, "org").await?;
        let org = match (name.parse(), name.parse()) {
            (Ok(slug), _) => orgs::find(&state.engine, &manager.operator, &slug).await,
            (_, Ok(id)) => orgs::find_by_id(&state.engine, &manager.operator, id).await,
            _ => Ok(None),
        };
        let org = org?.ok_or_else(no_org)?;
        Ok(Self { org, manager })
    }
}

impl FromRequestParts<AppState> for KeyPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let of = OrgPath::from_request_parts(parts, state).await?;
        query::has_none(&parts.uri)?;
        let id = parameter(parts, "id").await?;
        let id = id.parse().map_err(|_| no_key())?;
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

/// A path parameter. A value that is not UTF-8 is not found.
async fn parameter(parts: &mut Parts, name: &str) -> Result<String, Problem> {
    let Path(mut parameters) = Path::<HashMap<String, String>>::from_request_parts(parts, &())
        .await
        .map_err(|_| Problem::not_found())?;
    parameters.remove(name).ok_or_else(Problem::not_found)
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
