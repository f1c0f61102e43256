//! An instance keeps an operator. Only at the command line can the last one be removed, since only that can mark another.

use crate::{
    Engine,
    caller::{Actor, Caller},
    db::{On, StorageError, Tx, on},
    id::UserId,
};

/// The ID of Postgres's advisory lock under which the rule is checked: "latchops".
const LOCK: i64 = i64::from_be_bytes(*b"latchops");

/// An operator whose account is disabled cannot do anything, so they do not count.
const OTHERS: &str = "SELECT 1 FROM users WHERE operator_since IS NOT NULL AND disabled_at IS NULL AND id <> $1 LIMIT 1";

/// No other operator could sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Nobody else is an operator of this instance. Make someone else an operator first.")]
pub struct LastOperator;

/// Checks, as the last step of a change that takes the mark or the access of an operator, that someone else is an operator.
/// Of two operators who remove each other concurrently, the second one sees what the first one did. The rows of both are
/// locked before this, so nothing that holds this lock waits for a row.
///
/// # Errors
/// If nobody else is one and the caller is not the command line, or the database cannot be reached.
pub(crate) async fn keeps_one(
    tx: &mut Tx,
    caller: &Caller,
    user_id: UserId,
) -> Result<Result<(), LastOperator>, StorageError> {
    if caller.actor == Actor::CommandLine {
        return Ok(Ok(()));
    }
    if let On::Postgres(c) = tx.on() {
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
        lock.execute(c).await?;
    }
    let has_another = on!(tx.on(), c => sqlx::query(OTHERS)
        .bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?;
    Ok(has_another.then_some(()).ok_or(LastOperator))
}

/// Returns whether someone other than this user is an operator who can sign in.
///
/// # Errors
/// If the database cannot be reached.
pub async fn has_another(engine: &Engine, user_id: UserId) -> Result<bool, StorageError> {
    Ok(on!(engine.db.read(), c => sqlx::query(OTHERS)
        .bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?)
}
