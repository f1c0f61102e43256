//! What the path of an address names: an org, and something in it.

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

/// The org that `{org}` names, by slug or id, and whoever manages it.
#[derive(Debug)]
pub struct OrgPath {
    pub org: Org,
    /// The caller.
    pub manager: Manager,
}

/// The org, and the id of a key that it may have.
#[derive(Debug)]
pub struct KeyPath {
    /// The org.
    pub of: OrgPath,
    /// What `{id}` says.
    pub id: KeyId,
}

/// The org, and the public ID of an agent that it may have.
#[derive(Debug)]
pub struct AgentPath {
    /// The org.
    pub of: OrgPath,
    /// What `{public_id}` says.
    pub public_id: PublicId,
}

/// The org, and the id of a project that it may have.
#[derive(Debug)]
pub struct ProjectPath {
    /// The org.
    pub of: OrgPath,
    /// What `{project_id}` says.
    pub id: ProjectId,
}

impl OrgPath {
    /// The operator's permit to do `A` in this org.
    pub fn permit<A: Permitted>(&self) -> Permit<A> {
        self.manager.operator.permit(&self.org)
    }

    /// The address of something in this org.
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

/// One part of the path. What is no UTF-8 names nothing.
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

/// The org has no such key.
pub fn no_key() -> Problem {
    Problem::new(
        Code::NotFound,
        "The key was not found in this organization. Check the ID.",
    )
}

/// The org has no such agent.
pub fn no_agent() -> Problem {
    Problem::new(
        Code::NotFound,
        "The agent was not found in this organization. Check the public ID.",
    )
}

/// The org has no such project.
pub fn no_project() -> Problem {
    Problem::new(
        Code::NotFound,
        "The project was not found in this organization. Check the ID.",
    )
}
