//! A form that was sent twice.

use latchkey::{audit, id::KeyId};
use serde::Serialize;

use crate::{
    error::AppError,
    pages::answer::FormAnswer,
    request::PageRequest,
    shown_once::{CreatedKey, Held},
};

/// The answer to a form that has created or rotated the key `id` before: the key once more where this very submit was
/// answered with it a moment ago and nothing of the key was changed since; otherwise the key's page, which says that it was
/// shown.
///
/// # Errors
/// When the database does not answer.
pub async fn shown_again<F: Serialize>(
    request: &PageRequest,
    held: Option<&Held>,
    form: &F,
    id: KeyId,
) -> Result<FormAnswer<F, CreatedKey>, AppError> {
    let engine = request.engine();
    let held = held.filter(|held| held.answers(form, engine.clock().monotonic()));
    if let Some(held) = held {
        let permit = request.membership().await?.permit()?;
        let last = audit::last_change(engine, &permit, id).await?;
        if last == Some(held.position) {
            return Ok(FormAnswer::Shown(held.key.clone()));
        }
    }
    Ok(FormAnswer::Redirect {
        path: format!("/orgs/{}/keys/{id}?shown=1", request.org()),
        done: None,
    })
}
