//! The handlers of a new secret that the member who asked for the key can reveal. Only the response to the form shows it.

use latchkey::{
    access::{Membership, Permit, to},
    accounts,
    id::KeyId,
    key_requests::hand_over::{self, RevealError, Revealed, WithdrawError},
    keys::{rotate::RotateKeyError, show},
};

use super::fields::{Answer, KeyForm};
use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    operations::{
        create_key::shown_key,
        held_key::{held_key, of_key, shown_before},
    },
    pages::{answer::FormAnswer, done::Done, keys::key_path, loading::finished},
    request::PageRequest,
    shown_once::{CreatedKey, Held, Secret, hold},
    text::time::{TimeText, date},
};

/// Withdraws the new secret.
pub async fn withdraw(request: &PageRequest, form: KeyForm) -> Answer {
    let (permit, id) = (request.permit().await?, request.id::<KeyId>("key")?);
    match hand_over::withdraw(request.engine(), &permit, id).await {
        Ok(()) => Ok(FormAnswer::done(
            key_path(request),
            Done::NewSecretWithdrawn,
        )),
        Err(WithdrawError::NotFound) => Err(AppError::NotFound),
        Err(WithdrawError::Fault(fault)) => Err(fault.into()),
        Err(error @ (WithdrawError::Revealed | WithdrawError::NoneOpen)) => {
            Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error))
        }
    }
}

/// Rotates the key, and shows its new secret. A repeat of the same submit gets the same secret for a moment, and every other one
/// leads to the key's page, which says that the secret was shown.
pub async fn reveal(request: PageRequest, form: KeyForm) -> Answer {
    let membership = request.membership().await?;
    let (permit, id) = (membership.permit()?, request.id::<KeyId>("key")?);
    // Runs to the end even if the client disconnects, so that the secret is held for a repeated submit.
    finished(tokio::spawn(reveal_and_hold(
        request, membership, permit, id, form,
    )))
    .await
}

async fn reveal_and_hold(
    request: PageRequest,
    membership: Membership,
    permit: Permit<to::RequestKeys>,
    id: KeyId,
    form: KeyForm,
) -> Answer {
    let engine = request.engine();
    // Before the key is rotated: nothing that can fail may come between its rotation and the response.
    let key = show::summary(engine, &membership.permit()?, id).await?;
    let key = key.ok_or(AppError::NotFound)?;
    let member = accounts::find_user(engine, request.user_id().await?).await?;
    let member = member.map(|user| user.name.to_string());
    let submit = ("reveal-secret", id.to_string());
    let mut held = request.held_key().await;
    let error = match hand_over::reveal(engine, &permit, id).await {
        Ok(revealed) => {
            let Revealed {
                created,
                key: new,
                old_ends_at,
            } = revealed;
            let of = of_key(&membership, created.id, created.position);
            // No secret outlives its key.
            let ends = |at| key.lifecycle.expires_at.map_or(at, |end| end.min(at));
            let shown = CreatedKey {
                created: date(key.created_at),
                is_rotated: true,
                is_requested: true,
                old_ends: old_ends_at.map(ends).map(TimeText::full),
                ..shown_key(&request, &membership, &new, created, member)
            };
            let now = engine.clock().monotonic();
            let secret = Secret::Key(Box::new(shown.clone()));
            hold(&mut held, Held::new(&submit, secret, of, now));
            return Ok(FormAnswer::Shown(shown));
        }
        Err(RevealError::AlreadyRevealed) => {
            let again = held_key(&request, &membership, held.as_ref(), &submit, id).await?;
            let before = || FormAnswer::Redirect {
                path: shown_before(membership.org().slug.as_str(), id),
                done: None,
            };
            return Ok(again.map_or_else(before, FormAnswer::Shown));
        }
        Err(error) => error,
    };
    let sentence = match error {
        RevealError::NotFound => return Err(AppError::NotFound),
        RevealError::Fault(fault) => return Err(fault.into()),
        RevealError::NotForCaller => {
            // Who sees the key's details is told why, and others are refused as from the rest of the page.
            let _: Permit<to::SeeKeyDetails> = membership.permit()?;
            error.to_string()
        }
        RevealError::Rotation(RotateKeyError::RotationRunning { .. }) => {
            "The old secret of the last rotation still works. You can reveal the new one when it has ended.".to_owned()
        }
        error => error.to_string(),
    };
    Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, sentence))
}
