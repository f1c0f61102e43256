//! Disabling and enabling an account. A disabled user is signed out everywhere and cannot sign in. Everything they
//! created remains, since keys belong to the org.
//!
//! Functions that do not need an engine take a database, so that they also work after a pepper was lost.

use crate::{
    Engine,
    access::Operator,
    db::{Db, StorageError, on},
    email::EmailAddress,
    fault::{Fault, from_fault},
    id::UserId,
};

use super::{links, sessions};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// No account has this address.
    #[error("No account was found for `{0}`.")]
    NotFound(EmailAddress),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(LifecycleError);

/// Returns the ID of the account with this address, for the operator.
///
/// # Errors
/// If no account has this address.
pub async fn find(
    db: &Db,
    _operator: &Operator,
    email: &EmailAddress,
) -> Result<UserId, LifecycleError> {
    const SQL: &str = "SELECT id FROM users WHERE email = $1 AND deleted_at IS NULL";
    let found: Option<UserId> = on!(db.read(), c => sqlx::query_scalar(SQL)
        .bind(email.clone()).fetch_optional(c).await)?;
    found.ok_or_else(|| LifecycleError::NotFound(email.clone()))
}

/// Disables an account and ends its sessions.
///
/// # Errors
/// If the database cannot be reached.
pub async fn disable(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
) -> Result<(), StorageError> {
    let mut tx = engine.db.begin_unrecorded().await?;
    const SQL: &str = "UPDATE users SET disabled_at = $1 WHERE id = $2 AND disabled_at IS NULL";
    on!(tx.on(), c => sqlx::query(SQL).bind(engine.clock.now()).bind(user_id).execute(c).await.map(drop))?;
    links::delete_all(&mut tx, user_id).await?;
    let ended = sessions::end_all(&mut tx, user_id).await?;
    let caller = operator.caller().clone();
    ended.commit(engine, tx, caller, user_id).await
}

/// Lets a disabled user sign in again.
///
/// # Errors
/// If the database cannot be reached.
pub async fn enable(db: &Db, _operator: &Operator, user_id: UserId) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE users SET disabled_at = NULL WHERE id = $1";
    on!(db.write_unrecorded(), c => sqlx::query(SQL).bind(user_id).execute(c).await.map(drop))?;
    Ok(())
}
