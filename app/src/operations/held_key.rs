//! Repeated submits of a form that creates or rotates a key.

use latchkey::{access::Membership, audit, event::Target, id::KeyId};
use serde::Serialize;

use crate::{
    error::AppError,
    request::PageRequest,
    shown_once::{CreatedKey, Held, Of, Secret},
};

/// Returns the key `id`, which this form has already created or rotated, if the same submit received it a moment ago
/// and the key has not been changed since.
///
/// # Errors
/// If the database cannot be reached.
pub async fn held_key<F: Serialize>(
    request: &PageRequest,
    membership: &Membership,
    held: Option<&Held>,
    form: &F,
    id: KeyId,
) -> Result<Option<CreatedKey>, AppError> {
    let engine = request.engine();
    let now = engine.clock().monotonic();
    let Some(held) = held.filter(|held| held.answers(form, now)) else {
        return Ok(None);
    };
    let last = audit::last_change(engine, &membership.permit()?, id).await?;
    Ok(match &held.secret {
        Secret::Key(key) if last == Some(held.of.position) => Some(key.as_ref().clone()),
        _ => None,
    })
}

/// What the secret of a key is held for, which was created or rotated at this position in the audit log.
pub fn of_key(membership: &Membership, id: KeyId, position: i64) -> Of {
    Of {
        target: Some(Target::Key(id)),
        org_id: Some(membership.org().id),
        position,
    }
}

/// The path of the key's page, which explains that the key was already shown. `org` is the organization's slug.
pub fn shown_before(org: &str, id: KeyId) -> String {
    format!("/orgs/{org}/keys/{id}?shown=1")
}
