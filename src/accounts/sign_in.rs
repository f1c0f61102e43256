//! Signing in with an email address and a password.

use std::{collections::HashMap, fmt};

use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::{Actor, Caller, Person, Via, Visit},
    db::{StorageError, on, places},
    email::EmailAddress,
    event::Event,
    fault::{Fault, from_fault},
    id::UserId,
    time::Timestamp,
};

use super::{
    attempts::{self, AttemptError, Subject, minutes},
    half_signed_in::HalfSignedIn,
    hash_queues::HashFor,
    known_browser::Shown,
    password::{self, TypedPassword},
    sessions::SignedIn,
};

/// Why a user was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The address is unknown or the password is incorrect. The response does not reveal which; the log does.
    #[error("The e-mail address or password is incorrect.")]
    WrongCredentials(FailedSignIn),
    /// Too many failed attempts for this account or from this network.
    #[error("Too many attempts. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next attempt is possible.
        retry_after: i64,
        /// The reason to log.
        failed: FailedSignIn,
    },
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(SignInError);

/// What was wrong with the credentials. For the log only, never shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedSignIn {
    /// No account has this address.
    UnknownAccount,
    /// The password is incorrect for this account.
    WrongPassword(UserId),
    /// The account is disabled.
    Disabled(UserId),
    /// Too many failed attempts before this one: the credentials were not checked.
    Throttled(Option<UserId>),
}

impl FailedSignIn {
    /// The reason as written in the logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword(_) => "wrong_password",
            Self::Disabled(_) => "account_disabled",
            Self::Throttled(_) => "too_many_tries",
        }
    }

    /// The account that was tried, if it exists.
    pub const fn account(self) -> Option<UserId> {
        match self {
            Self::UnknownAccount => None,
            Self::WrongPassword(account) | Self::Disabled(account) => Some(account),
            Self::Throttled(account) => account,
        }
    }
}

/// The columns of an account that sign-in needs.
#[derive(Clone, sqlx::FromRow)]
pub(crate) struct Account {
    email: EmailAddress,
    id: UserId,
    password_hash: String,
    epoch: i64,
    disabled_at: Option<Timestamp>,
}

/// What a correct password leads to.
#[derive(Debug, Clone)]
pub enum FirstStep {
    /// The user is signed in.
    SignedIn(SignedIn),
    /// The user has a second factor, whose code is needed (see [`super::second_step`]).
    CodeNeeded(HalfSignedIn),
}

// Without the hash of the password.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Account {
    fn signed_in(&self) -> SignedIn {
        SignedIn {
            user_id: self.id,
            epoch: self.epoch,
        }
    }
}

/// Checks that the address and the password belong to a user. `visit` describes the request, and `shown` is the
/// cookie that makes the browser known (see [`super::known_browser::remember`]). Runs as a task of its own, so that a
/// correct attempt is taken back even if the client hangs up.
///
/// # Errors
/// If the credentials are incorrect, or there were too many attempts.
pub async fn sign_in(
    engine: &Engine,
    email: &EmailAddress,
    password: TypedPassword,
    visit: &Visit,
    shown: &str,
) -> Result<FirstStep, SignInError> {
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
) -> Result<FirstStep, SignInError> {
    // Together with others: whose place in the queue of hashes this needs is known only afterwards, and nothing else limits how
    // many strangers ask at once.
    let found = engine
        .account_look_ups
        .find(vec![email.clone()], engine, read);
    let found = found.await?.map(|(_, account)| account);
    let stored = found.as_ref().map(|account| account.password_hash.clone());
    let account = found.as_ref().map(Account::signed_in);
    let shown = Shown::read(engine, shown);
    let browser = account.and_then(|who| Some((who.user_id, shown.number(who)?)));
    let whose = browser.map_or_else(
        || HashFor::of_visit(visit).into(),
        |(user_id, _)| HashFor::of_user(user_id, visit),
    );
    let place = engine.hashing.enter(whose)?;
    // Each sign-in costs a hash and a session. Only successful sign-ins use up this budget, so that nobody without the
    // password can exhaust it.
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
    let is_right = match password::verify(engine, place, password, stored).await {
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
            let who = account.signed_in();
            // Read again: it can have been turned on while the password was hashed.
            if has_second_factor(engine, account.id).await? {
                return Ok(FirstStep::CodeNeeded(HalfSignedIn::new(engine, who)?));
            }
            note_started(engine, account.id, visit);
            return Ok(FirstStep::SignedIn(who));
        }
    };
    note_failed(engine, failed, visit);
    Err(SignInError::WrongCredentials(failed))
}

async fn read(
    engine: Engine,
    emails: Vec<EmailAddress>,
) -> Result<HashMap<EmailAddress, Account>, StorageError> {
    let sql = format!(
        "SELECT email, id, password_hash, epoch, disabled_at FROM users WHERE deleted_at IS NULL AND email IN ({})",
        places(1, emails.len())
    );
    let rows: Vec<Account> = on!(engine.db.read(), c => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
        emails.into_iter().fold(query, |query, email| query.bind(email)).fetch_all(c).await
    })?;
    let by_email = rows.into_iter().map(|row| (row.email.clone(), row));
    Ok(by_email.collect())
}

async fn has_second_factor(engine: &Engine, user_id: UserId) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM second_factors WHERE user_id = $1";
    Ok(on!(engine.db.read(), c => sqlx::query(SQL)
        .bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?)
}

/// Counts a sign-in. Concurrent sign-ins can exceed the limit by a few, which is harmless.
async fn count_sign_in(engine: &Engine, sign_ins: Subject<'_>) -> Result<(), StorageError> {
    match attempts::count(engine, &[sign_ins]).await {
        Ok(_) | Err(AttemptError::TooMany { .. }) => Ok(()),
        Err(AttemptError::Storage(error)) => Err(error),
    }
}

/// Records a sign-in in the audit log.
pub(super) fn note_started(engine: &Engine, user_id: UserId, visit: &Visit) {
    engine.note(event(Event::SessionStarted, Some(user_id), visit));
}

/// Records a failed sign-in in the audit log. If the account does not exist, only the origin of the request is
/// recorded.
pub fn note_failed(engine: &Engine, failed: FailedSignIn, visit: &Visit) {
    let event = event(Event::SessionFailed, failed.account(), visit);
    engine.note(event.with("reason", failed.as_str()));
}

/// Ends a user's session by running `end`, and records in the audit log that they signed out. Runs as a task of its
/// own, so that a hang-up does not stop it halfway.
///
/// # Errors
/// The errors of `end`.
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
