//! Reveals an approved key. Only the response to the form shows it.

use latchkey::{
    access::Membership,
    accounts,
    id::KeyRequestId,
    key_requests::{self, RevealError, Revealed, find_own},
};

use super::fields::{Answer, RequestForm};
use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    operations::{
        create_key::shown_key,
        held_key::{held_key, of_key},
    },
    pages::answer::FormAnswer,
    request::PageRequest,
    shown_once::{CreatedKey, Held, Secret, hold},
};

/// Creates the key as it was approved. A repeat of the same submit gets the same key for a moment, and every other one leads
/// to the request's page, which says that the key was shown.
///
/// # Errors
/// If the database cannot be reached.
pub async fn reveal(
    request: PageRequest,
    membership: Membership,
    id: KeyRequestId,
    form: RequestForm,
) -> Answer {
    let engine = request.engine();
    // Before the key is created: nothing that can fail may come between its creation and the response.
    let creator = accounts::find_user(engine, request.user_id().await?).await?;
    let creator = creator.map(|user| user.name.to_string());
    let permit = membership.permit()?;
    // One session can reveal several keys with forms that are alike.
    let submit = (&form, id.to_string());
    let mut held = request.held_key().await;
    match key_requests::reveal(engine, &permit, id).await {
        Ok(Revealed { created, new }) => {
            let of = of_key(&membership, created.id, created.position);
            let key = CreatedKey {
                is_requested: true,
                ..shown_key(&request, &membership, &new, created, creator)
            };
            let now = engine.clock().monotonic();
            let secret = Secret::Key(Box::new(key.clone()));
            hold(&mut held, Held::new(&submit, secret, of, now));
            Ok(FormAnswer::Shown(key))
        }
        Err(RevealError::AlreadyRevealed(key)) => {
            let again = held_key(&request, &membership, held.as_ref(), &submit, key).await?;
            Ok(again.map_or_else(
                || FormAnswer::Redirect {
                    path: request.path().to_owned(),
                    done: None,
                },
                FormAnswer::Shown,
            ))
        }
        Err(RevealError::NotFound) => {
            // An owner sees the page, but it is not their request.
            match find_own(engine, &permit, id).await? {
                Some(_) => Err(AppError::NotFound),
                None => Ok(FormAnswer::refused(
                    form.sent_back(),
                    WHOLE_FORM,
                    "Only the person who asked can reveal the key.",
                )),
            }
        }
        Err(RevealError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}
