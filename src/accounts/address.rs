//! The address of an account: confirming it with a link that is sent to it, and changing it.
//!
//! A new address becomes the account's when its link is used, so that nobody takes the address of someone else. Nobody
//! learns whether an address has an account: a request for a taken one has the same answer, is stored and shown like the
//! others until it expires, and its letter says so to the address's owner alone. Nobody has its link.

use crate::{
    Engine,
    access::Operator,
    audit::security_events::{Log, SecurityEvent},
    caller::{Actor, Caller, Person, Via, Visit},
    db::{StorageError, Tx, on},
    email::EmailAddress,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    mail::{Content, Letter, MailPlace, Sender},
};

use super::{
    User,
    attempts::{self, Attempt, AttemptError, Subject, minutes},
    links::{self, AccountToken, LinkKind},
    password::{self, ChangePasswordError, TypedPassword},
    sessions::SessionHash,
};

/// Why no link was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmationError {
    /// This instance sends no mail.
    #[error(
        "This Latchkey instance sends no mail. Ask its operator to change your e-mail address."
    )]
    NoMail,
    /// The address is the account's own, and confirmed.
    #[error("This is your e-mail address already.")]
    Unchanged,
    /// Too many letters of this user, or to this new address, by whoever requested them.
    #[error("Too many links were requested. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next request is possible.
        retry_after: i64,
    },
    /// The password was not confirmed.
    #[error(transparent)]
    Password(ChangePasswordError),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ConfirmationError);

/// Why an address was not confirmed or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAddressError {
    /// The link was used or replaced, or has expired, or the address got an account in the meantime.
    #[error("This link was used or replaced, or has expired. Request a new one.")]
    Gone,
    /// The address has an account.
    #[error("An account for `{0}` already exists.")]
    Taken(EmailAddress),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ChangeAddressError);

/// Sends a link to the user's own address, which confirms it.
///
/// # Errors
/// [`ConfirmationError`]. No link is sent.
pub async fn request_confirmation(
    engine: &Engine,
    person: Person,
) -> Result<(), ConfirmationError> {
    let user = own(engine, &person).await?;
    if user.email_confirmed {
        return Err(ConfirmationError::Unchanged);
    }
    let mails = Subject::AccountMails(person.user_id);
    let place = place(engine, &person, attempts::count(engine, &[mails])).await?;
    let sending = engine.clone();
    let sent = engine.commits.spawn(async move {
        let email = user.email.clone();
        let token = insert(&sending, person.into(), &user, &email, None).await?;
        if let Some(token) = token {
            let content = Content::Confirmation(token, user.name);
            sending.post(Some(place), Letter { to: email, content });
        }
        Ok::<_, Fault>(())
    });
    Ok(sent.await.map_err(|_| StorageError::interrupted())??)
}

/// Sends a link to a new address, which becomes the user's when the link is used. A change that was requested before ends.
/// Returns before it is known whether the address has an account.
///
/// # Errors
/// [`ConfirmationError`]. No link is sent.
pub async fn request_change(
    engine: &Engine,
    person: Person,
    session: SessionHash,
    current: TypedPassword,
    email: EmailAddress,
) -> Result<(), ConfirmationError> {
    if !engine.sends_mail() {
        return Err(ConfirmationError::NoMail);
    }
    let epoch = on!(engine.db.read(), c => sqlx::query_scalar(EPOCH)
        .bind(person.user_id).fetch_one(c).await)?;
    let confirmed = password::confirm(engine, person.clone(), session, current).await;
    confirmed.map_err(ConfirmationError::Password)?;
    let user = own(engine, &person).await?;
    if user.email == email && user.email_confirmed {
        return Err(ConfirmationError::Unchanged);
    }
    // Counted for every address, whether or not it has an account.
    let mails = [Subject::AccountMails(person.user_id)];
    let counted = attempts::count_letter_to(engine, &mails, person.user_id, &email);
    let place = place(engine, &person, counted).await?;
    let sending = engine.clone();
    let stored = engine.commits.spawn(async move {
        let token = insert(&sending, person.into(), &user, &email, Some(epoch)).await?;
        if let Some(token) = token {
            let posting = sending.clone();
            sending
                .commits
                .spawn(async move { post(&posting, place, user, email, token).await });
        }
        Ok::<_, Fault>(())
    });
    Ok(stored.await.map_err(|_| StorageError::interrupted())??)
}

/// Returns the new address that waits for its confirmation, if there is one. Whether it has an account is not known.
///
/// # Errors
/// If the database cannot be reached.
pub async fn pending(
    engine: &Engine,
    user_id: UserId,
) -> Result<Option<EmailAddress>, StorageError> {
    const SQL: &str = "SELECT account_links.email FROM account_links JOIN users ON users.id = account_links.user_id \
         WHERE users.id = $1 AND account_links.kind = $2 AND account_links.email <> users.email \
         AND account_links.expires_at > $3";
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(user_id).bind(LinkKind::Confirmation).bind(engine.clock.now()).fetch_optional(c).await)?)
}

/// Ends a change that waits for its confirmation. Its link no longer works.
///
/// # Errors
/// If the session has ended, or the database cannot be reached.
pub async fn cancel_change(engine: &Engine, person: Person) -> Result<(), StorageError> {
    let user_id = person.user_id;
    let mut tx = engine.begin_as(&person.into()).await?;
    if let Some(user) = links::lock(&mut tx, user_id).await? {
        delete_pending(&mut tx, &user).await?;
    }
    tx.commit().await
}

/// Deletes the links with which the user's address would be changed.
async fn delete_pending(tx: &mut Tx, user: &User) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM account_links WHERE user_id = $1 AND kind = $2 AND email <> $3";
    on!(tx.on(), c => sqlx::query(SQL)
        .bind(user.id).bind(LinkKind::Confirmation).bind(user.email.clone()).execute(c).await.map(drop))?;
    Ok(())
}

async fn own(engine: &Engine, person: &Person) -> Result<User, StorageError> {
    let found = super::find_user(engine, person.user_id).await?;
    // Only if the account was deleted during the request.
    found.ok_or_else(StorageError::interrupted)
}

/// Counts a letter of the user and takes a place for it.
async fn place(
    engine: &Engine,
    person: &Person,
    counted: impl Future<Output = Result<Attempt, AttemptError>>,
) -> Result<MailPlace, ConfirmationError> {
    let place = engine.mail_place(Sender::User(person.user_id))?;
    let place = place.ok_or(ConfirmationError::NoMail)?;
    match counted.await {
        Ok(_) => Ok(place),
        Err(AttemptError::TooMany { retry_after }) => {
            Err(ConfirmationError::TooMany { retry_after })
        }
        Err(AttemptError::Storage(error)) => Err(error.into()),
    }
}

const EPOCH: &str = "SELECT epoch FROM users WHERE id = $1";

/// Stores a link, unless the address or, since the password was confirmed in this epoch, the password was changed in the
/// meantime: whoever changed them has ended all links that were requested before.
async fn insert(
    engine: &Engine,
    caller: Caller,
    user: &User,
    email: &EmailAddress,
    confirmed_in: Option<i64>,
) -> Result<Option<AccountToken>, Fault> {
    let mut tx = engine.begin_as(&caller).await?;
    let now = links::lock(&mut tx, user.id).await?;
    if now.is_none_or(|now| now.email != user.email) {
        return Ok(None);
    }
    let epoch: i64 = on!(tx.on(), c => sqlx::query_scalar(EPOCH).bind(user.id).fetch_one(c).await)?;
    if confirmed_in.is_some_and(|confirmed_in| confirmed_in != epoch) {
        return Ok(None);
    }
    if *email != user.email {
        delete_pending(&mut tx, user).await?;
    }
    let kind = LinkKind::Confirmation;
    let token = links::insert(engine, &mut tx, kind, user.id, email, true).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Posts the letter to a new address: the link, or, if it has an account, that someone entered it. The link of a taken
/// address is in no letter.
async fn post(
    engine: &Engine,
    place: MailPlace,
    user: User,
    email: EmailAddress,
    token: AccountToken,
) {
    let content = match is_taken(engine, &email, user.id).await {
        Ok(true) => Content::HasAccount,
        Ok(false) => Content::Confirmation(token, user.name),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the e-mail to a new address was not sent");
            return;
        }
    };
    engine.post(Some(place), Letter { to: email, content });
}

async fn is_taken(
    engine: &Engine,
    email: &EmailAddress,
    user_id: UserId,
) -> Result<bool, StorageError> {
    Ok(on!(engine.db.read(), c => sqlx::query(TAKEN)
        .bind(email.clone()).bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?)
}

/// Like [`is_taken`], within a transaction.
async fn is_taken_in(
    tx: &mut Tx,
    email: &EmailAddress,
    user_id: UserId,
) -> Result<bool, StorageError> {
    Ok(on!(tx.on(), c => sqlx::query(TAKEN)
        .bind(email.clone()).bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?)
}

const TAKEN: &str = "SELECT 1 FROM users WHERE email = $1 AND id <> $2";

/// Confirms the address that a link was sent to, which becomes the account's. Whoever has the link has the address; the
/// person may be signed in elsewhere. All other links about the account stop working.
///
/// # Errors
/// If the link was used or replaced, or has expired, or the address has an account.
pub async fn confirm(
    engine: &Engine,
    token: &AccountToken,
    visit: Visit,
) -> Result<(), ChangeAddressError> {
    let (confirming, token) = (engine.clone(), token.clone());
    let confirmed = engine
        .commits
        .spawn(async move { try_confirm(&confirming, &token, visit).await });
    confirmed.await.map_err(|_| StorageError::interrupted())?
}

async fn try_confirm(
    engine: &Engine,
    token: &AccountToken,
    visit: Visit,
) -> Result<(), ChangeAddressError> {
    let opened = links::open(engine, LinkKind::Confirmation, token).await?;
    let user_id = opened.ok_or(ChangeAddressError::Gone)?.user_id;
    let mut tx = engine.db.begin_unrecorded().await?;
    let user = links::lock(&mut tx, user_id).await?;
    let spent = links::spend(engine, &mut tx, LinkKind::Confirmation, token).await?;
    let (Some(user), Some(spent)) = (user, spent) else {
        return Err(ChangeAddressError::Gone);
    };
    let is_set = set(&mut tx, user_id, &spent.email).await?;
    if !is_set {
        return Err(ChangeAddressError::Gone);
    }
    tx.commit().await?;
    let caller = Caller {
        actor: Actor::User(user_id),
        via: Via::Page,
        visit,
    };
    tell(engine, &user, &spent.email, caller);
    Ok(())
}

/// Gives an account another address, for the operator. It counts as confirmed.
///
/// # Errors
/// If the address has an account.
pub async fn change_as_operator(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
    email: EmailAddress,
) -> Result<(), ChangeAddressError> {
    let mut tx = engine.db.begin_unrecorded().await?;
    let user = links::lock(&mut tx, user_id).await?;
    let user = user.ok_or(ChangeAddressError::Gone)?;
    if !set(&mut tx, user_id, &email).await? {
        return Err(ChangeAddressError::Taken(email));
    }
    tx.commit().await?;
    tell(engine, &user, &email, operator.caller().clone());
    Ok(())
}

/// Stores an address as the account's confirmed one, and deletes all links about the account. Returns `false` if another
/// account has it.
async fn set(tx: &mut Tx, user_id: UserId, email: &EmailAddress) -> Result<bool, StorageError> {
    const SQL: &str = "UPDATE users SET email = $1, email_confirmed = TRUE WHERE id = $2";
    if is_taken_in(tx, email, user_id).await? {
        return Ok(false);
    }
    let stored: Result<(), StorageError> = async {
        on!(tx.on(), c => sqlx::query(SQL).bind(email.clone()).bind(user_id).execute(c).await.map(drop))?;
        Ok(())
    }
    .await;
    match stored {
        // Someone else took it since the check.
        Err(error) if error.is_unique_violation() => return Ok(false),
        stored => stored?,
    }
    links::delete_all(tx, user_id).await?;
    Ok(true)
}

/// Records a confirmed or changed address, and tells the former address of a change.
fn tell(engine: &Engine, before: &User, email: &EmailAddress, caller: Caller) {
    let is_changed = before.email != *email;
    let event = if is_changed {
        Event::EmailChanged
    } else {
        Event::EmailConfirmed
    };
    let event = SecurityEvent::new(event, caller, Log::OrgsOf(before.id));
    engine.note(event.about(Some(Target::User(before.id))));
    if is_changed && before.email_confirmed {
        let letter = Letter {
            to: before.email.clone(),
            content: Content::EmailChanged,
        };
        engine.tell(before.id, letter);
    }
}
