//! Who created a key or an agent, or disabled or revoked a key, and how: from the audit log.

use latchkey::{
    Engine,
    access::Membership,
    audit::{self, AuditQuery, EventFilter},
    event::{Event, Target},
    role::Action,
};

use super::entry::actor_name;
use crate::error::AppError;

/// The words after the time of the last event of this kind about a key or an agent: " by Dana, in the dashboard". `None` if the role
/// cannot see the log, or the entry is no longer kept.
///
/// # Errors
/// If the database cannot be reached.
pub async fn origin(
    engine: &Engine,
    membership: &Membership,
    target: Target,
    event: Event,
) -> Result<Option<String>, AppError> {
    if !membership.may(Action::SeeAuditLog) {
        return Ok(None);
    }
    let query = AuditQuery {
        target: Some(target),
        event: Some(EventFilter::Is(event)),
        limit: 1,
        ..AuditQuery::default()
    };
    let page = audit::list(engine, &membership.permit()?, &query).await?;
    Ok(page.entries.first().map(|entry| {
        let by = actor_name(&entry.actor);
        let is_import = event == Event::KeyImported;
        match (entry.actor.kind.as_str(), entry.via.as_str()) {
            ("command_line", _) if is_import => ", imported on the command line".to_owned(),
            ("command_line", _) => " on the command line".to_owned(),
            (_, "api") if is_import => format!(", imported by {by} through the API"),
            _ if is_import => format!(", imported by {by}"),
            ("token", _) => format!(" by the service token {by}"),
            (_, "api") => format!(" by {by} through the API"),
            _ => format!(" by {by} in the dashboard"),
        }
    }))
}
