//! Bulk changes of key status. All keys that can be changed are changed in one transaction, and the outcome of each is
//! reported.

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

/// The maximum number of keys in a bulk change.
pub const MOST_AT_ONCE: usize = 500;

/// The outcome for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkOutcome {
    /// The key was changed.
    Done,
    /// The key's status does not allow the change.
    WrongState(Status),
    /// The org has no such key.
    NotFound,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// More than [`MOST_AT_ONCE`] keys.
    #[error("Select at most 500 keys.")]
    TooMany,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(BulkError);

/// Disables the active keys among `ids`.
///
/// # Errors
/// If there are too many keys or the database fails. Nothing is changed then.
pub async fn disable_many(
    engine: &Engine,
    permit: &Permit<to::DisableKeys>,
    ids: &[KeyId],
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    change_many(engine, permit, ids, StateChange::Disable).await
}

/// Permanently revokes the keys among `ids` that are not revoked yet.
///
/// # Errors
/// If there are too many keys or the database fails. Nothing is changed then.
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
    // Deduplicate and sort the IDs: concurrent changes of the same keys lock them in the same order and cannot
    // deadlock.
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
            // An ID without a known revision is never outdated.
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
