//! Single-use links about an account: to reset its password, to confirm its address, and to sign up (design §10).
//!
//! Only the digest of the token in a link is stored. Opening a link changes nothing; using it deletes its row, so of
//! several concurrent uses one succeeds.
//!
//! A user has at most [`MAX_EACH`] links of each kind, and so has an address that is signing up; the oldest make room for
//! new ones. Together with the budgets of those who request links, and their deletion once they have expired, this
//! limits the number of rows. Whatever changes the password or the address of an account deletes all of its links.

pub use crate::link_token::AccountToken;

use strum::{Display, EnumString};

use super::{User, lock::lock_user};
use crate::{
    Engine,
    db::{StorageError, Tx, on, places, text_column},
    email::EmailAddress,
    id::UserId,
    name::DisplayName,
    time::{DAY, HOUR},
};

/// Maximum number of links of each kind that a user or an address has.
const MAX_EACH: i64 = 5;
/// Maximum number of links with which someone signs up. More are requested only in a flood from thousands of networks.
const MAX_SIGN_UPS: i64 = 50_000;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum LinkKind {
    /// Sets a new password.
    Reset,
    /// Confirms the address that it was sent to, which becomes the account's.
    Confirmation,
    /// Creates an account.
    SignUp,
}

text_column!(LinkKind);

impl LinkKind {
    /// How long the link works, in milliseconds.
    pub const fn lifetime(self) -> i64 {
        match self {
            Self::Reset => HOUR,
            Self::Confirmation | Self::SignUp => DAY,
        }
    }
}

/// A link about an account, for someone who has it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenedLink {
    /// The account.
    pub user_id: UserId,
    /// The name of the account.
    pub name: DisplayName,
    /// The address of the account.
    pub own_email: EmailAddress,
    /// The address that the link was sent to.
    pub email: EmailAddress,
}

/// A link that was used.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Spent {
    /// The address that the link was sent to.
    pub email: EmailAddress,
    /// Whether the link was sent by mail, so that its user has the address.
    pub by_mail: bool,
}

/// Returns the link of a token about an account that is not disabled; `None` if it was used or replaced, or has expired.
///
/// # Errors
/// If the database cannot be reached.
pub async fn open(
    engine: &Engine,
    kind: LinkKind,
    token: &AccountToken,
) -> Result<Option<OpenedLink>, StorageError> {
    const SQL: &str = "SELECT users.id AS user_id, users.name, users.email AS own_email, account_links.email FROM account_links \
         JOIN users ON users.id = account_links.user_id AND users.disabled_at IS NULL \
         WHERE account_links.kind = $1 AND account_links.expires_at > $2 AND account_links.digest = $3";
    let Some(digest) = token.stored(engine).await? else {
        return Ok(None);
    };
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(kind).bind(engine.clock.now()).bind(digest.as_bytes()).fetch_optional(c).await)?)
}

/// Returns the address of a link with which someone signs up.
///
/// # Errors
/// If the database cannot be reached.
pub async fn open_sign_up(
    engine: &Engine,
    token: &AccountToken,
) -> Result<Option<EmailAddress>, StorageError> {
    const SQL: &str =
        "SELECT email FROM account_links WHERE kind = $1 AND expires_at > $2 AND digest = $3";
    let Some(digest) = token.stored(engine).await? else {
        return Ok(None);
    };
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(LinkKind::SignUp).bind(engine.clock.now()).bind(digest.as_bytes()).fetch_optional(c).await)?)
}

/// Creates a link about an account, within a transaction that has [`lock`]ed the user.
pub(super) async fn insert(
    engine: &Engine,
    tx: &mut Tx,
    kind: LinkKind,
    user_id: UserId,
    email: &EmailAddress,
    by_mail: bool,
) -> Result<AccountToken, crate::fault::Fault> {
    const MAKE_ROOM: &str = "DELETE FROM account_links WHERE user_id = $1 AND kind = $2 AND digest NOT IN \
         (SELECT digest FROM account_links WHERE user_id = $1 AND kind = $2 ORDER BY created_at DESC, digest LIMIT $3)";
    let token = store(engine, tx, kind, Some(user_id), email, by_mail).await?;
    on!(tx.on(), c => sqlx::query(MAKE_ROOM)
        .bind(user_id).bind(kind).bind(MAX_EACH).execute(c).await.map(drop))?;
    Ok(token)
}

/// Inserts and deletes a link to an address without an account, which nobody gets: the database has as much to write as for
/// an account.
pub(super) async fn insert_for_nobody(
    engine: &Engine,
    tx: &mut Tx,
    kind: LinkKind,
    email: &EmailAddress,
) -> Result<(), crate::fault::Fault> {
    let token = store(engine, tx, kind, None, email, true).await?;
    Ok(take_back(engine, tx, &token).await?)
}

/// Deletes a link that was just inserted, because nobody may get it.
pub(super) async fn take_back(
    engine: &Engine,
    tx: &mut Tx,
    token: &AccountToken,
) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM account_links WHERE digest = $1";
    let digest = token.digest(engine);
    on!(tx.on(), c => sqlx::query(SQL).bind(digest.as_bytes()).execute(c).await.map(drop))?;
    Ok(())
}

/// Creates a link with which someone with this address signs up. Returns `None` if there are too many.
pub(super) async fn insert_sign_up(
    engine: &Engine,
    tx: &mut Tx,
    email: &EmailAddress,
) -> Result<Option<AccountToken>, crate::fault::Fault> {
    const COUNT: &str = "SELECT COUNT(*) FROM account_links WHERE kind = $1";
    const MAKE_ROOM: &str = "DELETE FROM account_links WHERE email = $1 AND kind = $2 AND digest NOT IN \
         (SELECT digest FROM account_links WHERE email = $1 AND kind = $2 ORDER BY created_at DESC, digest LIMIT $3)";
    let kind = LinkKind::SignUp;
    let count: i64 = on!(tx.on(), c => sqlx::query_scalar(COUNT).bind(kind).fetch_one(c).await)?;
    if count >= MAX_SIGN_UPS {
        return Ok(None);
    }
    let token = store(engine, tx, kind, None, email, true).await?;
    on!(tx.on(), c => sqlx::query(MAKE_ROOM)
        .bind(email.clone()).bind(kind).bind(MAX_EACH).execute(c).await.map(drop))?;
    Ok(Some(token))
}

async fn store(
    engine: &Engine,
    tx: &mut Tx,
    kind: LinkKind,
    user_id: Option<UserId>,
    email: &EmailAddress,
    by_mail: bool,
) -> Result<AccountToken, crate::fault::Fault> {
    const SQL: &str = "INSERT INTO account_links (digest, kind, user_id, email, by_mail, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let token = AccountToken::generate(&engine.random)?;
    let digest = token.digest(engine);
    let now = engine.clock.now();
    on!(tx.on(), c => sqlx::query(SQL)
        .bind(digest.as_bytes()).bind(kind).bind(user_id).bind(email.clone()).bind(by_mail)
        .bind(now).bind(now.plus(kind.lifetime())).execute(c).await.map(drop))?;
    Ok(token)
}

/// Uses a link within a transaction. Of several concurrent requests, one finds it. For a link about an account, the
/// transaction has [`lock`]ed the user, so that no other holds the link and waits for the user.
pub(super) async fn spend(
    engine: &Engine,
    tx: &mut Tx,
    kind: LinkKind,
    token: &AccountToken,
) -> Result<Option<Spent>, StorageError> {
    let digests = token.digests(engine);
    let sql = format!(
        "DELETE FROM account_links WHERE kind = $1 AND expires_at > $2 AND digest IN ({}) RETURNING email, by_mail",
        places(3, digests.len())
    );
    Ok(on!(tx.on(), c => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(kind).bind(engine.clock.now());
        let query = digests.iter().fold(query, |query, digest| query.bind(digest.as_bytes()));
        query.fetch_optional(c).await
    })?)
}

/// Waits for other transactions that change this user or their links, and returns the user unless they are disabled.
/// SQLite has a single writer.
pub(super) async fn lock(tx: &mut Tx, user_id: UserId) -> Result<Option<User>, StorageError> {
    const SELECT: &str =
        "SELECT id, name, email, email_confirmed FROM users WHERE id = $1 AND disabled_at IS NULL";
    lock_user(tx, user_id).await?;
    Ok(on!(tx.on(), c => sqlx::query_as(SELECT).bind(user_id).fetch_optional(c).await)?)
}

/// Deletes all links about an account, within a transaction that has changed or locked the user.
pub(super) async fn delete_all(tx: &mut Tx, user_id: UserId) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM account_links WHERE user_id = $1";
    on!(tx.on(), c => sqlx::query(SQL).bind(user_id).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes expired links.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_expired(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM account_links WHERE expires_at <= $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(engine.clock.now()).execute(c).await.map(drop))?;
    Ok(())
}
