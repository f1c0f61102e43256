//! The message after an agent was changed, with a way back.

use latchkey::{
    agents::{Agent, PublicId, show},
    audit::Entry,
    event::Target,
    role::Action,
};
use serde_json::Value;

use crate::{
    error::AppError,
    pages::{audit::last_own_edit, done::Done},
    request::PageRequest,
    values::said::{Said, UndoForm},
};

/// The message about an agent, with the form that undoes the user's last change of it.
pub async fn said(
    request: &PageRequest,
    done: Done,
    public_id: PublicId,
) -> Result<Said, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    if !membership.may(Action::EditAgents) {
        return Ok(done.sentence().into());
    }
    let agent = show::details(engine, &membership.permit()?, public_id)
        .await?
        .ok_or(AppError::NotFound)?;
    let last = last_own_edit(request, &membership, Target::Agent(agent.summary.id)).await?;
    let action = format!("/orgs/{}/agents/{public_id}", membership.org().slug);
    Ok(Said {
        text: done.sentence_about(agent.summary.name.as_str()),
        link: None,
        undo: last.map(|entry| UndoForm {
            action,
            fields: fields_before(&agent, &entry),
        }),
    })
}

/// The fields of the agent's form as they were before a change. The form changes nothing if someone else has changed the agent
/// since.
fn fields_before(agent: &Agent, last: &Entry) -> Vec<(String, String)> {
    let before = |field: &str| last.changes.get(field)?.get("from");
    let text = |field: &str, now: String| {
        let before = before(field).and_then(Value::as_str);
        before.map_or(now, str::to_owned)
    };
    let domains = match before("domains").and_then(Value::as_array) {
        Some(domains) => domains
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        None => agent
            .domains
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<String>>(),
    };
    let embedding = before("public_embedding").and_then(Value::as_bool);
    let mut fields = vec![
        ("base", agent.revision().to_string()),
        ("name", text("name", agent.summary.name.to_string())),
        ("project", text("project", agent.project_id.to_string())),
        ("domains", domains.join(", ")),
    ];
    if embedding.unwrap_or(agent.public_embedding) {
        fields.push(("public_embedding", "on".to_owned()));
    }
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
