//! Rotates a key. Only the response to the form shows the new secret.

use std::sync::Arc;

use latchkey::{
    access::{Membership, Permit, to},
    id::KeyId,
    keys::{
        create::{CreatedKey as EngineCreatedKey, sent_creation_token},
        rotate::{RotateKeyError, Rotation, rotate},
        show,
    },
    revision::{AsKnown, Known},
    time::SECOND,
};

use super::held_key::{held_key, of_key, shown_before};
use crate::{
    error::AppError,
    form::errors::{FieldError, WHOLE_FORM},
    pages::loading::finished,
    request::PageRequest,
    shown_once::{CreatedKey, Held, KeyOutcome, KeyTerms, Secret, hold, names_of_scopes},
    text::time::{TimeText, date},
    values::rotation::{MEMBER, RotateKeyForm},
};

/// Rotates the key `key` in the organization with the slug `org`.
///
/// # Errors
/// If the user is not allowed to rotate keys, the key does not exist, or the database cannot be reached.
pub async fn rotate_key(
    request: PageRequest,
    org: &str,
    key: &str,
    form: RotateKeyForm,
) -> Result<KeyOutcome, AppError> {
    let membership = request.membership_of(org).await?;
    let permit = membership.permit()?;
    if form.gets == MEMBER {
        // The browser submits that form as it is: its response is another page.
        return Err(AppError::Unreadable);
    }
    let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
    // Runs to the end even if the client disconnects, so that the key is held for a repeated submit.
    let rotating = rotate_and_hold(request, membership, permit, form, id);
    finished(tokio::spawn(rotating)).await
}

async fn rotate_and_hold(
    request: PageRequest,
    membership: Membership,
    permit: Permit<to::RotateKeys>,
    form: RotateKeyForm,
    id: KeyId,
) -> Result<KeyOutcome, AppError> {
    let engine = request.engine();
    let (key, rotation) = read(&form, id);
    let overlap = rotation.overlap;
    let mut held = request.held_key().await;
    match rotate(engine, &permit, key, rotation).await {
        Ok(created) => {
            let of = of_key(&membership, created.id, created.position);
            let key = shown_key(&request, &membership, created, overlap).await?;
            let now = engine.clock().monotonic();
            hold(
                &mut held,
                Held::new(&form, Secret::Key(Box::new(key.clone())), of, now),
            );
            Ok(KeyOutcome::Shown(Box::new(key)))
        }
        Err(RotateKeyError::AlreadyRotated) => {
            let key = held_key(&request, &membership, held.as_ref(), &form, id).await?;
            let before =
                || KeyOutcome::ShownBefore(shown_before(membership.org().slug.as_str(), id));
            Ok(key.map_or_else(before, |key| KeyOutcome::Shown(Box::new(key))))
        }
        Err(error) => Ok(KeyOutcome::Refused(vec![refused(error)?])),
    }
}

/// The key to rotate, in the state that the form was rendered with, and how.
pub fn read(form: &RotateKeyForm, id: KeyId) -> (AsKnown<KeyId>, Rotation) {
    let seconds = form.overlap.parse::<i64>().unwrap_or(-1);
    let rotation = Rotation {
        overlap: seconds.saturating_mul(SECOND),
        token: sent_creation_token(&form.rotation_token),
    };
    let known = match form.base.as_str() {
        "" => Known::Nothing,
        base => Known::Tags(vec![base.to_owned()]),
    };
    (AsKnown { id, known }, rotation)
}

/// What the form says of a rotation that was refused.
///
/// # Errors
/// If the key does not exist, or the database cannot be reached.
pub fn refused(error: RotateKeyError) -> Result<FieldError, AppError> {
    Ok(match error {
        RotateKeyError::NotFound => return Err(AppError::NotFound),
        RotateKeyError::Fault(fault) => return Err(fault.into()),
        RotateKeyError::ChangedMeanwhile => FieldError::new(
            WHOLE_FORM,
            "This key was changed or rotated after this page was loaded. Reload the page to see its current state.",
        ),
        RotateKeyError::OverlapOutOfRange => FieldError::new("overlap", error),
        RotateKeyError::WrongState(_)
        | RotateKeyError::RotationRunning { .. }
        | RotateKeyError::RotatedMeanwhile
        | RotateKeyError::AlreadyRotated
        | RotateKeyError::NotOffered(..) => FieldError::new(WHOLE_FORM, error),
    })
}

/// The rotated key with its new secret and its details.
async fn shown_key(
    request: &PageRequest,
    membership: &Membership,
    created: EngineCreatedKey,
    overlap: i64,
) -> Result<CreatedKey, AppError> {
    let engine = request.engine();
    let key = show::details(engine, &membership.permit()?, created.id)
        .await?
        .ok_or(AppError::NotFound)?;
    // No secret outlives its key.
    let old_ends = engine.clock().now().plus(overlap);
    let old_ends = match key.summary.lifecycle.expires_at {
        Some(expires_at) => old_ends.min(expires_at),
        None => old_ends,
    };
    let (kind, environment) = (key.summary.kind, key.summary.environment);
    Ok(CreatedKey {
        key: Arc::new(created.plain),
        id: created.id.to_string(),
        kind,
        environment,
        scopes: names_of_scopes(engine.convention(), &key.settings.scopes),
        terms: KeyTerms::of(engine.convention(), kind, environment, &key.settings.scopes),
        settings: key.settings,
        created: date(key.summary.created_at),
        created_by: key.created_by.map(|(_, name)| name.to_string()),
        org_id: membership.org().id.to_string(),
        path: format!("/orgs/{}/keys/{}", membership.org().slug, created.id),
        is_rotated: true,
        is_requested: false,
        old_ends: (overlap > 0).then(|| TimeText::full(old_ends)),
        addresses: Arc::clone(request.addresses()),
    })
}
