//! The last change of a key, which its user can undo.

use latchkey::{
    access::Membership,
    audit::{self, AuditQuery, Entry},
    event::{Event, Target},
    id::KeyId,
    role::Action,
};

use crate::{error::AppError, request::PageRequest};

/// The audit log's entry of the last change of a key, if it is an edit that the user made. What can be undone is read from
/// there and not sent with a message or a form, so that nobody can make a page offer anything else.
pub async fn last_own_edit(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<Option<Entry>, AppError> {
    if !membership.may(Action::SeeAuditLog) {
        return Ok(None);
    }
    let query = AuditQuery {
        target: Some(Target::Key(id)),
        limit: 1,
        ..AuditQuery::default()
    };
    let page = audit::list(request.engine(), &membership.permit()?, &query).await?;
    let own = request.user_id().await?.to_string();
    let last = page.entries.into_iter().next();
    Ok(last.filter(|entry| {
        entry.event == Event::KeyUpdated && entry.actor.id.as_deref() == Some(own.as_str())
    }))
}
