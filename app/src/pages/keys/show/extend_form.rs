//! The handler of the button that extends a key which expires soon or has expired.

use latchkey::{
    access::Membership,
    event::Target,
    id::KeyId,
    key::settings::SettingsChange,
    keys::{
        edit::{EditKeyError, edit},
        show,
    },
    orgs::policies,
    policy::KeyPolicy,
    revision::Known,
    time::{DAY, Timestamp},
};

use super::fields::{Answer, KeyForm};
use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    pages::{answer::FormAnswer, audit::last_own_edit, done::Done, keys::key_path},
    request::PageRequest,
    text::time::date,
};

/// By how many days the button extends a key.
const DAYS: i64 = 90;

/// Until when the button extends a key that expires at `from`: for as long as the policies allow. `None` if they allow no
/// later date.
fn extended(from: Timestamp, policy: &KeyPolicy, now: Timestamp) -> Option<Timestamp> {
    let wanted = from.max(now).plus(DAYS * DAY);
    let allowed = policy.latest_expiry(now).unwrap_or(wanted);
    Some(wanted.min(allowed)).filter(|until| *until > from)
}

/// The text of the button.
pub fn button(from: Timestamp, policy: &KeyPolicy, now: Timestamp) -> Option<String> {
    let until = extended(from, policy, now)?;
    let is_whole = until == from.max(now).plus(DAYS * DAY);
    Some(match is_whole {
        true => format!("Extend by {DAYS} days"),
        false => format!("Extend until {}", date(until)),
    })
}

/// The expiry dates before and after the last change of a key, if the user made it and it changed them. They are read from the
/// audit log, so that a form can undo nothing else.
async fn last_expiry(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<Option<(Timestamp, Timestamp)>, AppError> {
    let last = last_own_edit(request, membership, Target::Key(id)).await?;
    Ok(last.as_ref().and_then(|entry| {
        let change = entry.changes.get("expires_at")?;
        let at = |which| Some(Timestamp::from_millis(change.get(which)?.as_i64()?));
        Some((at("from")?, at("to")?))
    }))
}

/// The expiry date before the extension that was the last change of a key, if the user made it and that date has not passed.
///
/// # Errors
/// If the database cannot be reached.
pub async fn extension(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<Option<Timestamp>, AppError> {
    let last = last_expiry(request, membership, id).await?;
    let now = request.engine().clock().now();
    Ok(last.and_then(|(before, after)| (after > before && before > now).then_some(before)))
}

/// Sets the expiry date back to the one before the last extension.
pub async fn undo(request: &PageRequest, form: KeyForm) -> Answer {
    let membership = request.membership().await?;
    let (to_keys, to_domains) = (membership.permit()?, membership.permit()?);
    let id: KeyId = request.id("key")?;
    let engine = request.engine();
    let Some(before) = extension(request, &membership, id).await? else {
        // The same form, submitted twice.
        let last = last_expiry(request, &membership, id).await?;
        if last.is_some_and(|(before, after)| after < before) {
            return Ok(FormAnswer::done(key_path(request), Done::KeyUpdated.of(id)));
        }
        let sentence = "This key was changed since it was extended. Nothing was changed.";
        return Ok(FormAnswer::refused(form, WHOLE_FORM, sentence));
    };
    let change = SettingsChange {
        expires_at: Some(Some(before)),
        ..SettingsChange::default()
    };
    match edit(engine, &to_keys, &to_domains, id, change, &Known::Nothing).await {
        Ok(()) => Ok(FormAnswer::done(key_path(request), Done::KeyUpdated.of(id))),
        Err(EditKeyError::NotFound) => Err(AppError::NotFound),
        Err(EditKeyError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form, WHOLE_FORM, error)),
    }
}

/// Extends a key from its expiry date, or from now if it has expired, unless it was changed since the page was loaded.
pub async fn extend(request: &PageRequest, form: KeyForm) -> Answer {
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
    let policy = policies::read(engine, &to_keys).await?;
    let Some(until) = extended(expires_at, &policy, now) else {
        let sentence =
            "This key already expires as late as the policies of your organization allow.";
        return Ok(FormAnswer::refused(form, WHOLE_FORM, sentence));
    };
    let change = SettingsChange {
        expires_at: Some(Some(until)),
        ..SettingsChange::default()
    };
    let known = Known::Tags(vec![form.base.clone()]);
    match edit(engine, &to_keys, &to_domains, id, change, &known).await {
        Ok(()) => Ok(FormAnswer::done(
            key_path(request),
            Done::KeyExtended.of(id),
        )),
        Err(EditKeyError::NotFound) => Err(AppError::NotFound),
        // The same form, submitted twice.
        Err(EditKeyError::ChangedMeanwhile)
            if extension(request, &membership, id).await?.is_some() =>
        {
            Ok(FormAnswer::done(
                key_path(request),
                Done::KeyExtended.of(id),
            ))
        }
        Err(EditKeyError::ChangedMeanwhile) => {
            let sentence = "This key was changed after this page was loaded. Check its expiry date, and try again.";
            Ok(FormAnswer::refused(form, WHOLE_FORM, sentence))
        }
        Err(EditKeyError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form, WHOLE_FORM, error)),
    }
}
