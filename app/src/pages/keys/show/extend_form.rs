//! The handler of the button that extends a key which expires soon or has expired.

use latchkey::{
    id::KeyId,
    key::settings::SettingsChange,
    keys::{
        edit::{EditKeyError, edit},
        show,
    },
    revision::Known,
    time::DAY,
};

use super::fields::KeyForm;
use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    pages::{answer::FormAnswer, done::Done, keys::key_path},
    request::PageRequest,
};

/// By how many days the button extends a key.
pub const DAYS: i64 = 90;

/// Extends a key from its expiry date, or from now if it has expired, unless it was changed since the page was loaded.
pub async fn extend(request: &PageRequest, form: KeyForm) -> Result<FormAnswer<KeyForm>, AppError> {
    let membership = request.membership().await?;
    let (to_keys, to_domains) = (membership.permit()?, membership.permit()?);
    let id: KeyId = request.id("key")?;
    let engine = request.engine();
    let key = show::summary(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let now = engine.clock().now();
    let Some(expires_at) = key.lifecycle.expires_at else {
        let sentence = "This key never expires. Nothing was changed.";
        return Ok(FormAnswer::refused(form, WHOLE_FORM, sentence));
    };
    let change = SettingsChange {
        expires_at: Some(Some(expires_at.max(now).plus(DAYS * DAY))),
        ..SettingsChange::default()
    };
    let known = Known::Tags(vec![form.base.clone()]);
    match edit(engine, &to_keys, &to_domains, id, change, &known).await {
        Ok(()) => Ok(FormAnswer::done(
            key_path(request),
            Done::KeyExtended.of(id),
        )),
        Err(EditKeyError::NotFound) => Err(AppError::NotFound),
        Err(EditKeyError::ChangedMeanwhile) => {
            let sentence = "This key was changed after this page was loaded. Check its expiry date, and try again.";
            Ok(FormAnswer::refused(form, WHOLE_FORM, sentence))
        }
        Err(EditKeyError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form, WHOLE_FORM, error)),
    }
}
