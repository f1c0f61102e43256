//! The handler of the form that rotates a key.

use latchkey::{
    id::KeyId,
    key_requests::hand_over::{self, OfferError},
    keys::rotate::RotateKeyError,
};

use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    operations::rotate_key::{read, refused, rotate_key},
    pages::{answer::FormAnswer, done::Done, keys::key_path},
    request::PageRequest,
    shown_once::{CreatedKey, KeyOutcome},
    values::rotation::{MEMBER, RotateKeyForm},
};

type Answer = Result<FormAnswer<RotateKeyForm, CreatedKey>, AppError>;

/// Rotates a key. The response is the page that shows the new secret, unless someone else reveals it.
///
/// # Errors
/// If the user is not allowed to rotate keys, the key does not exist, or the database cannot be reached.
pub async fn submit(request: PageRequest, form: RotateKeyForm) -> Answer {
    if form.gets == MEMBER {
        return offer(&request, form).await;
    }
    let (org, key) = (request.org().to_owned(), request.name("key").to_owned());
    Ok(match rotate_key(request, &org, &key, form.clone()).await? {
        KeyOutcome::Shown(key) => FormAnswer::Shown(*key),
        KeyOutcome::ShownBefore(path) => FormAnswer::Redirect { path, done: None },
        KeyOutcome::Refused(errors) => FormAnswer::refused_fields(form.sent_back(), errors),
    })
}

/// Lets the member who asked for the key reveal the new secret.
async fn offer(request: &PageRequest, form: RotateKeyForm) -> Answer {
    let (permit, id) = (request.permit().await?, request.id::<KeyId>("key")?);
    let (key, rotation) = read(&form, id);
    match hand_over::offer(request.engine(), &permit, key, rotation).await {
        Ok(()) => Ok(FormAnswer::done(key_path(request), Done::NewSecretOffered)),
        // The form was submitted twice, and the new secret was revealed in between.
        Err(OfferError::Rotation(RotateKeyError::AlreadyRotated)) => Ok(FormAnswer::Redirect {
            path: key_path(request),
            done: None,
        }),
        Err(OfferError::Rotation(error)) => {
            let error = refused(error)?;
            Ok(FormAnswer::refused_fields(form.sent_back(), vec![error]))
        }
        Err(error @ OfferError::NobodyToReveal) => {
            Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error))
        }
        Err(OfferError::Fault(fault)) => Err(fault.into()),
    }
}
