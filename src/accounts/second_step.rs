//! The second step of a sign-in: a code of the authenticator app, or a recovery code.

use crate::{
    Engine,
    caller::{Person, Visit},
    db::{StorageError, on},
    fault::{Fault, from_fault},
    id::UserId,
    time::Timestamp,
};

use super::{
    attempts::Subject,
    half_signed_in::HalfSignedIn,
    known_browser::Shown,
    second_factor::{CodeError, TypedCode, spend},
    sessions::SignedIn,
    sign_in,
};

/// Why a user was not signed in with a code.
#[derive(Debug, thiserror::Error)]
pub enum SecondStepError {
    /// The first step was too long ago, or the password was changed since.
    #[error("Your sign-in has expired. Enter your password again.")]
    Expired,
    /// The code was not accepted.
    #[error(transparent)]
    Code(CodeError),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(SecondStepError);

/// Lets a user whose password was right enter a code, because they have turned on a second factor since it was checked.
///
/// # Errors
/// If the system's random number generator fails.
pub fn ask_for_code(engine: &Engine, who: SignedIn) -> Result<HalfSignedIn, Fault> {
    HalfSignedIn::new(engine, who)
}

/// A user who has entered a code.
#[derive(Debug, Clone, Copy)]
pub struct SignedInWithCode {
    /// The user.
    pub who: SignedIn,
    /// The second factor that the code was of: when it was turned on.
    pub factor: Timestamp,
}

/// Signs in a user whose password was right. `half` is the text of [`HalfSignedIn`], and `shown` the cookie that makes the
/// browser known. Runs as a task of its own, so that a correct code is not counted as an attempt even if the client hangs
/// up.
///
/// # Errors
/// If the first step has expired, or the code is not accepted.
pub async fn sign_in_with_code(
    engine: &Engine,
    half: &str,
    code: TypedCode,
    visit: &Visit,
    shown: &str,
) -> Result<SignedInWithCode, SecondStepError> {
    let (who, at) = HalfSignedIn::read(engine, half).ok_or(SecondStepError::Expired)?;
    let shown = Shown::read(engine, shown);
    let person = Person {
        user_id: who.user_id,
        visit: visit.clone(),
    };
    let checking = engine.clone();
    let checked = engine.commits.spawn(async move {
        let factor = current_factor(&checking, who, at).await?;
        let factor = factor.ok_or(SecondStepError::Expired)?;
        // Without their password, nobody gets here, so these attempts are counted per account. A browser that the account
        // knows has its own: even someone who knows the password cannot keep its owner out.
        let user_id = who.user_id;
        let subjects = match shown.number_for_codes(who, factor) {
            Some(number) => [
                Subject::CodeInBrowser(user_id, number),
                Subject::CodesOfDayInBrowser(user_id, number),
            ],
            None => [Subject::Code(user_id), Subject::CodesOfDay(user_id)],
        };
        let spent = spend(&checking, &person, &code, &subjects).await;
        spent.map_err(SecondStepError::Code)?;
        sign_in::note_started(&checking, who.user_id, &person.visit);
        Ok(SignedInWithCode { who, factor })
    });
    checked.await.map_err(|_| StorageError::interrupted())?
}

/// Returns the user of a first step that has not expired, for a form with a code that was used by its first submit.
///
/// # Errors
/// If the database cannot be reached.
pub async fn user_of_first_step(
    engine: &Engine,
    half: &str,
) -> Result<Option<UserId>, StorageError> {
    let Some((who, at)) = HalfSignedIn::read(engine, half) else {
        return Ok(None);
    };
    let factor = current_factor(engine, who, at).await?;
    Ok(factor.map(|_| who.user_id))
}

/// Since when the second factor exists, if it and the account are still as they were in the first step.
async fn current_factor(
    engine: &Engine,
    who: SignedIn,
    at: Timestamp,
) -> Result<Option<Timestamp>, StorageError> {
    const SQL: &str = "SELECT second_factors.created_at FROM users \
         JOIN second_factors ON second_factors.user_id = users.id AND second_factors.created_at <= $3 \
         WHERE users.id = $1 AND users.epoch = $2 AND users.disabled_at IS NULL";
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(who.user_id).bind(who.epoch).bind(at).fetch_optional(c).await)?)
}
