//! Turning a second factor on: the app gets a secret, and the factor exists once a code of it was typed.
//!
//! Until then the secret is only in the page, encrypted for the user's session. So nothing is stored that a later visit
//! could show, and a half-finished set-up changes nothing.

use super::{
    check::{MalformedCode, TypedCode},
    recovery_code::{self, RecoveryCode},
    totp::TotpSecret,
};
use crate::{
    Engine,
    accounts::{confirmed::Confirmed, sessions::SessionHash},
    audit::security_events::{Log, SecurityEvent},
    caller::{Caller, Person},
    db::{StorageError, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    mail::Content,
    sealed::{Purpose, Sealed, seal, unseal},
    time::{MINUTE, Timestamp},
};

/// How long a set-up can be finished, in milliseconds.
const LIFETIME: i64 = 15 * MINUTE;

/// A second factor that is being set up.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// The secret for the authenticator app.
    pub secret: TotpSecret,
    /// The secret, encrypted for the form that finishes the set-up.
    pub form: String,
}

/// Why a second factor was not turned on.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The account has a second factor.
    #[error("Your account already has a second factor.")]
    AlreadyOn,
    /// The set-up was begun too long ago or in another session.
    #[error("This set-up has expired. Start again.")]
    Expired,
    /// The text is not a code.
    #[error(transparent)]
    Malformed(MalformedCode),
    /// The code is not one of the app's current codes.
    #[error(
        "This code is incorrect. Check that the clock of your device is right, and enter the current code."
    )]
    WrongCode,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(SetUpError);

fn owner(user_id: UserId, session: SessionHash) -> String {
    format!("{user_id} {:02x?}", session.as_bytes())
}

/// Begins to set up a second factor, for a user who has just entered their password.
///
/// # Errors
/// If the user has a second factor.
pub async fn begin(
    engine: &Engine,
    confirmed: &Confirmed,
    session: SessionHash,
) -> Result<SetUp, SetUpError> {
    let user_id = confirmed.user_id();
    if super::of_user(engine, user_id).await?.is_some() {
        return Err(SetUpError::AlreadyOn);
    }
    let secret = TotpSecret::generate(&engine.random)?;
    let at = engine.clock.now().as_millis().to_be_bytes();
    let plain = [secret.as_bytes(), &at].concat();
    let owner = owner(user_id, session);
    let sealed = seal(
        &engine.peppers,
        &engine.random,
        Purpose::SetUp,
        &owner,
        &plain,
    )?;
    Ok(SetUp {
        secret,
        form: sealed.text(),
    })
}

/// Returns the set-up that a form belongs to; `None` if it has expired.
pub fn resume(engine: &Engine, user_id: UserId, session: SessionHash, form: &str) -> Option<SetUp> {
    let sealed = Sealed::read(form)?;
    let plain = unseal(
        &engine.peppers,
        Purpose::SetUp,
        &owner(user_id, session),
        &sealed,
    )
    .ok()?;
    let (secret, at) = plain.split_at_checked(20)?;
    let at = Timestamp::from_millis(i64::from_be_bytes(at.try_into().ok()?));
    let is_current = engine.clock.now().since(at) < LIFETIME;
    is_current.then_some(SetUp {
        secret: TotpSecret::of_bytes(secret)?,
        form: form.to_owned(),
    })
}

/// Turns the second factor on, and returns the recovery codes. Runs as a task of its own, so that a hang-up does not stop
/// it halfway.
///
/// # Errors
/// If the code is incorrect, the set-up has expired, or the user has a second factor.
pub async fn finish(
    engine: &Engine,
    person: Person,
    session: SessionHash,
    form: &str,
    code: &str,
) -> Result<Vec<RecoveryCode>, SetUpError> {
    let set_up = resume(engine, person.user_id, session, form).ok_or(SetUpError::Expired)?;
    let code = match TypedCode::read(code, "") {
        Ok(TypedCode::Totp(code)) => code,
        Ok(TypedCode::Recovery(_)) => return Err(SetUpError::Malformed(MalformedCode::Totp)),
        Err(malformed) => return Err(SetUpError::Malformed(malformed)),
    };
    let step = set_up.secret.step_of(code, engine.clock.now(), 0);
    let step = step.ok_or(SetUpError::WrongCode)?;
    let storing = engine.clone();
    let stored = engine
        .commits
        .spawn(async move { store(&storing, person, &set_up.secret, step, session).await });
    stored.await.map_err(|_| StorageError::interrupted())?
}

async fn store(
    engine: &Engine,
    person: Person,
    secret: &TotpSecret,
    step: i64,
    session: SessionHash,
) -> Result<Vec<RecoveryCode>, SetUpError> {
    const END_OTHERS: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2";
    const INSERT: &str = "INSERT INTO second_factors (user_id, secret, pepper_version, last_step, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let user_id = person.user_id;
    let (owner, plain) = (user_id.to_string(), secret.as_bytes());
    let sealed = seal(
        &engine.peppers,
        &engine.random,
        Purpose::SecondFactor,
        &owner,
        plain,
    )?;
    let caller = Caller::from(person);
    // No session begins until this is done: it would be missed below, or miss that a code is needed.
    let mut tx = engine.begin_alone_as(&caller).await?;
    let inserted = on!(tx.on(), c => sqlx::query(INSERT)
        .bind(user_id).bind(sealed.bytes).bind(sealed.version).bind(step).bind(engine.clock.now())
        .execute(c).await.map(|done| done.rows_affected() == 1))?;
    if !inserted {
        return Err(SetUpError::AlreadyOn);
    }
    // They were started without a code. Whoever knows the password must not reach what the second factor opens.
    let ended = on!(tx.on(), c => sqlx::query(END_OTHERS)
        .bind(user_id).bind(&session.as_bytes()[..]).execute(c).await.map(|done| done.rows_affected()))?;
    let codes = recovery_code::replace(engine, &mut tx, user_id).await?;
    tx.commit().await?;
    let log = Log::OrgsOf(user_id);
    let enabled = SecurityEvent::new(Event::SecondFactorEnabled, caller, log);
    let enabled = enabled.about(Some(Target::User(user_id)));
    engine.note(match ended {
        0 => enabled,
        _ => enabled.with("sessions", ended),
    });
    super::tell(engine, user_id, Content::SecondFactorOn).await;
    Ok(codes)
}
