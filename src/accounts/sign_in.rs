//! Signing in with an e-mail address and a password.

use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::{Actor, Caller, Person, Via, Visit},
    db::{StorageError, on},
    email::EmailAddress,
    event::Event,
    fault::{Fault, from_fault},
    id::UserId,
    time::Timestamp,
};

use super::{
    attempts::{self, AttemptError, Subject, minutes},
    known_browser::Shown,
    password::{self, HashFor, TypedPassword},
    sessions::SignedIn,
};

/// Why someone was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The address is not known or the password is not right: the answer does not say which, the log does.
    #[error("The e-mail address or password is incorrect.")]
    WrongCredentials(FailedSignIn),
    /// Too many wrong ones, for this account or from this address.
    #[error("Too many attempts. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next try.
        retry_after: i64,
        /// What the log says of it.
        failed: FailedSignIn,
    },
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(SignInError);

/// What was wrong with an address and a password: for the log, never for the one who tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedSignIn {
    /// No account has the address.
    UnknownAccount,
    /// The password is not this account's.
    WrongPassword(UserId),
    /// The account is disabled.
    Disabled(UserId),
    /// Too many wrong ones before: neither was looked at.
    Throttled(Option<UserId>),
}

impl FailedSignIn {
    /// Its word in the logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword(_) => "wrong_password",
            Self::Disabled(_) => "account_disabled",
            Self::Throttled(_) => "too_many_tries",
        }
    }

    /// Whose account was tried.
    pub const fn account(self) -> Option<UserId> {
        match self {
            Self::UnknownAccount => None,
            Self::WrongPassword(account) | Self::Disabled(account) => Some(account),
            Self::Throttled(account) => account,
        }
    }
}

/// What signing in needs to know of an account.
#[derive(sqlx::FromRow)]
struct Account {
    id: UserId,
    password_hash: String,
    epoch: i64,
    disabled_at: Option<Timestamp>,
}

impl Account {
    fn signed_in(&self) -> SignedIn {
        SignedIn {
            user_id: self.id,
            epoch: self.epoch,
        }
    }
}

/// The person whom the address and the password belong to. `visit` is the request, and `shown` what the browser keeps to
/// be known (see [`super::known_browser::remember`]). That is a task of its own: a try that is right is taken back, even if
/// the client hangs up before.
///
/// # Errors
/// When they belong to no one, or were tried too often.
pub async fn sign_in(
    engine: &Engine,
    email: &EmailAddress,
    password: TypedPassword,
    visit: &Visit,
    shown: &str,
) -> Result<SignedIn, SignInError> {
    let (email, visit, shown) = (email.clone(), visit.clone(), shown.to_owned());
    let trying = engine.clone();
    let tried = engine
        .commits
        .spawn(async move { try_password(&trying, &email, password, &visit, &shown).await });
    tried.await.map_err(|_| StorageError::interrupted())?
}

async fn try_password(
    engine: &Engine,
    email: &EmailAddress,
    password: TypedPassword,
    visit: &Visit,
    shown: &str,
) -> Result<SignedIn, SignInError> {
    const SQL: &str = "SELECT id, password_hash, epoch, disabled_at FROM users WHERE email = $1";
    let found: Option<Account> = on!(engine.db.read(), c => sqlx::query_as(SQL).bind(email.clone()).fetch_optional(c).await)?;
    let stored = found.as_ref().map(|account| account.password_hash.clone());
    let account = found.as_ref().map(Account::signed_in);
    let shown = Shown::read(engine, shown);
    let browser = account.and_then(|who| Some((who.user_id, shown.number(who)?)));
    // Each sign-in costs a hash and a session. Only those that succeed use up this budget, so only who has the password can.
    let sign_ins = match browser {
        Some((user_id, number)) => Subject::SignInsOfBrowser(user_id, number),
        None => Subject::SignIns(email, visit),
    };
    let counted = async {
        attempts::check(engine, sign_ins).await?;
        match browser {
            Some((user_id, number)) => {
                attempts::count(engine, &[Subject::Browser(user_id, number)]).await
            }
            None => {
                let subjects = [
                    Subject::AccountFrom(email, visit),
                    Subject::Network(visit),
                    Subject::Account(email),
                ];
                attempts::count(engine, &subjects).await
            }
        }
    };
    let attempt = match counted.await {
        Ok(attempt) => attempt,
        Err(AttemptError::TooMany { retry_after }) => {
            let failed = FailedSignIn::Throttled(account.map(|who| who.user_id));
            note_failed(engine, failed, visit);
            return Err(SignInError::TooMany {
                retry_after,
                failed,
            });
        }
        Err(AttemptError::Storage(error)) => return Err(error.into()),
    };
    let whose = HashFor::of_visit(visit);
    let is_right = match password::verify(engine, password, stored, whose).await {
        Ok(is_right) => is_right,
        Err(fault) => {
            attempt.take_back(engine).await?;
            return Err(fault.into());
        }
    };
    let failed = match found {
        None => FailedSignIn::UnknownAccount,
        Some(account) if account.disabled_at.is_some() => FailedSignIn::Disabled(account.id),
        Some(account) if !is_right => FailedSignIn::WrongPassword(account.id),
        Some(account) => {
            attempt.take_back(engine).await?;
            count_sign_in(engine, sign_ins).await?;
            let started = event(Event::SessionStarted, Some(account.id), visit);
            engine.note(started);
            return Ok(account.signed_in());
        }
    };
    note_failed(engine, failed, visit);
    Err(SignInError::WrongCredentials(failed))
}

/// Counts a sign-in. Several at the same time may be one too many, which changes nothing for them.
async fn count_sign_in(engine: &Engine, sign_ins: Subject<'_>) -> Result<(), StorageError> {
    match attempts::count(engine, &[sign_ins]).await {
        Ok(_) | Err(AttemptError::TooMany { .. }) => Ok(()),
        Err(AttemptError::Storage(error)) => Err(error),
    }
}

/// Notes for the audit log that someone failed to sign in. Of who tried an account that there is not nothing is kept but
/// where they came from.
pub fn note_failed(engine: &Engine, failed: FailedSignIn, visit: &Visit) {
    let event = event(Event::SessionFailed, failed.account(), visit);
    engine.note(event.with("reason", failed.as_str()));
}

/// Ends the session of someone by `end`, and notes for the audit log that they signed out: a task of its own, which no
/// hang-up stops in between.
///
/// # Errors
/// Those of `end`.
pub async fn sign_out<E: From<StorageError> + Send + 'static>(
    engine: &Engine,
    person: &Person,
    end: impl Future<Output = Result<(), E>> + Send + 'static,
) -> Result<(), E> {
    let ended = event(Event::SessionEnded, Some(person.user_id), &person.visit);
    let noting = engine.clone();
    let ending = engine.commits.spawn(async move {
        end.await?;
        noting.note(ended);
        Ok(())
    });
    ending.await.map_err(|_| StorageError::interrupted())?
}

fn event(event: Event, account: Option<UserId>, visit: &Visit) -> SecurityEvent {
    let caller = Caller {
        actor: account.map_or(Actor::Unknown, Actor::User),
        via: Via::Page,
        visit: visit.clone(),
    };
    SecurityEvent::new(event, caller, account.map_or(Log::NoOrgs, Log::OrgsOf))
}
