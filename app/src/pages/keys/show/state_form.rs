//! The handlers that disable, enable and revoke a key, and end its old secret.

use latchkey::{
    id::KeyId,
    key::{Lifecycle, RevokeReason, Status},
    keys::{
        change_state::{self, ChangeStateError},
        rotate::{self, EndOldSecretError},
        show,
    },
    name::as_shown,
    time::{DAY, Timestamp},
};

use super::fields::{Answer, KeyForm};
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::{
        answer::FormAnswer,
        done::{Done, Notice},
        field_reader::FieldReader,
        keys::key_path,
    },
    request::PageRequest,
};

/// Disables an active key.
pub async fn disable(request: &PageRequest, form: KeyForm) -> Answer {
    let (permit, id) = (request.permit().await?, request.id::<KeyId>("key")?);
    let result = change_state::disable(request.engine(), &permit, id).await;
    let path = key_path(request);
    state_answer(
        form,
        path,
        result,
        Status::Disabled,
        Done::KeyDisabled.of(id),
    )
}

/// Enables a disabled key.
pub async fn enable(request: &PageRequest, form: KeyForm) -> Answer {
    let (permit, id) = (request.permit().await?, request.id::<KeyId>("key")?);
    let since = since(&form.since)?;
    let engine = request.engine();
    let result = match since {
        Some(at) => change_state::enable_again(engine, &permit, id, at).await,
        None => change_state::enable(engine, &permit, id).await,
    };
    let path = key_path(request);
    state_answer(form, path, result, Status::Active, Done::KeyEnabled.of(id))
}

/// When what is to be undone was disabled, in milliseconds; `None` to enable it whenever that was.
///
/// # Errors
/// If the field is not one that a page has.
pub fn since(text: &str) -> Result<Option<Timestamp>, AppError> {
    match text {
        "" => Ok(None),
        millis => {
            let millis = millis.parse().map_err(|_| AppError::Unreadable)?;
            Ok(Some(Timestamp::from_millis(millis)))
        }
    }
}

/// Revokes a key permanently.
pub async fn revoke(request: &PageRequest, form: KeyForm) -> Answer {
    let membership = request.membership().await?;
    let (permit, id) = (membership.permit()?, request.id::<KeyId>("key")?);
    let mut fields = FieldReader::default();
    let reason = form.reason.parse::<RevokeReason>().ok();
    fields.take("reason", reason.ok_or("Choose a reason."));
    let engine = request.engine();
    let key = show::summary(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let is_named = is_typed(&form.confirm, key.name.as_str());
    let needs_name = reason != Some(RevokeReason::Compromised)
        && is_in_use(key.lifecycle, key.last_used_at, engine.clock().now());
    if needs_name && !is_named {
        let sentence = format!(
            "This key was used in the last 24 hours. Enter its name, {}, to revoke it.",
            key.name
        );
        fields.errors.push(FieldError::new("confirm", sentence));
    }
    let Some(reason) = reason.filter(|_| fields.errors.is_empty()) else {
        return Ok(FormAnswer::refused_fields(form, fields.errors));
    };
    let result = change_state::revoke(request.engine(), &permit, id, reason).await;
    let path = key_path(request);
    state_answer(form, path, result, Status::Revoked, Done::KeyRevoked.of(id))
}

/// Whether a user typed what a confirmation asks for.
pub fn is_typed(typed: &str, expected: &str) -> bool {
    as_shown(typed) == as_shown(expected)
}

/// Whether requests passed with the key in the last 24 hours, so that revoking it by mistake would stop something.
pub fn is_in_use(lifecycle: Lifecycle, last_used_at: Option<Timestamp>, now: Timestamp) -> bool {
    let is_over = lifecycle.revoked_at.is_some();
    !is_over && last_used_at.is_some_and(|at| now.since(at) < DAY)
}

/// Ends the old secret of the last rotation.
pub async fn end_old_secret(request: &PageRequest) -> Answer {
    let (permit, id) = (request.permit().await?, request.id::<KeyId>("key")?);
    match rotate::end_old_secret(request.engine(), &permit, id).await {
        // The form was submitted twice, or the secret has expired meanwhile.
        Ok(()) | Err(EndOldSecretError::NoneRunning) => Ok(FormAnswer::done(
            key_path(request),
            Done::OldSecretEnded.of(id),
        )),
        // `ChangedMeanwhile` cannot occur: the form sends no entity tag.
        Err(
            EndOldSecretError::NotFound
            | EndOldSecretError::WrongState(_)
            | EndOldSecretError::ChangedMeanwhile,
        ) => Err(AppError::NotFound),
        Err(EndOldSecretError::Fault(fault)) => Err(fault.into()),
    }
}

/// The result of a change of status, which redirects to `path`. If the key already has the wanted status, the form was
/// submitted twice, and the change counts as done.
///
/// # Errors
/// If the key does not exist or the database cannot be reached.
pub fn state_answer<F, D>(
    form: F,
    path: String,
    result: Result<(), ChangeStateError>,
    wanted: Status,
    done: Notice,
) -> Result<FormAnswer<F, D>, AppError> {
    match result {
        Ok(()) => Ok(FormAnswer::done(path, done)),
        Err(ChangeStateError::WrongState(status)) if status == wanted => {
            Ok(FormAnswer::done(path, done))
        }
        // The form undoes what someone else has done again.
        Err(ChangeStateError::WrongState(Status::Disabled)) => {
            let sentence = "This key was disabled again since. Nothing was changed.";
            Ok(FormAnswer::refused(form, WHOLE_FORM, sentence))
        }
        Err(ChangeStateError::WrongState(_)) => {
            let sentence = "This key is revoked or has expired, so this action is not possible.";
            Ok(FormAnswer::refused(form, WHOLE_FORM, sentence))
        }
        // `ChangedMeanwhile` cannot occur: the form sends no entity tag.
        Err(ChangeStateError::NotFound | ChangeStateError::ChangedMeanwhile) => {
            Err(AppError::NotFound)
        }
        Err(ChangeStateError::Fault(fault)) => Err(fault.into()),
    }
}
