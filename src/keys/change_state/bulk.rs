//! The same change of many keys at once: all that can be changed are, in one transaction, and of each it is said what
//! became of it.

use std::collections::BTreeSet;

use crate::{
    Engine,
    access::{Permit, to},
    change::Events,
    fault::{Fault, from_fault},
    id::KeyId,
    key::{RevokeReason, Status},
};

use super::{ChangeStateError, StateChange, change_in};

/// The most keys that are changed at once.
pub const MOST_AT_ONCE: usize = 500;

/// What became of one of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkOutcome {
    /// It was changed.
    Done,
    /// Its state does not allow the change.
    WrongState(Status),
    /// The org has no such key.
    NotFound,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// More keys than are changed at once.
    #[error("Select at most 500 keys.")]
    TooMany,
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(BulkError);

/// Switches off those of the keys that are active.
///
/// # Errors
/// When there are too many, or the database fails; nothing is changed then.
pub async fn disable_many(
    engine: &Engine,
    permit: &Permit<to::DisableKeys>,
    ids: &[KeyId],
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    change_many(engine, permit, ids, StateChange::Disable).await
}

/// Ends those of the keys that are not revoked yet for good.
///
/// # Errors
/// When there are too many, or the database fails; nothing is changed then.
pub async fn revoke_many(
    engine: &Engine,
    permit: &Permit<to::RevokeKeys>,
    ids: &[KeyId],
    reason: RevokeReason,
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    change_many(engine, permit, ids, StateChange::Revoke(reason)).await
}

async fn change_many<A>(
    engine: &Engine,
    permit: &Permit<A>,
    ids: &[KeyId],
    state: StateChange,
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    // Each once, and always in the same order: two who change the same keys at once wait for each other, not forever.
    let ids: BTreeSet<KeyId> = ids.iter().copied().collect();
    if ids.len() > MOST_AT_ONCE {
        return Err(BulkError::TooMany);
    }
    let now = engine.clock.now();
    let mut change = engine.change(permit).await?;
    let (mut outcomes, mut changed) = (Vec::with_capacity(ids.len()), Vec::new());
    for id in ids {
        let outcome = match change_in(change.tx(), permit.org_id(), &id.into(), &state, now).await {
            Ok(happened) => {
                changed.push(happened);
                BulkOutcome::Done
            }
            Err(ChangeStateError::WrongState(status)) => BulkOutcome::WrongState(status),
            // An id alone, of which nothing is known, is never outdated.
            Err(ChangeStateError::NotFound | ChangeStateError::ChangedMeanwhile) => {
                BulkOutcome::NotFound
            }
            Err(ChangeStateError::Fault(fault)) => return Err(fault.into()),
        };
        outcomes.push((id, outcome));
    }
    if let Some(events) = Events::several(changed) {
        change.commit(events).await?;
    }
    Ok(outcomes)
}
