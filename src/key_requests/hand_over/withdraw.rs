//! Withdrawing a new secret that nobody has revealed.

use super::{ended::last_event, row::creator};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::KeyId,
};

/// Why nothing was withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// The member has revealed the new secret.
    #[error("The new secret was already revealed. To end it, rotate the key.")]
    Revealed,
    /// Nothing waits for a member.
    #[error("No new secret of this key waits to be revealed. No action is needed.")]
    NoneOpen,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(WithdrawError);

/// Withdraws the new secret of a key that waits for a member. The key stays as it is. Withdrawing twice is the same as once.
///
/// # Errors
/// [`WithdrawError`]. Nothing is changed then.
pub async fn withdraw(
    engine: &Engine,
    permit: &Permit<to::RotateKeys>,
    id: KeyId,
) -> Result<(), WithdrawError> {
    const SQL: &str =
        "DELETE FROM key_hand_overs WHERE org_id = $1 AND key_id = $2 AND expires_at > $3";
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let mut change = engine.change(permit).await?;
    creator(change.tx(), org_id, id)
        .await?
        .ok_or(WithdrawError::NotFound)?;
    let ended = on!(change.on(), c => sqlx::query(SQL).bind(org_id).bind(id).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if ended == 0 {
        return match last_event(change.tx(), org_id, id).await? {
            Some((Event::KeyRotationWithdrawn, _)) => Ok(()),
            Some((Event::KeyRotated, _)) => Err(WithdrawError::Revealed),
            _ => Err(WithdrawError::NoneOpen),
        };
    }
    let withdrawn = Happened::new(Event::KeyRotationWithdrawn, Target::Key(id));
    Ok(change.commit(withdrawn).await?)
}
