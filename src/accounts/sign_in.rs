//! Signing in with an e-mail address and a password.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::{Actor, Caller, Person, Via, Visit},
    db::{StorageError, on},
    email::EmailAddress,
    event::Event,
    id::UserId,
    time::Timestamp,
};

use super::{
    password::{self, HashError, HashFor, TypedPassword},
    sessions::SignedIn,
    throttle::address_subject,
};

/// Why someone was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The address is not known or the password is not right: the answer does not say which, the log does.
    #[error("The e-mail address or the password is not right.")]
    WrongCredentials {
        /// Whose account was tried; `None` when the address has none.
        account: Option<UserId>,
    },
    /// Too many wrong ones, for this account or from this address.
    #[error("Too many tries. Wait {retry_after} seconds and try again.")]
    TooMany {
        /// Seconds until the next try.
        retry_after: i64,
    },
    /// The password could not be compared.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What signing in needs to know of an account.
#[derive(sqlx::FromRow)]
struct Account {
    id: UserId,
    password_hash: String,
    epoch: i64,
    disabled_at: Option<Timestamp>,
}

/// The person whom the address and the password belong to. `visit` is the request.
///
/// # Errors
/// When they belong to no one, or were tried too often.
pub async fn sign_in(
    engine: &Engine,
    email: &EmailAddress,
    password: TypedPassword,
    visit: &Visit,
) -> Result<SignedIn, SignInError> {
    let from = visit.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let attempt = engine
        .throttle
        .attempt(
            engine.clock.now(),
            &[format!("account {email}"), address_subject(from)],
        )
        .map_err(|retry_after| SignInError::TooMany { retry_after })?;
    const SQL: &str = "SELECT id, password_hash, epoch, disabled_at FROM users WHERE email = $1";
    let found: Option<Account> =
        on!(engine.db.read(), c => sqlx::query_as(SQL).bind(email.clone()).fetch_optional(c).await)
            .map_err(StorageError::from)?;
    let stored = found.as_ref().map(|account| account.password_hash.clone());
    let whose = HashFor::of_visit(visit);
    let verified = password::verify(engine, password, stored, whose).await;
    let is_right = attempt.unless_wrong(verified)?;
    match found {
        Some(account) if is_right && account.disabled_at.is_none() => {
            note(engine, Event::SessionStarted, Some(account.id), visit);
            Ok(SignedIn {
                user_id: account.id,
                epoch: account.epoch,
            })
        }
        account => {
            let account = account.map(|account| account.id);
            note(engine, Event::SessionFailed, account, visit);
            Err(SignInError::WrongCredentials { account })
        }
    }
}

/// Notes that someone signed out.
pub fn signed_out(engine: &Engine, person: Person) {
    note(
        engine,
        Event::SessionEnded,
        Some(person.user_id),
        &person.visit,
    );
}

/// Notes a sign-in that failed because what was typed is no address, so that it has no account.
pub fn failed_without_account(engine: &Engine, visit: &Visit) {
    note(engine, Event::SessionFailed, None, visit);
}

/// Notes what became of the session of an account. Of who tried an account that there is not nothing is kept but where
/// they came from.
fn note(engine: &Engine, event: Event, account: Option<UserId>, visit: &Visit) {
    let caller = Caller {
        actor: account.map_or(Actor::Unknown, Actor::User),
        via: Via::Page,
        visit: visit.clone(),
    };
    let log = account.map_or(Log::NoOrgs, Log::OrgsOf);
    engine.note(SecurityEvent::new(event, caller, log));
}
