//! Changing a second factor that exists: new recovery codes, turning it off, and the operator's reset.

use super::{
    check::{CodeError, TypedCode, spend},
    recovery_code::{self, RecoveryCode},
};
use crate::{
    Engine,
    access::Operator,
    accounts::{attempts::Subject, confirmed::Confirmed, sessions::SessionHash},
    audit::security_events::{Log, SecurityEvent},
    caller::{Caller, Person},
    db::{StorageError, Tx, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    mail::Content,
};

/// Why a second factor was not turned off, or its recovery codes were not replaced.
#[derive(Debug, thiserror::Error)]
pub enum TurnOffError {
    /// The account has none.
    #[error(transparent)]
    None(NoSecondFactor),
    /// The code was not accepted.
    #[error(transparent)]
    Code(CodeError),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(TurnOffError);

/// The account has no second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This account has no second factor.")]
pub struct NoSecondFactor;

/// Turns off the second factor of a user who has just entered their password, with a code. Runs as a task of its own.
///
/// # Errors
/// If the code is not accepted, or the user has no second factor.
pub async fn turn_off(
    engine: &Engine,
    person: Person,
    session: SessionHash,
    confirmed: Confirmed,
    code: TypedCode,
) -> Result<(), TurnOffError> {
    let turning = engine.clone();
    let turned = engine.commits.spawn(async move {
        let user_id = confirmed.user_id();
        spend_in_session(&turning, &person, session, &code).await?;
        match remove(&turning, user_id, person.into()).await? {
            true => Ok(()),
            false => Err(TurnOffError::None(NoSecondFactor)),
        }
    });
    turned.await.map_err(|_| StorageError::interrupted())?
}

/// Accepts a code of a signed-in user, once. All that a session can do with codes shares its attempts.
async fn spend_in_session(
    engine: &Engine,
    person: &Person,
    session: SessionHash,
    code: &TypedCode,
) -> Result<(), TurnOffError> {
    let user_id = person.user_id;
    let (session, has_code) = attempts_of(engine, user_id, session).await?;
    let of_day = match has_code {
        true => Subject::CodesOfDayInSession(user_id, session),
        false => Subject::CodesOfDayInSessionsWithoutCode(user_id),
    };
    let subjects = [Subject::CodeInSession(user_id, session), of_day];
    let spent = spend(engine, person, code, &subjects).await;
    spent.map_err(TurnOffError::Code)
}

/// The session whose attempts are used, which is another one after a change of the password, and whether it was started with a
/// code of the second factor.
async fn attempts_of(
    engine: &Engine,
    user_id: UserId,
    session: SessionHash,
) -> Result<(SessionHash, bool), StorageError> {
    const SQL: &str = "SELECT sessions.origin, CAST(CASE WHEN second_factors.user_id IS NULL THEN 0 ELSE 1 END AS BIGINT) \
         FROM sessions LEFT JOIN second_factors ON second_factors.user_id = sessions.user_id \
         AND second_factors.created_at = sessions.factor WHERE sessions.user_id = $1 AND sessions.id_hash = $2";
    let found: Option<(Option<Vec<u8>>, i64)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(user_id).bind(&session.as_bytes()[..]).fetch_optional(c).await)?;
    let (origin, has_code) = found.unwrap_or((None, 0));
    let origin = origin.as_deref().and_then(SessionHash::of_stored);
    Ok((origin.unwrap_or(session), has_code == 1))
}

/// Replaces the recovery codes of a user who has just entered their password, with a code: each new one can turn the second
/// factor off. Runs as a task of its own.
///
/// # Errors
/// If the code is not accepted, or the user has no second factor.
pub async fn new_recovery_codes(
    engine: &Engine,
    person: Person,
    session: SessionHash,
    confirmed: Confirmed,
    code: TypedCode,
) -> Result<Vec<RecoveryCode>, TurnOffError> {
    let replacing = engine.clone();
    let replaced = engine.commits.spawn(async move {
        let (engine, user_id) = (&replacing, confirmed.user_id());
        spend_in_session(engine, &person, session, &code).await?;
        let caller = Caller::from(person);
        let mut tx = engine.begin_as(&caller).await?;
        if !lock(&mut tx, user_id).await? {
            return Err(TurnOffError::None(NoSecondFactor));
        }
        let codes = recovery_code::replace(engine, &mut tx, user_id).await?;
        tx.commit().await?;
        note(engine, Event::RecoveryCodesCreated, caller, user_id);
        super::tell(engine, user_id, Content::RecoveryCodesReplaced).await;
        Ok(codes)
    });
    replaced.await.map_err(|_| StorageError::interrupted())?
}

/// Turns off the second factor of a user who has lost it, for the operator.
///
/// # Errors
/// If the user has none.
pub async fn reset(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
) -> Result<bool, StorageError> {
    let caller = operator.caller().clone();
    let resetting = engine.clone();
    let reset = engine
        .commits
        .spawn(async move { remove(&resetting, user_id, caller).await });
    reset.await.map_err(|_| StorageError::interrupted())?
}

/// Locks the second factor of a user until the transaction ends. Returns whether they have one.
async fn lock(tx: &mut Tx, user_id: UserId) -> Result<bool, StorageError> {
    // Writes nothing new: SQLite has no `FOR UPDATE`.
    const SQL: &str = "UPDATE second_factors SET last_step = last_step WHERE user_id = $1";
    Ok(on!(tx.on(), c => sqlx::query(SQL)
        .bind(user_id).execute(c).await.map(|done| done.rows_affected() == 1))?)
}

async fn remove(engine: &Engine, user_id: UserId, caller: Caller) -> Result<bool, StorageError> {
    const DELETE: &str = "DELETE FROM second_factors WHERE user_id = $1";
    let mut tx = engine.begin_as(&caller).await?;
    let had_one = on!(tx.on(), c => sqlx::query(DELETE)
        .bind(user_id).execute(c).await.map(|done| done.rows_affected() == 1))?;
    recovery_code::delete(&mut tx, user_id).await?;
    tx.commit().await?;
    if had_one {
        note(engine, Event::SecondFactorDisabled, caller, user_id);
        super::tell(engine, user_id, Content::SecondFactorOff).await;
    }
    Ok(had_one)
}

fn note(engine: &Engine, event: Event, caller: Caller, user_id: UserId) {
    let event = SecurityEvent::new(event, caller, Log::OrgsOf(user_id));
    engine.note(event.about(Some(Target::User(user_id))));
}
