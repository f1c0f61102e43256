//! Making, renaming and deleting a project.

use leptos::prelude::*;

use crate::error::AppError;

/// Makes a project.
#[server(prefix = "/api", endpoint = "projects/create")]
pub async fn create_project(org: String, name: String) -> Result<(), AppError> {
    crate::error::answer(on_the_server::create(&org, &name).await)
}

/// Gives a project another name.
#[server(prefix = "/api", endpoint = "projects/rename")]
pub async fn rename_project(org: String, project: String, name: String) -> Result<(), AppError> {
    crate::error::answer(on_the_server::rename(&org, &project, &name).await)
}

/// Deletes a project that nothing belongs to.
#[server(prefix = "/api", endpoint = "projects/delete")]
pub async fn delete_project(org: String, project: String) -> Result<(), AppError> {
    crate::error::answer(on_the_server::delete(&org, &project).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        access::{Permit, to},
        id::ProjectId,
        name::DisplayName,
        projects::{self, ProjectError},
    };

    use crate::{
        done::Done,
        error::{AppError, FieldError, FieldProblem, Refusal},
        form::FormReader,
        session,
        typed::Typed,
    };

    pub async fn create(org: &str, name: &str) -> Result<(), AppError> {
        let permit: Permit<to::EditProjects> = session::membership(org).await?.permit()?;
        let parsed = read(name)?;
        projects::create(&*session::engine()?, &permit, &parsed)
            .await
            .map_err(|error| refused(error, name))?;
        leptos_axum::redirect(&format!("/orgs/{org}/projects"));
        Done::ProjectMade.send();
        Ok(())
    }

    pub async fn rename(org: &str, project: &str, name: &str) -> Result<(), AppError> {
        let permit: Permit<to::EditProjects> = session::membership(org).await?.permit()?;
        let id = id(project)?;
        let parsed = read(name)?;
        projects::rename(&*session::engine()?, &permit, id, &parsed)
            .await
            .map_err(|error| refused(error, name))?;
        leptos_axum::redirect(&format!("/orgs/{org}/projects"));
        Done::ProjectRenamed.send();
        Ok(())
    }

    pub async fn delete(org: &str, project: &str) -> Result<(), AppError> {
        let permit: Permit<to::EditProjects> = session::membership(org).await?.permit()?;
        projects::delete(&*session::engine()?, &permit, id(project)?)
            .await
            .map_err(|error| refused(error, ""))?;
        leptos_axum::redirect(&format!("/orgs/{org}/projects"));
        Done::ProjectDeleted.send();
        Ok(())
    }

    fn id(project: &str) -> Result<ProjectId, AppError> {
        project.parse().map_err(|_| AppError::NotFound)
    }

    fn read(name: &str) -> Result<DisplayName, AppError> {
        let mut form = FormReader::default();
        form.read("name", name).ok_or_else(|| {
            Typed::send(&[("name", name)]);
            form.refusal()
        })
    }

    fn refused(error: ProjectError, name: &str) -> AppError {
        match error {
            ProjectError::NotFound => AppError::NotFound,
            ProjectError::NameTaken(_) => {
                Typed::send(&[("name", name)]);
                Refusal::Fields(vec![FieldError {
                    field: "name".to_owned(),
                    problem: FieldProblem::NameTaken,
                }])
                .into()
            }
            ProjectError::IsDefault => Refusal::DefaultProject.into(),
            ProjectError::NotEmpty => Refusal::ProjectNotEmpty.into(),
            ProjectError::Randomness(_) | ProjectError::Storage(_) => AppError::unavailable(&error),
        }
    }
}
