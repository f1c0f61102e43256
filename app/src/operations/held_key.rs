//! A form for a key that was sent twice.

use latchkey::{access::Membership, audit, id::KeyId};
use serde::Serialize;

use crate::{
    error::AppError,
    request::PageRequest,
    shown_once::{CreatedKey, Held},
};

/// The key `id` once more, which a form has created or rotated before: where this very submit was answered with it a moment
/// ago and nothing of the key was changed since.
///
/// # Errors
/// When the database does not answer.
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
    Ok((last == Some(held.position)).then(|| held.key.clone()))
}

/// The page of the key `id` of the org `org`, which says that its key was shown.
pub fn shown_before(org: &str, id: KeyId) -> String {
    format!("/orgs/{org}/keys/{id}?shown=1")
}
