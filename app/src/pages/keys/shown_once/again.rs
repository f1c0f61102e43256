//! A form that was sent twice.

use latchkey::id::KeyId;
use serde::Serialize;

use crate::{
    error::AppError,
    operations::held_key::{held_key, shown_before},
    pages::answer::FormAnswer,
    request::PageRequest,
    shown_once::{CreatedKey, Held},
};

/// The answer to a form that has created or rotated the key `id` before: the key once more while it is held; otherwise the
/// key's page, which says that it was shown.
///
/// # Errors
/// When the database does not answer.
pub async fn shown_again<F: Serialize>(
    request: &PageRequest,
    held: Option<&Held>,
    form: &F,
    id: KeyId,
) -> Result<FormAnswer<F, CreatedKey>, AppError> {
    let membership = request.membership().await?;
    let key = held_key(request, &membership, held, form, id).await?;
    Ok(match key {
        Some(key) => FormAnswer::Shown(key),
        None => FormAnswer::Redirect {
            path: shown_before(request.org(), id),
            done: None,
        },
    })
}
