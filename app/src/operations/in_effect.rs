//! Whether the last change of a key is in effect on every instance.

use latchkey::{
    effects::{self, Effect},
    id::KeyId,
    time::SECOND,
};

use crate::{
    error::AppError, request::PageRequest, text::time::time_of_day, values::progress::Progress,
};

/// Returns the progress of the last change of a key. `org` is the organization's slug. Every member can call it.
///
/// # Errors
/// If the user is not signed in or not a member of the organization, or the key does not exist.
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
            // The shown time has whole seconds, so it is rounded up.
            Effect::Late { at_the_latest } => {
                Self::Late(time_of_day(at_the_latest.plus(SECOND - 1)))
            }
        }
    }
}
