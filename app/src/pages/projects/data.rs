//! What the page of projects shows.

use latchkey::{
    access::{Permit, to},
    projects,
    role::Action,
};

use crate::{error::AppError, request::PageRequest};

/// An org's projects.
#[derive(Debug, Clone)]
pub struct ProjectList {
    /// `Default` first, then by name.
    pub rows: Vec<ProjectRow>,
    /// Whether the viewer may change them.
    pub may_edit: bool,
}

#[derive(Debug, Clone)]
pub struct ProjectRow {
    pub id: String,
    pub name: String,
    /// The revision that the form that renames it is served with.
    pub base: String,
    /// How many keys belong to it.
    pub keys: i64,
    /// How many agents belong to it.
    pub agents: i64,
    /// Whether it is the org's first, which stays as it is.
    pub is_default: bool,
}

/// The org's projects, for owners and admins.
pub async fn list(request: PageRequest) -> Result<ProjectList, AppError> {
    let membership = request.membership().await?;
    let permit: Permit<to::SeeKeyDetails> = membership.permit()?;
    let rows = projects::list(request.engine(), &permit)
        .await?
        .into_iter()
        .enumerate()
        .map(|(place, project)| ProjectRow {
            id: project.id.to_string(),
            name: project.name.to_string(),
            base: projects::revision(&project.name).to_string(),
            keys: project.keys,
            agents: project.agents,
            is_default: place == 0,
        })
        .collect();
    Ok(ProjectList {
        rows,
        may_edit: membership.role().may(Action::EditProjects),
    })
}
