//! The form that rotates a key. The answer to its POST is the page that shows the new secret, and nothing else ever does.

use serde::{Deserialize, Serialize};

use crate::{
    form_answer::{FormAnswer, MAX_NAME, sent_back},
    new_key_form::MadeKey,
};

/// The form's fields as they were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

/// What comes of it: the page that shows the new secret, or the form again.
pub type RotateKeyAnswer = FormAnswer<RotateKeyForm, MadeKey>;

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        Engine,
        access::{Membership, to},
        caller::Person,
        id::KeyId,
        keys::{
            create::{CreatedKey, sent_creation_token},
            rotate::{RotateKeyError, Rotation, rotate},
            show,
        },
        name::Slug,
        time::SECOND,
    };

    use super::{RotateKeyAnswer, RotateKeyForm};
    use crate::{
        error::AppError,
        form_answer::FormAnswer,
        new_key_form::{KeyTerms, MadeKey, ShownOnce},
        time_text::date,
    };

    /// Rotates a key of `org`, a slug.
    pub async fn submit(
        engine: &Engine,
        person: Person,
        org: &str,
        key: &str,
        form: RotateKeyForm,
    ) -> RotateKeyAnswer {
        match rotated(engine, person, org, key, form).await {
            Ok(answer) => answer,
            Err(error) => FormAnswer::Failed(error),
        }
    }

    async fn rotated(
        engine: &Engine,
        person: Person,
        org: &str,
        key: &str,
        form: RotateKeyForm,
    ) -> Result<RotateKeyAnswer, AppError> {
        let slug: Slug = org.parse().map_err(|_| AppError::NotFound)?;
        let membership = Membership::find(engine, person, &slug).await?;
        let permit = membership.permit::<to::RotateKeys>()?;
        let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
        let seconds = form.overlap.parse::<i64>().unwrap_or(-1);
        let rotation = Rotation {
            overlap: seconds.saturating_mul(SECOND),
            token: sent_creation_token(&form.rotation_token),
        };
        Ok(match rotate(engine, &permit, id, rotation).await {
            Ok(created) => FormAnswer::Done(made(engine, &membership, created).await?),
            Err(RotateKeyError::AlreadyRotated) => FormAnswer::Elsewhere {
                path: format!("/orgs/{org}/keys/{id}"),
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
            ) => FormAnswer::refused(form.sent_back(), "form", error),
            Err(error @ (RotateKeyError::Randomness(_) | RotateKeyError::Storage(_))) => {
                return Err(AppError::unavailable(&error));
            }
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
            key: ShownOnce::new(&created.plain),
            name: key.summary.name.to_string(),
            kind,
            environment,
            domains: key.domains.iter().map(ToString::to_string).collect(),
            created: date(key.summary.created_at),
            expires: key.summary.lifecycle.expires_at.map(date),
            org_id: membership.org().id.to_string(),
            path: format!("/orgs/{}/keys/{}", membership.org().slug, created.id),
            terms: KeyTerms::of(engine.convention(), kind, environment),
        })
    }
}

#[cfg(feature = "ssr")]
pub use on_the_server::submit;
