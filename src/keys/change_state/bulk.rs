//! Bulk changes of key status. All keys that can be changed are changed in one transaction, and the outcome of each is
//! reported.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    Engine,
    access::{Permit, to},
    change::Events,
    fault::{Fault, from_fault},
    id::KeyId,
    key::{RevokeReason, Status},
    time::Timestamp,
};

use super::{
    super::list::{KeyQuery, ids_matching},
    ChangeStateError, StateChange, change_in,
};

/// The maximum number of keys in a bulk change.
pub const MOST_AT_ONCE: usize = 500;

/// The keys of a bulk change.
#[derive(Debug, Clone, Copy)]
pub enum Chosen<'a> {
    /// These keys.
    Keys(&'a [KeyId]),
    /// All keys that a query matches, on all pages. They are resolved in the transaction of the change.
    Matching {
        /// The filters.
        query: &'a KeyQuery,
        /// The [`fingerprint`] of the keys that the user has confirmed.
        expected: &'a str,
    },
}

impl<'a, K: AsRef<[KeyId]> + ?Sized> From<&'a K> for Chosen<'a> {
    fn from(keys: &'a K) -> Self {
        Self::Keys(keys.as_ref())
    }
}

/// A digest of a set of keys, by which a confirmation notices that other keys match than those that it named.
pub fn fingerprint<'k>(ids: impl IntoIterator<Item = &'k KeyId>) -> String {
    let ids: BTreeSet<KeyId> = ids.into_iter().copied().collect();
    let mut digest = Sha256::new();
    for id in ids {
        digest.update(id.to_string());
    }
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

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
    /// Other keys match than those that the user has confirmed.
    #[error("Other keys match now. Check them again.")]
    OthersMatch,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(BulkError);

/// Disables the active keys among the chosen ones.
///
/// # Errors
/// If there are too many keys or the database fails. Nothing is changed then.
pub async fn disable_many<'a>(
    engine: &Engine,
    permit: &Permit<to::DisableKeys>,
    chosen: impl Into<Chosen<'a>>,
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    change_many(engine, permit, chosen.into(), StateChange::Disable).await
}

/// Enables the disabled keys among the chosen ones, or those that were disabled at this time.
///
/// # Errors
/// If there are too many keys or the database fails. Nothing is changed then.
pub async fn enable_many<'a>(
    engine: &Engine,
    permit: &Permit<to::DisableKeys>,
    chosen: impl Into<Chosen<'a>>,
    disabled_at: Option<Timestamp>,
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    change_many(
        engine,
        permit,
        chosen.into(),
        StateChange::Enable(disabled_at),
    )
    .await
}

/// Permanently revokes the keys among the chosen ones that are not revoked yet.
///
/// # Errors
/// If there are too many keys or the database fails. Nothing is changed then.
pub async fn revoke_many<'a>(
    engine: &Engine,
    permit: &Permit<to::RevokeKeys>,
    chosen: impl Into<Chosen<'a>>,
    reason: RevokeReason,
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    change_many(engine, permit, chosen.into(), StateChange::Revoke(reason)).await
}

async fn change_many<A>(
    engine: &Engine,
    permit: &Permit<A>,
    chosen: Chosen<'_>,
    state: StateChange,
) -> Result<Vec<(KeyId, BulkOutcome)>, BulkError> {
    let now = engine.clock.now();
    let mut change = engine.change(permit).await?;
    let org_id = permit.org_id();
    // Deduplicated and sorted: concurrent changes of the same keys lock them in the same order and cannot deadlock.
    let ids: BTreeSet<KeyId> = match chosen {
        Chosen::Keys(ids) => ids.iter().copied().collect(),
        Chosen::Matching { query, .. } => {
            let ids = ids_matching(engine, change.tx(), org_id, query, MOST_AT_ONCE + 1).await?;
            ids.into_iter().collect()
        }
    };
    if ids.len() > MOST_AT_ONCE {
        return Err(BulkError::TooMany);
    }
    if matches!(chosen, Chosen::Matching { expected, .. } if expected != fingerprint(&ids)) {
        return Err(BulkError::OthersMatch);
    }
    let (mut outcomes, mut changed) = (Vec::with_capacity(ids.len()), Vec::new());
    for id in ids {
        let outcome = match change_in(change.tx(), org_id, &id.into(), &state, now).await {
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
