//! Rotating a key. The answer to the form is the page that shows the new secret, and nothing else ever does.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Membership, to},
    id::KeyId,
    keys::{
        create::{CreatedKey, sent_creation_token},
        rotate::{RotateKeyError, Rotation, rotate},
        show,
    },
    time::SECOND,
};
use serde::Deserialize;

use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{
        answer::FormAnswer,
        keys::{
            key_path,
            shown_once::{KeyTerms, MadeKey},
        },
    },
    request::PageRequest,
    text::time::date,
};

/// The form's fields as they were chosen.
#[derive(Debug, Clone, Default, Deserialize)]
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
pub async fn submit(
    request: PageRequest,
    form: RotateKeyForm,
) -> Result<FormAnswer<RotateKeyForm, MadeKey>, AppError> {
    let engine = request.engine();
    let membership = request.membership().await?;
    let permit = membership.permit::<to::RotateKeys>()?;
    let id: KeyId = request.id("key")?;
    let seconds = form.overlap.parse::<i64>().unwrap_or(-1);
    let rotation = Rotation {
        overlap: seconds.saturating_mul(SECOND),
        token: sent_creation_token(&form.rotation_token),
    };
    Ok(match rotate(engine, &permit, id, rotation).await {
        Ok(created) => FormAnswer::Shown(made(engine, &membership, created).await?),
        Err(RotateKeyError::AlreadyRotated) => FormAnswer::Redirect {
            path: key_path(&request),
            done: None,
        },
        Err(RotateKeyError::NotFound) => return Err(AppError::NotFound),
        Err(error @ RotateKeyError::OverlapOutOfRange) => {
            FormAnswer::refused(form.sent_back(), "overlap", error)
        }
        Err(
            error @ (RotateKeyError::NotFrom(_)
            | RotateKeyError::RotationRunning { .. }
            | RotateKeyError::RotatedMeanwhile
            | RotateKeyError::NotOffered(..)),
        ) => FormAnswer::refused(form.sent_back(), WHOLE_FORM, error),
        Err(RotateKeyError::Fault(fault)) => return Err(fault.into()),
    })
}

/// The key with its new text. Without the rest of it the text would be lost: what cannot be read now is left out.
async fn made(
    engine: &Engine,
    membership: &Membership,
    created: CreatedKey,
) -> Result<MadeKey, AppError> {
    let key = show::details(engine, &membership.permit()?, created.id)
        .await?
        .ok_or(AppError::NotFound)?;
    let (kind, environment) = (key.summary.kind, key.summary.environment);
    Ok(MadeKey {
        key: Arc::new(created.plain),
        name: key.summary.name.to_string(),
        kind,
        environment,
        domains: key.domains.iter().map(ToString::to_string).collect(),
        created: date(key.summary.created_at),
        expires: key.summary.lifecycle.expires_at.map(date),
        org_id: membership.org().id.to_string(),
        path: format!("/orgs/{}/keys/{}", membership.org().slug, created.id),
        is_rotated: true,
        terms: KeyTerms::of(engine.convention(), kind, environment),
    })
}
