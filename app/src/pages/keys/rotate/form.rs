//! Rotating a key. The answer to the form is the page that shows the new secret, and nothing else ever does.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    id::KeyId,
    keys::{
        create::{CreatedKey as EngineCreatedKey, sent_creation_token},
        rotate::{RotateKeyError, Rotation, rotate},
        show,
    },
    time::SECOND,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{answer::FormAnswer, keys::shown_once::shown_again, page::finished},
    request::PageRequest,
    shown_once::{CreatedKey, Held, KeyTerms},
    text::time::date,
};

type Answer = Result<FormAnswer<RotateKeyForm, CreatedKey>, AppError>;

/// The form's fields as they were chosen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RotateKeyForm {
    /// For how many seconds the old secret keeps working.
    pub overlap: String,
    /// What the form was served with, so that sending it twice rotates once.
    pub rotation_token: String,
}

impl RotateKeyForm {
    /// The form as it is sent back, no field longer than the page sends it.
    pub fn sent_back(self) -> Self {
        Self {
            overlap: sent_back(&self.overlap, MAX_NAME),
            rotation_token: sent_back(&self.rotation_token, MAX_NAME),
        }
    }
}

/// The overlaps offered, in seconds, with their texts.
pub const OVERLAPS: [(i64, &str); 5] = [
    (0, "End it immediately"),
    (3_600, "1 hour"),
    (86_400, "1 day"),
    (604_800, "7 days"),
    (2_592_000, "30 days"),
];

/// Rotates a key.
///
/// # Errors
/// When the person may not rotate keys, there is no such key, or something behind it does not work.
pub async fn submit(request: PageRequest, form: RotateKeyForm) -> Answer {
    let membership = request.membership().await?;
    let permit = membership.permit()?;
    let id: KeyId = request.id("key")?;
    // Whatever becomes of the client: the key is held for the repeat of its submit.
    let rotating = rotate_and_hold(request, membership, permit, form, id);
    finished(tokio::spawn(rotating)).await
}

async fn rotate_and_hold(
    request: PageRequest,
    membership: Membership,
    permit: Permit<to::RotateKeys>,
    form: RotateKeyForm,
    id: KeyId,
) -> Answer {
    let engine = request.engine();
    let seconds = form.overlap.parse::<i64>().unwrap_or(-1);
    let rotation = Rotation {
        overlap: seconds.saturating_mul(SECOND),
        token: sent_creation_token(&form.rotation_token),
    };
    let mut held = request.held_key().await;
    match rotate(engine, &permit, id, rotation).await {
        Ok(created) => {
            let position = created.position;
            let key = shown_key(engine, &membership, created).await?;
            let now = engine.clock().monotonic();
            *held = Some(Held::new(&form, key.clone(), position, now));
            Ok(FormAnswer::Shown(key))
        }
        Err(RotateKeyError::AlreadyRotated) => {
            shown_again(&request, held.as_ref(), &form, id).await
        }
        Err(RotateKeyError::NotFound) => Err(AppError::NotFound),
        Err(error @ RotateKeyError::OverlapOutOfRange) => {
            Ok(FormAnswer::refused(form.sent_back(), "overlap", error))
        }
        Err(
            error @ (RotateKeyError::NotFrom(_)
            | RotateKeyError::RotationRunning { .. }
            | RotateKeyError::RotatedMeanwhile
            | RotateKeyError::ChangedMeanwhile
            | RotateKeyError::NotOffered(..)),
        ) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
        Err(RotateKeyError::Fault(fault)) => Err(fault.into()),
    }
}

/// The key with its new text. Without the rest of it the text would be lost: what cannot be read now is left out.
async fn shown_key(
    engine: &Engine,
    membership: &Membership,
    created: EngineCreatedKey,
) -> Result<CreatedKey, AppError> {
    let key = show::details(engine, &membership.permit()?, created.id)
        .await?
        .ok_or(AppError::NotFound)?;
    let (kind, environment) = (key.summary.kind, key.summary.environment);
    Ok(CreatedKey {
        key: Arc::new(created.plain),
        name: key.summary.name.to_string(),
        kind,
        environment,
        domains: key
            .settings
            .domains
            .iter()
            .map(ToString::to_string)
            .collect(),
        created: date(key.summary.created_at),
        expires: key.summary.lifecycle.expires_at.map(date),
        org_id: membership.org().id.to_string(),
        path: format!("/orgs/{}/keys/{}", membership.org().slug, created.id),
        is_rotated: true,
        terms: KeyTerms::of(engine.convention(), kind, environment),
    })
}
