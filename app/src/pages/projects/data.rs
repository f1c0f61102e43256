//! The data of the projects page.

use latchkey::{
    access::{Permit, to},
    keys::create::new_creation_token,
    projects,
    role::Action,
};

use crate::{error::AppError, request::PageRequest};

/// The organization's projects.
#[derive(Debug, Clone)]
pub struct ProjectList {
    /// `Default` first, then by name.
    pub rows: Vec<ProjectRow>,
    /// Whether the user can edit projects.
    pub may_edit: bool,
    /// The creation token of the form for a new project.
    pub creation_token: String,
}

#[derive(Debug, Clone)]
pub struct ProjectRow {
    pub id: String,
    pub name: String,
    /// The revision for the form that renames the project.
    pub base: String,
    /// The number of keys in the project.
    pub keys: i64,
    /// The number of agents in the project.
    pub agents: i64,
    /// Whether this is the organization's default project, which cannot be changed.
    pub is_default: bool,
}

/// Loads the projects, for owners and admins.
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
        may_edit: membership.may(Action::EditProjects),
        creation_token: new_creation_token(request.engine())?,
    })
}
