//! Withdrawing what a review asks of the owners.

use crate::{
    Engine,
    access::{Permit, to},
    caller::Actor,
    change::Happened,
    db::{on, select_locked},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, ReviewId},
    time::Timestamp,
};

use super::{Aspect, Verdict};

/// Why a request was not withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The org has no such review.
    #[error("The review was not found.")]
    NotFound,
    /// Someone else asked.
    #[error("Only the reviewer who asked can withdraw a request.")]
    NotYours,
    /// It asks for nothing, or for nothing that is still open.
    #[error("This request is no longer open: it was done, answered, or ended by another review.")]
    NotOpen,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(WithdrawError);

#[derive(sqlx::FromRow)]
struct Row {
    key_id: KeyId,
    verdict: Verdict,
    aspect: Option<Aspect>,
    actor_kind: String,
    actor_id: Option<String>,
    superseded_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
    done_at: Option<Timestamp>,
    answered_at: Option<Timestamp>,
}

/// Withdraws a request of the caller that is open, so that the key is to be reviewed again. Tokens act for the operator, so each
/// withdraws what another one asked. Withdrawing twice is the same as once.
///
/// # Errors
/// [`WithdrawError`]. Nothing is changed then.
pub async fn withdraw(
    engine: &Engine,
    permit: &Permit<to::ReviewKeys>,
    id: ReviewId,
) -> Result<(), WithdrawError> {
    let (now, org_id) = (engine.clock.now(), permit.org_id());
    let mut change = engine.change(permit).await?;
    let row: Option<Row> = select_locked!(
        change.tx(),
        "SELECT key_id, verdict, aspect, actor_kind, actor_id, superseded_at, withdrawn_at, done_at, answered_at \
         FROM reviews WHERE org_id = $1 AND id = $2",
        org_id,
        id
    )?;
    let row = row.ok_or(WithdrawError::NotFound)?;
    let actor = permit.caller().actor;
    let is_same_kind = row.actor_kind == actor.kind();
    let is_own = is_same_kind && (matches!(actor, Actor::Token(_)) || row.actor_id == actor.id());
    if !is_own {
        return Err(WithdrawError::NotYours);
    }
    if row.withdrawn_at.is_some() {
        return Ok(());
    }
    let done_at = row.done_at.filter(|at| *at <= now);
    let is_closed = row.superseded_at.or(done_at).or(row.answered_at);
    if !row.verdict.is_ask() || is_closed.is_some() {
        return Err(WithdrawError::NotOpen);
    }
    const WITHDRAW: &str =
        "UPDATE reviews SET withdrawn_at = $1, superseded_at = $1 WHERE org_id = $2 AND id = $3";
    on!(change.on(), c => sqlx::query(WITHDRAW)
        .bind(now).bind(org_id).bind(id).execute(c).await.map(drop))?;
    let withdrawn = Happened::new(Event::ReviewWithdrawn, Target::Key(row.key_id))
        .changed("asked", Some(row.verdict.as_str()), None::<&str>)
        .changed("aspect", row.aspect.map(Aspect::as_str), None::<&str>);
    Ok(change.commit(withdrawn).await?)
}
