//! The handler of the forms that create, rename and delete a project.

use latchkey::{
    access::{Permit, to},
    event::{Event, Target},
    id::ProjectId,
    keys::create::sent_creation_token,
    name::DisplayName,
    projects::{self, ProjectError},
    revision::Known,
};
use serde::Deserialize;

use super::data::list;
use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        name::read_name,
        sent_back::{MAX_BASE, MAX_NAME, sent_back},
    },
    pages::{
        answer::FormAnswer,
        conflict::{Change, Conflict},
        done::Done,
    },
    request::PageRequest,
};

/// The fields of the page's forms.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ProjectForm {
    /// `create`, `rename` or `delete`.
    pub change: String,
    /// The ID of the project to rename or delete.
    #[serde(default)]
    pub project: String,
    /// The name of the new project, or the new name.
    #[serde(default)]
    pub name: String,
    /// The revision that the form was rendered with; empty unless a project is renamed.
    #[serde(default)]
    pub base: String,
    /// Makes a form that is submitted twice create one project; empty unless a project is created.
    #[serde(default)]
    pub creation_token: String,
}

impl ProjectForm {
    /// The values to render again, each truncated to the maximum of its field.
    fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            project: sent_back(&self.project, MAX_NAME),
            name: sent_back(&self.name, MAX_NAME),
            base: sent_back(&self.base, MAX_BASE),
            creation_token: sent_back(&self.creation_token, MAX_NAME),
        }
    }
}

/// Runs the action that the form names.
pub async fn submit(
    request: PageRequest,
    form: ProjectForm,
) -> Result<FormAnswer<ProjectForm>, AppError> {
    let permit: Permit<to::EditProjects> = request.permit().await?;
    let engine = request.engine();
    let id = || {
        form.project
            .parse::<ProjectId>()
            .map_err(|_| AppError::NotFound)
    };
    let name = read_name(&form.name, "a project name");
    let (result, done) = match (form.change.as_str(), name) {
        ("create", Ok(name)) => {
            let token = sent_creation_token(&form.creation_token);
            let created = projects::create_once(engine, &permit, &name, token.as_deref()).await;
            (created.map(drop), Done::ProjectCreated)
        }
        ("rename", Ok(name)) => {
            let known = Known::Revision(form.base.as_str().into());
            let renamed = projects::rename(engine, &permit, id()?, &name, &known).await;
            if let Err(ProjectError::ChangedMeanwhile) = renamed {
                return conflict(request, &form, &name).await;
            }
            (renamed, Done::ProjectRenamed)
        }
        ("create" | "rename", Err(error)) => {
            return Ok(FormAnswer::refused(form.sent_back(), "name", error));
        }
        ("delete", _) => (
            projects::delete(engine, &permit, id()?).await,
            Done::ProjectDeleted,
        ),
        _ => return Err(AppError::Unreadable),
    };
    let path = format!("/orgs/{}/projects", request.org());
    match result {
        Ok(()) => Ok(FormAnswer::done(path, done)),
        Err(ProjectError::NotFound)
            if form.change == "delete"
                && request
                    .has_just_done(request.org(), Event::ProjectDeleted, id()?)
                    .await? =>
        {
            Ok(FormAnswer::done(path, done))
        }
        Err(ProjectError::NotFound) => Err(AppError::NotFound),
        Err(error @ ProjectError::NameTaken(_)) => {
            Ok(FormAnswer::refused(form.sent_back(), "name", error))
        }
        Err(
            error @ (ProjectError::IsDefault
            | ProjectError::NotEmpty
            | ProjectError::Limit(_)
            | ProjectError::ChangedMeanwhile),
        ) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
        Err(ProjectError::Fault(fault)) => Err(fault.into()),
    }
}

/// Responds with the form that renames a project and the name that someone else gave it since the form was rendered.
async fn conflict(
    request: PageRequest,
    form: &ProjectForm,
    name: &DisplayName,
) -> Result<FormAnswer<ProjectForm>, AppError> {
    let id = form.project.parse().map_err(|_| AppError::NotFound)?;
    let changes = Change::latest(&request, Event::ProjectUpdated, Target::Project(id)).await?;
    let rows = list(request).await?.rows;
    let stored = rows.into_iter().find(|row| row.id == form.project);
    let stored = stored.ok_or(AppError::NotFound)?;
    let conflict = Conflict {
        sent: projects::revision(name),
        base: form.base.as_str().into(),
        stored: stored.base.as_str().into(),
        changes,
    };
    let errors = conflict.errors("this project", &[("name", "name", &stored.name)]);
    let values = ProjectForm {
        base: stored.base,
        ..form.sent_back()
    };
    Ok(FormAnswer::Conflict { values, errors })
}
