//! Rotating a key, by the form of its page.

use crate::{
    error::AppError,
    operations::rotate_key::rotate_key,
    pages::answer::FormAnswer,
    request::PageRequest,
    shown_once::{CreatedKey, KeyOutcome},
    values::rotation::RotateKeyForm,
};

/// Rotates a key. The answer is the page that shows the new secret.
///
/// # Errors
/// When the person may not rotate keys, there is no such key, or something behind it does not work.
pub async fn submit(
    request: PageRequest,
    form: RotateKeyForm,
) -> Result<FormAnswer<RotateKeyForm, CreatedKey>, AppError> {
    let (org, key) = (request.org().to_owned(), request.name("key").to_owned());
    Ok(match rotate_key(request, &org, &key, form.clone()).await? {
        KeyOutcome::Shown(key) => FormAnswer::Shown(*key),
        KeyOutcome::ShownBefore(path) => FormAnswer::Redirect { path, done: None },
        KeyOutcome::Refused(errors) => FormAnswer::refused_fields(form.sent_back(), errors),
    })
}
