//! The handler of the form that rotates a key.

use crate::{
    error::AppError,
    operations::rotate_key::rotate_key,
    pages::answer::FormAnswer,
    request::PageRequest,
    shown_once::{CreatedKey, KeyOutcome},
    values::rotation::RotateKeyForm,
};

/// Rotates a key. The response is the page that shows the new secret.
///
/// # Errors
/// If the user is not allowed to rotate keys, the key does not exist, or the database cannot be reached.
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
