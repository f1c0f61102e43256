//! The second factor of an account: an authenticator app, and recovery codes for people who have lost it (design §10).
//!
//! Each code works once, on all instances together. The secret and the digests of the recovery codes are encrypted under
//! the pepper, and move to the current one in the background.

mod check;
mod move_to_current;
mod recovery_code;
mod set_up;
mod totp;
mod turn_off;

pub(super) use self::check::spend;
pub use self::{
    check::{CodeError, MalformedCode, TypedCode},
    move_to_current::move_to_current_pepper,
    recovery_code::{RECOVERY_CODES, RecoveryCode},
    set_up::{SetUp, SetUpError, begin, finish, resume},
    totp::TotpSecret,
    turn_off::{NoSecondFactor, TurnOffError, new_recovery_codes, reset, turn_off},
};

use crate::{
    Engine,
    db::{StorageError, on},
    id::UserId,
    mail::{Content, Letter},
    time::Timestamp,
};

/// A user's second factor, for their account page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactor {
    /// When it was turned on.
    pub since: Timestamp,
    /// The number of recovery codes that were not used.
    pub recovery_codes: i64,
}

/// Returns a user's second factor, if they have one.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_user(
    engine: &Engine,
    user_id: UserId,
) -> Result<Option<SecondFactor>, StorageError> {
    const SQL: &str = "SELECT created_at, (SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1) \
         FROM second_factors WHERE user_id = $1";
    let found: Option<(Timestamp, i64)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(user_id).fetch_optional(c).await)?;
    Ok(found.map(|(since, recovery_codes)| SecondFactor {
        since,
        recovery_codes,
    }))
}

/// Tells a user by mail what was done to their second factor. It has been done, so an error is only logged.
async fn tell(engine: &Engine, user_id: UserId, content: Content) {
    match super::find_user(engine, user_id).await {
        Ok(Some(user)) => {
            let to = user.email;
            engine.tell(user_id, Letter { to, content });
        }
        Ok(None) => {}
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "an e-mail about a second factor was not sent");
        }
    }
}
