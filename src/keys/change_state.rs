//! Disabling, enabling and revoking keys. A change takes effect on this instance before the response is sent, and on
//! every other instance within one second.

mod bulk;

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{Tx, on, select_locked},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, OrgId},
    key::{Lifecycle, RevokeReason, Status},
    revision::AsKnown,
    time::Timestamp,
};

use super::revision::is_outdated;

pub use bulk::{
    BulkError, BulkOutcome, Chosen, MOST_AT_ONCE, disable_many, enable_many, fingerprint,
    revoke_many,
};

/// Why a key's status was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeStateError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// The key's status does not allow the change.
    #[error(
        "This key is {0}, so this change is not possible. Reload the page to see its current status."
    )]
    WrongState(Status),
    /// Someone else changed the key after the caller read it.
    #[error("Someone else changed this key in the meantime.")]
    ChangedMeanwhile,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ChangeStateError);

enum StateChange {
    Disable,
    /// Only what was disabled at this time, if there is one.
    Enable(Option<Timestamp>),
    Revoke(RevokeReason),
}

impl StateChange {
    const fn event(&self) -> Event {
        match self {
            Self::Disable => Event::KeyDisabled,
            Self::Enable(_) => Event::KeyEnabled,
            Self::Revoke(_) => Event::KeyRevoked,
        }
    }

    /// Returns the timestamps after the change, or the status that forbids it.
    fn apply(
        &self,
        mut lifecycle: Lifecycle,
        now: Timestamp,
    ) -> Result<(Lifecycle, Option<RevokeReason>), Status> {
        let status = lifecycle.status(now);
        match (self, status) {
            (Self::Disable, Status::Active) => lifecycle.disabled_at = Some(now),
            (Self::Enable(at), Status::Disabled)
                if at.is_none() || *at == lifecycle.disabled_at =>
            {
                lifecycle.disabled_at = None
            }
            (Self::Revoke(_), Status::Active | Status::Disabled | Status::Expired) => {
                lifecycle.revoked_at = Some(now)
            }
            _ => return Err(status),
        }
        let reason = match self {
            Self::Revoke(reason) => Some(*reason),
            Self::Disable | Self::Enable(_) => None,
        };
        Ok((lifecycle, reason))
    }
}

/// Disables an active key.
///
/// # Errors
/// If the key is not active or was changed in the meantime.
pub async fn disable(
    engine: &Engine,
    permit: &Permit<to::DisableKeys>,
    key: impl Into<AsKnown<KeyId>>,
) -> Result<(), ChangeStateError> {
    change(engine, permit, key.into(), StateChange::Disable).await
}

/// Enables a disabled key.
///
/// # Errors
/// If the key is not disabled or was changed in the meantime.
pub async fn enable(
    engine: &Engine,
    permit: &Permit<to::DisableKeys>,
    key: impl Into<AsKnown<KeyId>>,
) -> Result<(), ChangeStateError> {
    change(engine, permit, key.into(), StateChange::Enable(None)).await
}

/// Enables a key that was disabled at this time, to undo that: someone else can have disabled it again since.
///
/// # Errors
/// If the key is not disabled, or was disabled at another time.
pub async fn enable_again(
    engine: &Engine,
    permit: &Permit<to::DisableKeys>,
    key: KeyId,
    disabled_at: Timestamp,
) -> Result<(), ChangeStateError> {
    let change_of = StateChange::Enable(Some(disabled_at));
    change(engine, permit, key.into(), change_of).await
}

/// Revokes a key permanently.
///
/// # Errors
/// If the key is already revoked or was changed in the meantime.
pub async fn revoke(
    engine: &Engine,
    permit: &Permit<to::RevokeKeys>,
    key: impl Into<AsKnown<KeyId>>,
    reason: RevokeReason,
) -> Result<(), ChangeStateError> {
    change(engine, permit, key.into(), StateChange::Revoke(reason)).await
}

async fn change<A>(
    engine: &Engine,
    permit: &Permit<A>,
    key: AsKnown<KeyId>,
    state: StateChange,
) -> Result<(), ChangeStateError> {
    let now = engine.clock.now();
    let mut change = engine.change(permit).await?;
    let happened = change_in(change.tx(), permit.org_id(), &key, &state, now).await?;
    Ok(change.commit(happened).await?)
}

/// Changes a key within a transaction and returns the event.
async fn change_in(
    tx: &mut Tx,
    org_id: OrgId,
    key: &AsKnown<KeyId>,
    state: &StateChange,
    now: Timestamp,
) -> Result<Happened, ChangeStateError> {
    let AsKnown { id, ref known } = *key;
    let lifecycle: Option<Lifecycle> = select_locked!(
        tx,
        "SELECT expires_at, disabled_at, revoked_at FROM keys WHERE org_id = $1 AND id = $2",
        org_id,
        id
    )?;
    let lifecycle = lifecycle.ok_or(ChangeStateError::NotFound)?;
    let (after, reason) = state
        .apply(lifecycle, now)
        .map_err(ChangeStateError::WrongState)?;
    if is_outdated(tx, org_id, id, known).await? {
        return Err(ChangeStateError::ChangedMeanwhile);
    }
    const UPDATE: &str = "UPDATE keys SET disabled_at = $1, revoked_at = $2, revoke_reason = $3 \
         WHERE org_id = $4 AND id = $5";
    on!(tx.on(), c => sqlx::query(UPDATE)
        .bind(after.disabled_at).bind(after.revoked_at).bind(reason).bind(org_id).bind(id).execute(c).await.map(drop))?;
    let happened = Happened::new(state.event(), Target::Key(id));
    Ok(happened.changed(
        "reason",
        None::<String>,
        reason.map(|reason| reason.to_string()),
    ))
}
