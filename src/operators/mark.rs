//! Marking users as operators.

use crate::{
    Engine,
    access::{Operator, operator_still_is},
    change::Happened,
    db::{StorageError, Tx, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    time::Timestamp,
};

use super::last::{LastOperator, keeps_one};

/// Why a user was not marked.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// There is no such user.
    #[error("This person has no account.")]
    NotFound,
    /// The user is marked already, or was not marked.
    #[error("Nothing was changed: {}.", if *.is_operator { "this person is an operator already" } else { "this person is not an operator" })]
    Unchanged {
        /// Whether the user is an operator.
        is_operator: bool,
    },
    /// Nobody else is an operator.
    #[error(transparent)]
    Last(#[from] LastOperator),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(MarkError);

/// Marks a user as an operator. Takes effect on their next request.
///
/// # Errors
/// If there is no such user, or they are an operator already.
pub async fn mark(engine: &Engine, operator: &Operator, user_id: UserId) -> Result<(), MarkError> {
    let mut change = engine.change_instance(operator).await?;
    match mark_in(change.tx(), user_id, engine.clock.now()).await? {
        Some(happened) => Ok(change.commit(happened).await?),
        None => Err(unchanged(change.tx(), user_id).await?),
    }
}

/// Removes the mark of an operator. Takes effect on their next request.
///
/// # Errors
/// If there is no such user, or they are not an operator, or nobody else is one and the caller is not the command line.
pub async fn unmark(
    engine: &Engine,
    operator: &Operator,
    user_id: UserId,
) -> Result<(), MarkError> {
    const SQL: &str =
        "UPDATE users SET operator_since = NULL WHERE id = $1 AND operator_since IS NOT NULL";
    let mut change = engine.change_instance(operator).await?;
    let removed = on!(change.on(), c => sqlx::query(SQL)
        .bind(user_id).execute(c).await.map(|done| done.rows_affected()))?;
    if removed == 0 {
        return Err(unchanged(change.tx(), user_id).await?);
    }
    let caller = operator.caller();
    keeps_one(change.tx(), caller, user_id).await??;
    // Another operator may have removed the caller while this waited for them.
    if caller.actor.user_id() != Some(user_id) {
        operator_still_is(change.tx(), caller, engine.clock.now()).await?;
    }
    let happened = Happened::new(Event::OperatorRemoved, Target::User(user_id));
    Ok(change.commit(happened).await?)
}

/// Marks a user within a transaction. Returns what happened, for the log of the instance, unless they are marked already or
/// there is no such user.
pub(crate) async fn mark_in(
    tx: &mut Tx,
    user_id: UserId,
    now: Timestamp,
) -> Result<Option<Happened>, StorageError> {
    const SQL: &str = "UPDATE users SET operator_since = $1 \
         WHERE id = $2 AND operator_since IS NULL AND deleted_at IS NULL";
    let marked = on!(tx.on(), c => sqlx::query(SQL)
        .bind(now).bind(user_id).execute(c).await.map(|done| done.rows_affected()))?;
    let happened = Happened::new(Event::OperatorAdded, Target::User(user_id)).in_instance();
    Ok((marked == 1).then_some(happened))
}

async fn unchanged(tx: &mut Tx, user_id: UserId) -> Result<MarkError, StorageError> {
    const SQL: &str = "SELECT operator_since FROM users WHERE id = $1 AND deleted_at IS NULL";
    let found: Option<Option<Timestamp>> = on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(user_id).fetch_optional(c).await)?;
    Ok(match found {
        None => MarkError::NotFound,
        Some(since) => MarkError::Unchanged {
            is_operator: since.is_some(),
        },
    })
}
