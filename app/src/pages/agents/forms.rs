//! Handlers of the forms that create, edit and delete an agent.

use latchkey::{
    access::{Permit, to},
    agents::{
        AgentError, AgentSettings, AgentSummary, PublicId,
        create::{self as engine_create, Once},
        delete as engine_delete,
        edit::{self as engine_edit, EditAgent},
    },
    event::{Event, Target},
    keys::create::sent_creation_token,
    name::DisplayName,
    revision::{Known, Revision},
};

use super::{
    agent_form::AgentForm,
    data::{AgentView, show},
};
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::{
        answer::FormAnswer,
        conflict::{Change, Conflict, name_of},
        done::Done,
        field_reader::FieldReader,
        keys::show::is_typed,
    },
    request::PageRequest,
};

type Answer = Result<FormAnswer<AgentForm>, AppError>;

pub async fn create(request: PageRequest, form: AgentForm) -> Answer {
    let permit: Permit<to::EditAgents> = request.permit().await?;
    let settings = match read(&form) {
        Ok(settings) => settings,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    let token = sent_creation_token(&form.creation_token);
    let engine = request.engine();
    match engine_create::create_once(engine, &permit, &settings, token.as_deref()).await {
        Ok(Once::Made(AgentSummary { public_id, .. }) | Once::MadeBefore(public_id)) => Ok(
            FormAnswer::done(agent_path(&request, public_id), Done::AgentCreated),
        ),
        Err(error) => refused(&form, error),
    }
}

/// Edits or deletes an agent.
pub async fn submit(request: PageRequest, form: AgentForm) -> Answer {
    match form.change.as_str() {
        "" => edit(request, form).await,
        "delete" => delete(request, form).await,
        _ => Err(AppError::Unreadable),
    }
}

async fn edit(request: PageRequest, form: AgentForm) -> Answer {
    let permit: Permit<to::EditAgents> = request.permit().await?;
    let public_id: PublicId = request.id("agent")?;
    let settings = match read(&form) {
        Ok(settings) => settings,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    let base = Revision::from(form.base.as_str());
    let change = EditAgent {
        // A form without a project field keeps the agent's project.
        project: settings.project.map(Some),
        known: Known::Revision(base),
        ..settings.into()
    };
    let sent = change.revision();
    match engine_edit::edit(request.engine(), &permit, public_id, change).await {
        Ok(()) => Ok(FormAnswer::done(
            agent_path(&request, public_id),
            Done::AgentUpdated.of_agent(public_id),
        )),
        Err(error) => {
            let (values, errors) = current(request, form.sent_back(), sent).await?;
            match error {
                AgentError::ChangedMeanwhile => Ok(FormAnswer::Conflict { values, errors }),
                error => refused(&values, error),
            }
        }
    }
}

/// Returns the form with the stored value in each field that the user did not change, and the errors that name what
/// someone else changed since the form was rendered.
async fn current(
    request: PageRequest,
    form: AgentForm,
    sent: Revision,
) -> Result<(AgentForm, Vec<FieldError>), AppError> {
    let now = show(request.clone())
        .await?
        .form
        .ok_or(AppError::NotFound)?;
    let changes = match now.id {
        Some(id) => Change::latest(&request, Event::AgentUpdated, Target::Agent(id)).await?,
        None => Vec::new(),
    };
    let stored = now.values;
    let conflict = Conflict {
        sent,
        base: form.base.as_str().into(),
        stored: stored.base.as_str().into(),
        changes,
    };
    let project = name_of(&now.projects, &stored.project);
    let embedding = if stored.public_embedding.is_empty() {
        "not allowed"
    } else {
        "allowed"
    };
    let errors = conflict.errors(
        "this agent",
        &[
            ("name", "name", &stored.name),
            ("project", "project", project),
            ("domains", "domains", &stored.domains),
            ("public_embedding", "public_embedding", embedding),
        ],
    );
    let resolve = |field, typed, stored| conflict.resolve(field, typed, stored);
    let values = AgentForm {
        change: String::new(),
        name: resolve("name", form.name, stored.name),
        project: resolve("project", form.project, stored.project),
        domains: resolve("domains", form.domains, stored.domains),
        public_embedding: resolve(
            "public_embedding",
            form.public_embedding,
            stored.public_embedding,
        ),
        base: stored.base,
        confirm: String::new(),
        creation_token: String::new(),
    };
    Ok((values, errors))
}

async fn delete(request: PageRequest, form: AgentForm) -> Answer {
    let permit: Permit<to::EditAgents> = request.permit().await?;
    let id: PublicId = request.id("agent")?;
    let view = show(request.clone()).await;
    if let Ok(AgentView {
        agent,
        more: Some(more),
        ..
    }) = &view
        && more.use_of.is_in_use
        && !is_typed(&form.confirm, &agent.name)
    {
        let sentence = format!(
            "This agent was used in the last 24 hours. Enter its name, {}, to delete it.",
            agent.name
        );
        let values = view?.form.ok_or(AppError::NotFound)?.values;
        let again = AgentForm {
            change: "delete".to_owned(),
            ..values
        };
        return Ok(FormAnswer::refused(again, "confirm", sentence));
    }
    match engine_delete::delete(request.engine(), &permit, id).await {
        Ok(()) => {}
        Err(AgentError::NotFound)
            if request
                .has_just_done(request.org(), Event::AgentDeleted, id)
                .await? => {}
        Err(error) => return refused(&form, error),
    }
    let path = format!("/orgs/{}/agents", request.org());
    Ok(FormAnswer::done(path, Done::AgentDeleted))
}

fn agent_path(request: &PageRequest, public_id: PublicId) -> String {
    format!("/orgs/{}/agents/{public_id}", request.org())
}

fn read(form: &AgentForm) -> Result<AgentSettings, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let name = fields.take("name", form.name.parse::<DisplayName>());
    let domains = fields.domains("domains", &form.domains);
    let project = fields.project(&form.project);
    match name {
        Some(name) if fields.errors.is_empty() => Ok(AgentSettings {
            name,
            project,
            domains,
            public_embedding: !form.public_embedding.is_empty(),
        }),
        _ => Err(fields.errors),
    }
}

fn refused(form: &AgentForm, error: AgentError) -> Answer {
    let field = match error {
        AgentError::NotFound => return Err(AppError::NotFound),
        AgentError::ChangedMeanwhile | AgentError::Limit(_) => WHOLE_FORM,
        AgentError::UnknownProject => "project",
        AgentError::DomainsNeeded | AgentError::TooManyDomains => "domains",
        AgentError::EmbeddingNotOffered => "public_embedding",
        AgentError::Fault(fault) => return Err(fault.into()),
    };
    Ok(FormAnswer::refused(form.sent_back(), field, error))
}
