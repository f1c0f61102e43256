//! Setting a new password with a link, for someone who has forgotten theirs.
//!
//! Nobody learns whether an address has an account: a request is answered before the account is looked up, by a task of its
//! own that has a place in the outbox, and an address without an account causes the same writes. On SQLite, the requests that
//! follow wait for them.
//!
//! Requests cannot keep the owner of an account out: an account gets five letters per hour, each with a link that works for an
//! hour, so whoever has used up the budget has filled the owner's mailbox with links that work.

use crate::{
    Engine,
    access::Operator,
    audit::security_events::{Log, SecurityEvent},
    caller::{Actor, Caller, Via, Visit},
    db::{StorageError, on},
    email::EmailAddress,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    mail::{Content, Letter, MailPlace, Sender},
};

use super::{
    attempts::{self, AttemptError, Subject, minutes},
    hash_queues::HashFor,
    links::{self, AccountToken, LinkKind},
    password::{self, NewPassword},
    sessions::SignedIn,
};

/// Why no link was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestResetError {
    /// Too many requests from one network.
    #[error("Too many requests. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next request is possible.
        retry_after: i64,
    },
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(RequestResetError);

/// Why a password was not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The link was used or replaced, or has expired.
    #[error("This link was used or replaced, or has expired. Request a new one.")]
    Gone,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ResetError);

/// Sends a link to an address if it has an account. Everything that depends on the account happens after this returns.
///
/// # Errors
/// If the network has sent too many requests.
pub async fn request(
    engine: &Engine,
    email: EmailAddress,
    visit: Visit,
) -> Result<(), RequestResetError> {
    match attempts::count(engine, &[Subject::ResetRequests(&visit)]).await {
        Ok(_) => {}
        Err(AttemptError::TooMany { retry_after }) => {
            return Err(RequestResetError::TooMany { retry_after });
        }
        Err(AttemptError::Storage(error)) => return Err(error.into()),
    }
    // Whether the outbox is full could otherwise show which of the network's earlier requests were for accounts.
    let sender = Sender::of_visit(&visit);
    let Ok(Some(place)) = engine.mail_place(sender) else {
        engine.outbox.note_dropped(sender);
        return Ok(());
    };
    let sending = engine.clone();
    engine.commits.spawn(async move {
        if let Err(fault) = send(&sending, place, &email, visit).await {
            tracing::error!(
                error = &fault as &dyn std::error::Error,
                "failed to create a link for a new password"
            );
        }
    });
    Ok(())
}

async fn send(
    engine: &Engine,
    place: MailPlace,
    email: &EmailAddress,
    visit: Visit,
) -> Result<(), Fault> {
    const SQL: &str = "SELECT id FROM users WHERE email = $1 AND disabled_at IS NULL";
    let found: Option<UserId> = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(email.clone()).fetch_optional(c).await)?;
    note(
        engine,
        Event::PasswordResetRequested,
        found,
        Actor::Unknown,
        visit,
    );
    let mails = match found {
        Some(user_id) => Subject::ResetMails(user_id),
        None => Subject::ResetMailsToNobody(email),
    };
    match attempts::count(engine, &[mails]).await {
        Ok(_) => {}
        Err(AttemptError::TooMany { .. }) => return Ok(()),
        Err(AttemptError::Storage(error)) => return Err(error.into()),
    }
    let Some(user_id) = found else {
        return create_for_nobody(engine, email).await;
    };
    let Some(token) = create(engine, user_id, email, true).await? else {
        return Ok(());
    };
    let letter = Letter {
        to: email.clone(),
        content: Content::Reset(token),
    };
    engine.post(Some(place), letter);
    Ok(())
}

/// Creates a link for the operator to give to a user. Using it does not confirm the user's address.
///
/// # Errors
/// If the database cannot be reached. Returns `None` if the account is disabled.
pub async fn create_link(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
) -> Result<Option<AccountToken>, Fault> {
    const SQL: &str = "SELECT email FROM users WHERE id = $1";
    let email: EmailAddress = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(user_id).fetch_one(c).await)?;
    let token = create(engine, user_id, &email, false).await?;
    let Caller { actor, visit, .. } = operator.caller().clone();
    let event = Event::PasswordResetRequested;
    note(engine, event, Some(user_id), actor, visit);
    Ok(token)
}

async fn create(
    engine: &Engine,
    user_id: UserId,
    email: &EmailAddress,
    by_mail: bool,
) -> Result<Option<AccountToken>, Fault> {
    let mut tx = engine.db.begin_unrecorded().await?;
    let user = links::lock(&mut tx, user_id).await?;
    if user.is_none_or(|user| user.email != *email) {
        return Ok(None);
    }
    let kind = LinkKind::Reset;
    let token = links::insert(engine, &mut tx, kind, user_id, email, by_mail).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Writes as much as [`create`], for an address without an account.
async fn create_for_nobody(engine: &Engine, email: &EmailAddress) -> Result<(), Fault> {
    let mut tx = engine.db.begin_unrecorded().await?;
    links::insert_for_nobody(engine, &mut tx, LinkKind::Reset, email).await?;
    Ok(tx.commit().await?)
}

/// Sets a new password with a link, and ends every session of the user. They sign in with it: a second factor remains
/// required. The account then knows the browser of the person who is returned, so that guesses from elsewhere, before or
/// after, do not keep them out. Runs as a task of its own, so that a hang-up does not stop it halfway.
///
/// # Errors
/// If the link was used or replaced, or has expired.
pub async fn reset(
    engine: &Engine,
    token: &AccountToken,
    new: NewPassword,
    visit: Visit,
) -> Result<SignedIn, ResetError> {
    let (resetting, token) = (engine.clone(), token.clone());
    let reset = engine
        .commits
        .spawn(async move { try_reset(&resetting, &token, new, visit).await });
    reset.await.map_err(|_| StorageError::interrupted())?
}

async fn try_reset(
    engine: &Engine,
    token: &AccountToken,
    new: NewPassword,
    visit: Visit,
) -> Result<SignedIn, ResetError> {
    const CONFIRM: &str = "UPDATE users SET email_confirmed = TRUE WHERE id = $1";
    // Checked before the hash, which is expensive.
    let opened = links::open(engine, LinkKind::Reset, token).await?;
    let user_id = opened.ok_or(ResetError::Gone)?.user_id;
    let place = engine.hashing.enter(HashFor::of_visit(&visit))?;
    let hash = password::hash(engine, place, new).await?;
    let mut tx = engine.db.begin_unrecorded().await?;
    let user = links::lock(&mut tx, user_id).await?;
    let spent = links::spend(engine, &mut tx, LinkKind::Reset, token).await?;
    let (Some(user), Some(spent)) = (user, spent) else {
        return Err(ResetError::Gone);
    };
    // The account has another address since the link was sent.
    if user.email != spent.email {
        return Err(ResetError::Gone);
    }
    if spent.by_mail {
        on!(tx.on(), c => sqlx::query(CONFIRM).bind(user_id).execute(c).await.map(drop))?;
    }
    let ended = password::set(&mut tx, user_id, hash).await?;
    let who = SignedIn {
        user_id,
        epoch: ended.epoch,
    };
    let caller = caller(Actor::User(user_id), visit);
    let event = Some(Event::PasswordReset);
    ended.commit(engine, tx, caller, user_id, event).await?;
    if spent.by_mail || user.email_confirmed {
        password::tell_changed(engine, user_id, user.email);
    }
    Ok(who)
}

/// Records a request for an account, or for an address without one, which is in the log of the instance.
fn note(engine: &Engine, event: Event, user_id: Option<UserId>, actor: Actor, visit: Visit) {
    let log = user_id.map_or(Log::NoOrgs, Log::OrgsOf);
    let event = SecurityEvent::new(event, caller(actor, visit), log);
    engine.note(event.about(user_id.map(Target::User)));
}

fn caller(actor: Actor, visit: Visit) -> Caller {
    let via = match actor {
        Actor::CommandLine => Via::Cli,
        _ => Via::Page,
    };
    Caller { actor, via, visit }
}
