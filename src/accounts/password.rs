//! Passwords: which ones are accepted, and how they are stored (argon2id, ASVS 6.2 and 11.4.2).

use std::{borrow::Cow, str::FromStr};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

use crate::{
    Engine,
    access::Operator,
    audit::security_events::{Log, SecurityEvent},
    caller::{Caller, Person},
    db::{StorageError, Tx, on},
    email::EmailAddress,
    event::Event,
    fault::{Fault, from_fault},
    id::UserId,
    mail::{Content, Letter},
    nfc::nfc,
    secret::secret,
    work_queue::Place,
};

use super::{
    attempts::{self, AttemptError, Subject, minutes},
    common_passwords::is_common,
    confirmed::Confirmed,
    find_user,
    hash_queues::HashFor,
    links,
    sessions::{self, Ended, SessionHash, SignedIn},
};

/// A password as it was typed, wiped when dropped. Any text is valid, so that a wrong password can be compared too.
#[derive(Debug, Clone)]
pub struct TypedPassword(SecretString);

/// A password that is valid as a new one.
#[derive(Debug, Clone)]
pub struct NewPassword(TypedPassword);

/// Why a new password is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Fewer than 8 characters.
    #[error("Passwords must have at least 8 characters. Try a few words in a row.")]
    TooShort,
    /// More than 128 characters.
    #[error("Passwords must have at most 128 characters.")]
    TooLong,
    /// On the list of passwords that attackers try first.
    #[error("This password is too common: attackers try it first. Choose another one.")]
    Common,
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The current password is incorrect.
    #[error("The current password is incorrect.")]
    WrongPassword,
    /// Too many incorrect passwords in a row.
    #[error("Too many incorrect passwords. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next attempt is possible.
        retry_after: i64,
    },
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ChangePasswordError);

impl TypedPassword {
    /// Takes a password as it was typed, and normalizes it to NFC: keyboards compose letters differently.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        let composed = match nfc(&text) {
            Cow::Borrowed(_) => return Self(secret(text)),
            Cow::Owned(composed) => composed,
        };
        text.zeroize();
        Self(secret(composed))
    }

    fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for NewPassword {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, InvalidPassword> {
        let password = TypedPassword::new(text);
        match password.expose().chars().count() {
            0..8 => Err(InvalidPassword::TooShort),
            129.. => Err(InvalidPassword::TooLong),
            _ if is_common(password.expose()) => Err(InvalidPassword::Common),
            _ => Ok(Self(password)),
        }
    }
}

/// What a password hash costs: Argon2id with one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory: u32,
    /// The number of passes over the memory.
    pub passes: u32,
}

/// The minimum that OWASP's Password Storage Cheat Sheet and ASVS recommend: 19 MiB and two passes.
impl Default for PasswordCost {
    fn default() -> Self {
        Self {
            memory: 19 * 1024,
            passes: 2,
        }
    }
}

impl PasswordCost {
    fn argon2id(self) -> Result<Argon2<'static>, Fault> {
        let params = Params::new(self.memory, self.passes, 1, None);
        let params = params.map_err(password_hash::Error::from)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes a password with a new salt, as a PHC string.
pub(crate) async fn hash(
    engine: &Engine,
    place: Place<HashFor>,
    password: NewPassword,
) -> Result<String, Fault> {
    in_turn(place, hashing(engine, password)?).await
}

fn hashing(
    engine: &Engine,
    password: NewPassword,
) -> Result<impl FnOnce() -> Result<String, Fault> + Send + use<>, Fault> {
    let salt: [u8; 16] = engine.random.bytes()?;
    let cost = engine.password_cost;
    Ok(move || {
        let argon2id = cost.argon2id()?;
        let hash = argon2id.hash_password_with_salt(password.0.expose().as_bytes(), &salt);
        Ok(hash?.to_string())
    })
}

/// Whether `password` matches the hash `stored`. Without a stored hash, it does the same work and returns `false`, so
/// that the time taken does not reveal whether an account exists.
pub(crate) async fn verify(
    engine: &Engine,
    place: Place<HashFor>,
    password: TypedPassword,
    stored: Option<String>,
) -> Result<bool, Fault> {
    in_turn(place, verifying(engine, password, stored)).await
}

fn verifying(
    engine: &Engine,
    password: TypedPassword,
    stored: Option<String>,
) -> impl FnOnce() -> Result<bool, Fault> + Send + use<> {
    let cost = engine.password_cost;
    move || match stored {
        Some(stored) => {
            let stored = PasswordHash::new(&stored).map_err(password_hash::Error::from)?;
            Ok(cost
                .argon2id()?
                .verify_password(password.expose().as_bytes(), &stored)
                .is_ok())
        }
        None => {
            let argon2id = cost.argon2id()?;
            argon2id.hash_password_with_salt(password.expose().as_bytes(), &[0; 16])?;
            Ok(false)
        }
    }
}

async fn in_turn<T: Send + 'static>(
    place: Place<HashFor>,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (done, _turn) = place.run(work).await?;
    done
}

/// Sets a new password and ends every session of the person. The caller starts a new session with the returned value.
/// Runs as a task of its own, so that a correct attempt is taken back even if the client hangs up.
///
/// # Errors
/// If the current password is incorrect or was tried too often.
pub async fn change(
    engine: &Engine,
    person: Person,
    session: SessionHash,
    current: TypedPassword,
    new: NewPassword,
) -> Result<SignedIn, ChangePasswordError> {
    let changing = engine.clone();
    let changed = engine
        .commits
        .spawn(async move { try_change(&changing, person, session, current, new).await });
    changed.await.map_err(|_| StorageError::interrupted())?
}

async fn try_change(
    engine: &Engine,
    person: Person,
    session: SessionHash,
    current: TypedPassword,
    new: NewPassword,
) -> Result<SignedIn, ChangePasswordError> {
    let user_id = person.user_id;
    // In the same turn: whoever had one just now is last in line for another.
    let hashing = hashing(engine, new)?;
    let hash = try_current(engine, &person, session, current, hashing).await?;
    let caller = Caller::from(person);
    let mut tx = engine.begin_alone_as(&caller).await?;
    let Ended { sessions, epoch } = set(&mut tx, user_id, hash).await?;
    // The current session continues under a new ID.
    let ended = Ended {
        sessions: sessions.saturating_sub(1),
        epoch,
    };
    let event = Some(Event::PasswordChanged);
    ended.commit(engine, tx, caller, user_id, event).await?;
    if let Some(user) = find_user(engine, user_id).await?
        && user.email_confirmed
    {
        tell_changed(engine, user_id, user.email);
    }
    Ok(SignedIn { user_id, epoch })
}

/// Checks the password of a signed-in user before an action that a stolen session must not be able to perform. Runs as
/// a task, so that a correct attempt is not counted even if the client disconnects.
///
/// # Errors
/// If the password is incorrect or was tried too often.
pub async fn confirm(
    engine: &Engine,
    person: Person,
    session: SessionHash,
    current: TypedPassword,
) -> Result<Confirmed, ChangePasswordError> {
    let trying = engine.clone();
    let user_id = person.user_id;
    let tried = engine.commits.spawn(async move {
        try_current(&trying, &person, session, current, || Ok(())).await?;
        Ok(Confirmed::new(user_id))
    });
    tried.await.map_err(|_| StorageError::interrupted())?
}

/// Checks the current password, and then does `then` in the same turn.
async fn try_current<T: Send + 'static>(
    engine: &Engine,
    person: &Person,
    session: SessionHash,
    current: TypedPassword,
    then: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, ChangePasswordError> {
    let user_id = person.user_id;
    let place = engine
        .hashing
        .enter(HashFor::of_user(user_id, &person.visit))?;
    let attempt = match attempts::count(engine, &[Subject::CurrentPassword(user_id, session)]).await
    {
        Ok(attempt) => attempt,
        Err(AttemptError::TooMany { retry_after }) => {
            return Err(ChangePasswordError::TooMany { retry_after });
        }
        Err(AttemptError::Storage(error)) => return Err(error.into()),
    };
    const SELECT: &str = "SELECT password_hash FROM users WHERE id = $1 AND deleted_at IS NULL";
    let stored: Option<String> = on!(engine.db.read(), c => sqlx::query_scalar(SELECT).bind(user_id).fetch_optional(c).await)?;
    let verifying = verifying(engine, current, stored);
    let work = move || Ok(if verifying()? { Some(then()?) } else { None });
    let verified = in_turn(place, work).await;
    if !matches!(verified, Ok(None)) {
        attempt.take_back(engine).await?;
    }
    let Some(done) = verified? else {
        let log = Log::OrgsOf(user_id);
        let failed = SecurityEvent::new(Event::SessionFailed, person.clone().into(), log);
        engine.note(failed.with("reason", "wrong_current_password"));
        return Err(ChangePasswordError::WrongPassword);
    };
    Ok(done)
}

/// Sets a password for a user who has lost theirs, and ends all their sessions.
///
/// # Errors
/// If the password cannot be hashed or the database cannot be reached.
pub async fn reset(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
    new: NewPassword,
) -> Result<(), ChangePasswordError> {
    let place = engine.hashing.enter(HashFor::CommandLine)?;
    let hash = hash(engine, place, new).await?;
    let mut tx = engine.db.begin_unrecorded().await?;
    let ended = set(&mut tx, user_id, hash).await?;
    let caller = operator.caller().clone();
    let event = Some(Event::PasswordChanged);
    Ok(ended.commit(engine, tx, caller, user_id, event).await?)
}

/// Stores a password, ends all sessions and deletes all links about the account, within a transaction.
pub(super) async fn set(tx: &mut Tx, user_id: UserId, hash: String) -> Result<Ended, StorageError> {
    const UPDATE: &str = "UPDATE users SET password_hash = $1 WHERE id = $2";
    on!(tx.on(), c => sqlx::query(UPDATE).bind(hash).bind(user_id).execute(c).await.map(drop))?;
    links::delete_all(tx, user_id).await?;
    sessions::end_all(tx, user_id).await
}

/// Tells a user by mail that their password was changed.
pub(super) fn tell_changed(engine: &Engine, user_id: UserId, to: EmailAddress) {
    let content = Content::PasswordChanged;
    engine.tell(user_id, Letter { to, content });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_same_however_a_keyboard_composes_it() {
        let typed = |text: &str| TypedPassword::new(text).expose().to_owned();
        assert_eq!(typed("e\u{301}cole du soir"), "école du soir");
        let new: NewPassword = "e\u{301}cole du soir".parse().unwrap();
        assert_eq!(new.0.expose(), "école du soir");
        // Seven letters are too few, however many code points they take.
        assert!(
            "e\u{301}e\u{301}e\u{301}aaaa"
                .parse::<NewPassword>()
                .is_err()
        );
    }

    #[test]
    fn a_new_password_is_long_enough_and_not_a_common_one() {
        assert!("correct horse battery".parse::<NewPassword>().is_ok());
        assert!("p ä🔑 ss w".parse::<NewPassword>().is_ok());
        assert_eq!(
            "1234567".parse::<NewPassword>().unwrap_err(),
            InvalidPassword::TooShort
        );
        assert_eq!(
            "é".repeat(129).parse::<NewPassword>().unwrap_err(),
            InvalidPassword::TooLong
        );
        assert!("é".repeat(128).parse::<NewPassword>().is_ok());
        assert_eq!(
            "Password1".parse::<NewPassword>().unwrap_err(),
            InvalidPassword::Common
        );
        for common in ["football1", "Qwertyuiop", "iloveyou1", "contrasen\u{303}a"] {
            let refused = common.parse::<NewPassword>();
            assert_eq!(refused.unwrap_err(), InvalidPassword::Common, "{common}");
        }
        assert_eq!(
            format!("{:?}", TypedPassword::new("hunter2")),
            "TypedPassword(SecretBox<str>([REDACTED]))"
        );
    }
}
