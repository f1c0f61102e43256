//! Disabling and enabling an account. A disabled user is signed out everywhere and cannot sign in. Everything they
//! created remains, since keys belong to the org.

use crate::{
    Engine,
    access::Operator,
    audit::security_events::{Log, SecurityEvent},
    db::{Db, StorageError, on},
    email::EmailAddress,
    event::Event,
    fault::{Fault, from_fault},
    id::UserId,
    operators::{LastOperator, keeps_one},
};

use super::{links, sessions};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// No account has this address.
    #[error("No account was found for `{0}`.")]
    NotFound(EmailAddress),
    /// Nobody else is an operator.
    #[error(transparent)]
    LastOperator(#[from] LastOperator),
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
/// If nobody else is an operator and the caller is not the command line.
pub async fn disable(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
) -> Result<(), LifecycleError> {
    const IS_OPERATOR: &str = "SELECT 1 FROM users WHERE id = $1 AND operator_since IS NOT NULL";
    const SQL: &str = "UPDATE users SET disabled_at = $1 WHERE id = $2 AND disabled_at IS NULL";
    let mut tx = engine.db.begin_unrecorded().await?;
    let disabled = on!(tx.on(), c => sqlx::query(SQL)
        .bind(engine.clock.now()).bind(user_id).execute(c).await.map(|done| done.rows_affected()))?;
    links::delete_all(&mut tx, user_id).await?;
    let ended = sessions::end_all(&mut tx, user_id).await?;
    let caller = operator.caller().clone();
    let event = (disabled == 1).then_some(Event::AccountDisabled);
    let is_operator = on!(tx.on(), c => sqlx::query(IS_OPERATOR)
        .bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?;
    if is_operator {
        keeps_one(&mut tx, &caller, user_id).await??;
    }
    Ok(ended.commit(engine, tx, caller, user_id, event).await?)
}

/// Lets a disabled user sign in again. Runs as a task of its own, so that a hang-up does not keep it out of the audit log.
///
/// # Errors
/// If the database cannot be reached.
pub async fn enable(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE users SET disabled_at = NULL \
         WHERE id = $1 AND disabled_at IS NOT NULL AND deleted_at IS NULL";
    let (enabling, caller) = (engine.clone(), operator.caller().clone());
    let enabled = engine.commits.spawn(async move {
        let enabled = on!(enabling.db.write_unrecorded(), c => sqlx::query(SQL)
            .bind(user_id).execute(c).await.map(|done| done.rows_affected()))?;
        if enabled == 1 {
            let log = Log::OrgsOf(user_id);
            enabling.note(SecurityEvent::new(Event::AccountEnabled, caller, log));
        }
        Ok(())
    });
    enabled.await.map_err(|_| StorageError::interrupted())?
}
