//! Making, changing and deleting an agent.

use leptos::prelude::*;

use crate::error::AppError;

/// Makes an agent. A checkbox that is not ticked is not sent.
#[server(prefix = "/api", endpoint = "agents/create")]
pub async fn create_agent(
    org: String,
    name: String,
    project: Option<String>,
    domains: Option<String>,
    public_embedding: Option<String>,
) -> Result<(), AppError> {
    let fields = on_the_server::Fields::sent(name, project, domains, public_embedding);
    crate::error::answer(on_the_server::create(&org, fields).await)
}

/// Changes an agent. A checkbox that is not ticked is not sent.
#[server(prefix = "/api", endpoint = "agents/edit")]
pub async fn edit_agent(
    org: String,
    agent: String,
    name: String,
    project: Option<String>,
    domains: Option<String>,
    public_embedding: Option<String>,
) -> Result<(), AppError> {
    let fields = on_the_server::Fields::sent(name, project, domains, public_embedding);
    crate::error::answer(on_the_server::edit(&org, &agent, fields).await)
}

/// Deletes an agent.
#[server(prefix = "/api", endpoint = "agents/delete")]
pub async fn delete_agent(org: String, agent: String) -> Result<(), AppError> {
    crate::error::answer(on_the_server::delete(&org, &agent).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        access::{Permit, to},
        agents::{AgentError, AgentSettings, PublicId, create, delete, edit},
        domain::parse_list,
        id::ProjectId,
    };

    use crate::{
        done::Done,
        error::{AppError, FieldError, FieldProblem, Refusal},
        form::FormReader,
        session,
        typed::Typed,
    };

    /// The form as it was sent.
    pub struct Fields {
        name: String,
        project: String,
        domains: String,
        public_embedding: bool,
    }

    pub async fn create(org: &str, fields: Fields) -> Result<(), AppError> {
        let permit: Permit<to::EditAgents> = session::membership(org).await?.permit()?;
        let settings = fields.read()?;
        let made = create::create(&*session::engine()?, &permit, &settings)
            .await
            .map_err(|error| fields.refused(error))?;
        leptos_axum::redirect(&format!("/orgs/{org}/agents/{}", made.public_id));
        Done::AgentMade.send();
        Ok(())
    }

    pub async fn edit(org: &str, agent: &str, fields: Fields) -> Result<(), AppError> {
        let permit: Permit<to::EditAgents> = session::membership(org).await?.permit()?;
        let public_id = id(agent)?;
        let settings = fields.read()?;
        edit::edit(&*session::engine()?, &permit, public_id, settings.into())
            .await
            .map_err(|error| fields.refused(error))?;
        leptos_axum::redirect(&format!("/orgs/{org}/agents/{public_id}"));
        Done::AgentSaved.send();
        Ok(())
    }

    pub async fn delete(org: &str, agent: &str) -> Result<(), AppError> {
        let permit: Permit<to::EditAgents> = session::membership(org).await?.permit()?;
        delete::delete(&*session::engine()?, &permit, id(agent)?)
            .await
            .map_err(|error| match error {
                AgentError::NotFound => AppError::NotFound,
                error => AppError::unavailable(&error),
            })?;
        leptos_axum::redirect(&format!("/orgs/{org}/agents"));
        Done::AgentDeleted.send();
        Ok(())
    }

    fn id(agent: &str) -> Result<PublicId, AppError> {
        agent.parse().map_err(|_| AppError::NotFound)
    }

    impl Fields {
        pub fn sent(
            name: String,
            project: Option<String>,
            domains: Option<String>,
            public_embedding: Option<String>,
        ) -> Self {
            Self {
                name,
                project: project.unwrap_or_default(),
                domains: domains.unwrap_or_default(),
                public_embedding: public_embedding.is_some(),
            }
        }

        fn read(&self) -> Result<AgentSettings, AppError> {
            let mut form = FormReader::default();
            let name = form.read("name", &self.name);
            let list = parse_list(&self.domains);
            if list.is_too_long {
                form.refuse("domains", FieldProblem::TooManyDomains);
            } else if !list.is_valid() {
                form.refuse("domains", FieldProblem::NotDomains);
            }
            let project: Option<ProjectId> = match self.project.as_str() {
                "" => None,
                id => match id.parse() {
                    Ok(id) => Some(id),
                    Err(_) => {
                        form.refuse("project", FieldProblem::NoSuchProject);
                        None
                    }
                },
            };
            match (name, form.is_refused()) {
                (Some(name), false) => Ok(AgentSettings {
                    name,
                    project,
                    domains: list.items,
                    public_embedding: self.public_embedding,
                }),
                _ => {
                    self.send_back();
                    Err(form.refusal())
                }
            }
        }

        /// What the page says of an error, after the fields are on their way back to it.
        fn refused(&self, error: AgentError) -> AppError {
            let (field, problem) = match error {
                AgentError::NotFound => return AppError::NotFound,
                AgentError::UnknownProject => ("project", FieldProblem::NoSuchProject),
                AgentError::DomainsNeeded => ("domains", FieldProblem::DomainsNeeded),
                AgentError::TooManyDomains => ("domains", FieldProblem::TooManyDomains),
                AgentError::EmbeddingNotOffered => {
                    ("public_embedding", FieldProblem::EmbeddingNotOffered)
                }
                AgentError::Randomness(_) | AgentError::Storage(_) => {
                    return AppError::unavailable(&error);
                }
            };
            self.send_back();
            Refusal::Fields(vec![FieldError {
                field: field.to_owned(),
                problem,
            }])
            .into()
        }

        fn send_back(&self) {
            Typed::send(&[
                ("name", &self.name),
                ("project", &self.project),
                // Browsers send line ends as CR LF.
                ("domains", &self.domains.replace("\r\n", "\n")),
                (
                    "public_embedding",
                    if self.public_embedding { "on" } else { "" },
                ),
            ]);
        }
    }
}
