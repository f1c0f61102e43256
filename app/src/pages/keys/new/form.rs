//! The handler of the form that creates a key.

use crate::{
    error::AppError,
    operations::create_key::create_key,
    pages::answer::FormAnswer,
    request::PageRequest,
    shown_once::{CreatedKey, KeyOutcome},
    values::key_form::SettingsForm,
};

/// Creates a key. The response is the page that shows the key, which no other page does.
///
/// # Errors
/// If the user is not allowed to create keys or the database cannot be reached.
pub async fn submit(
    request: PageRequest,
    form: SettingsForm,
) -> Result<FormAnswer<SettingsForm, CreatedKey>, AppError> {
    let org = request.org().to_owned();
    Ok(match create_key(request, &org, form.clone()).await? {
        KeyOutcome::Shown(key) => FormAnswer::Shown(*key),
        KeyOutcome::ShownBefore(path) => FormAnswer::Redirect { path, done: None },
        KeyOutcome::Refused(errors) => FormAnswer::refused_fields(form.sent_back(), errors),
    })
}
