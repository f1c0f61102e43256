//! Checking a code, which works once.

use super::{
    recovery_code::{self, RecoveryCode},
    totp::TotpSecret,
};
use crate::{
    Engine,
    accounts::attempts::{self, AttemptError, Subject, minutes},
    audit::security_events::{Log, SecurityEvent},
    caller::Person,
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    mail::Content,
    sealed::{Purpose, Sealed, Unreadable, unseal},
    time::Timestamp,
};

/// A code as it was typed.
#[derive(Debug, Clone)]
pub enum TypedCode {
    /// Six digits of an authenticator app.
    Totp(u32),
    /// A recovery code.
    Recovery(RecoveryCode),
}

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCode {
    /// It is not a code of an authenticator app.
    #[error("Enter the 6 digits that your authenticator app shows.")]
    Totp,
    /// It is not a recovery code.
    #[error("Enter one of your recovery codes, such as abcd-efgh-jkmn-pqrs.")]
    Recovery,
}

impl TypedCode {
    /// Reads the fields of a form: a recovery code if there is one, otherwise a code of either kind.
    ///
    /// # Errors
    /// If the text has the format of no code.
    pub fn read(code: &str, recovery_code: &str) -> Result<Self, MalformedCode> {
        if !recovery_code.trim().is_empty() {
            let code = RecoveryCode::read(recovery_code);
            return code.map(Self::Recovery).ok_or(MalformedCode::Recovery);
        }
        let digits: String = code
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(7)
            .collect();
        let is_totp = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(number) if is_totp => Ok(Self::Totp(number)),
            _ => {
                let code = RecoveryCode::read(code).map(Self::Recovery);
                code.ok_or(MalformedCode::Totp)
            }
        }
    }
}

/// Why a code was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// The code of the app is incorrect, or was used before.
    #[error("This code is incorrect or was already used. Wait for the next one and try again.")]
    Wrong,
    /// The recovery code is incorrect, or was used before.
    #[error("This recovery code is incorrect or was already used. Enter another one.")]
    WrongRecovery,
    /// Too many incorrect codes.
    #[error("Too many incorrect codes. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next attempt is possible.
        retry_after: i64,
    },
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CodeError);

/// Accepts a code of a user, once. An attempt is counted for every subject, and taken back if the code is right.
pub(in crate::accounts) async fn spend(
    engine: &Engine,
    person: &Person,
    code: &TypedCode,
    subjects: &[Subject<'_>],
) -> Result<(), CodeError> {
    let user_id = person.user_id;
    let log = Log::OrgsOf(user_id);
    let note_failed = |reason: &str| {
        let failed = SecurityEvent::new(Event::SessionFailed, person.clone().into(), log);
        engine.note(failed.with("reason", reason));
    };
    let attempt = match attempts::count(engine, subjects).await {
        Ok(attempt) => attempt,
        Err(AttemptError::TooMany { retry_after }) => {
            note_failed("too_many_codes");
            return Err(CodeError::TooMany { retry_after });
        }
        Err(AttemptError::Storage(error)) => return Err(error.into()),
    };
    let spent = match code {
        TypedCode::Totp(code) => spend_totp(engine, user_id, *code).await,
        TypedCode::Recovery(code) => recovery_code::spend(engine, user_id, code).await,
    };
    if !matches!(spent, Ok(false)) {
        attempt.take_back(engine).await?;
    }
    match (spent?, code) {
        (false, code) => {
            note_failed("wrong_code");
            Err(match code {
                TypedCode::Totp(_) => CodeError::Wrong,
                TypedCode::Recovery(_) => CodeError::WrongRecovery,
            })
        }
        (true, TypedCode::Totp(_)) => Ok(()),
        (true, TypedCode::Recovery(_)) => {
            let used = SecurityEvent::new(Event::RecoveryCodeUsed, person.clone().into(), log);
            engine.note(used.about(Some(Target::User(user_id))));
            let left = super::of_user(engine, user_id).await?;
            let left = left.map_or(0, |factor| factor.recovery_codes);
            super::tell(engine, user_id, Content::RecoveryCodeUsed(left)).await;
            Ok(())
        }
    }
}

/// Stores the time step of the code as used. Of several concurrent requests with one code, one stores it.
async fn spend_totp(engine: &Engine, user_id: UserId, code: u32) -> Result<bool, Fault> {
    const SELECT: &str = "SELECT secret, pepper_version, last_step, created_at FROM second_factors WHERE user_id = $1";
    const UPDATE: &str = "UPDATE second_factors SET last_step = $1 WHERE user_id = $2 AND created_at = $3 AND last_step < $1";
    let found: Option<(Vec<u8>, i32, i64, Timestamp)> = on!(engine.db.read(), c => sqlx::query_as(SELECT)
        .bind(user_id).fetch_optional(c).await)?;
    let Some((bytes, version, last_step, created_at)) = found else {
        return Ok(false);
    };
    let (owner, sealed) = (user_id.to_string(), Sealed { version, bytes });
    let secret = unseal(&engine.peppers, Purpose::SecondFactor, &owner, &sealed)?;
    let secret = TotpSecret::of_bytes(&secret).ok_or(Unreadable)?;
    let Some(step) = secret.step_of(code, engine.clock.now(), last_step) else {
        return Ok(false);
    };
    Ok(on!(engine.db.write_unrecorded(), c => sqlx::query(UPDATE)
        .bind(step).bind(user_id).bind(created_at).execute(c).await.map(|done| done.rows_affected() == 1))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_kind_of_code_is_read_in_the_first_field() {
        let read = |code, recovery| match TypedCode::read(code, recovery) {
            Ok(TypedCode::Totp(number)) => format!("{number:06}"),
            Ok(TypedCode::Recovery(code)) => code.expose(),
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(read("123456", ""), "123456");
        assert_eq!(read(" 000 007 ", ""), "000007");
        assert_eq!(read("abcdefghjkmnpqrs", ""), "abcd-efgh-jkmn-pqrs");
        assert_eq!(read("123456", "abcd-efgh-jkmn-pqrs"), "abcd-efgh-jkmn-pqrs");
        assert_eq!(read("", "123456"), "Recovery");
        for wrong in ["", "12345", "1234567", "+12345", "１２３４５６", "12345a"] {
            assert_eq!(read(wrong, ""), "Totp", "{wrong}");
        }
    }
}
