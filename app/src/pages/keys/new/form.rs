//! Creating a key, by the form of its page.

use crate::{
    error::AppError,
    operations::create_key::create_key,
    pages::answer::FormAnswer,
    request::PageRequest,
    shown_once::{CreatedKey, KeyOutcome},
    values::key_form::SettingsForm,
};

/// Creates a key. The answer is the page that shows it, the only one that ever does.
///
/// # Errors
/// When the person may not create keys, or something behind it does not work.
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
