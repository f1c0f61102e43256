//! Whether the last change of a key is in effect on every instance.

use latchkey::{
    effects::{self, Effect},
    id::KeyId,
    time::SECOND,
};

use crate::{
    error::AppError, request::PageRequest, text::time::time_of_day, values::progress::Progress,
};

/// How far the last change of a key of `org`, a slug, has come, for everyone in the org.
///
/// # Errors
/// When no one is signed in, or there is no such key in an org of theirs.
pub async fn in_effect(request: PageRequest, org: &str, key: &str) -> Result<Progress, AppError> {
    let membership = request.membership_of(org).await?;
    let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
    let change = effects::of_key(request.engine(), &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    Ok(change.effect.into())
}

impl From<Effect> for Progress {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Everywhere { after } => {
                Self::Everywhere(after.and_then(|millis| u32::try_from(millis).ok()))
            }
            Effect::Soon => Self::Soon,
            // Seconds are cut off when they are shown.
            Effect::Late { at_the_latest } => {
                Self::Late(time_of_day(at_the_latest.plus(SECOND - 1)))
            }
        }
    }
}
