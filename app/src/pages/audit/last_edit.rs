//! The last change of a key or an agent, which its user can undo.

use latchkey::{
    access::Membership,
    audit::{self, AuditQuery, Entry},
    event::{Event, Target},
    role::Action,
};

use crate::{error::AppError, request::PageRequest};

/// The audit log's entry of the last change of a key or an agent, if it is an edit that the user made. What can be undone is read from
/// there and not sent with a message or a form, so that nobody can make a page offer anything else.
pub async fn last_own_edit(
    request: &PageRequest,
    membership: &Membership,
    target: Target,
) -> Result<Option<Entry>, AppError> {
    if !membership.may(Action::SeeAuditLog) {
        return Ok(None);
    }
    let query = AuditQuery {
        target: Some(target),
        limit: 1,
        ..AuditQuery::default()
    };
    let page = audit::list(request.engine(), &membership.permit()?, &query).await?;
    let own = request.user_id().await?.to_string();
    let last = page.entries.into_iter().next();
    Ok(last.filter(|entry| {
        let is_edit = matches!(entry.event, Event::KeyUpdated | Event::AgentUpdated);
        is_edit && entry.actor.id.as_deref() == Some(own.as_str())
    }))
}
