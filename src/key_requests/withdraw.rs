//! Withdrawing a request.

use super::{State, row};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::KeyRequestId,
    orgs,
};

/// Why a request was not withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The caller has made no such request in the organization.
    #[error("This request was not found.")]
    NotFound,
    /// The request has ended.
    #[error("This request can no longer be withdrawn.")]
    Ended(State),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(WithdrawError);

/// Withdraws a request of the caller that is open, or approved and not yet used. Withdrawing twice is the same as once.
///
/// # Errors
/// [`WithdrawError`]. Nothing is changed then.
pub async fn withdraw(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    id: KeyRequestId,
) -> Result<(), WithdrawError> {
    const SQL: &str =
        "UPDATE key_requests SET state = 'withdrawn', ended_at = $3 WHERE org_id = $1 AND id = $2";
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let mut change = engine.change(permit).await?;
    orgs::lock(change.tx(), org_id).await?;
    let request = row::find(change.tx(), org_id, id, now).await?;
    let caller = permit.caller().actor.user_id();
    let request = request.filter(|request| Some(request.requester.0) == caller);
    match request.ok_or(WithdrawError::NotFound)?.state {
        State::Open | State::Approved => {}
        State::Withdrawn => return Ok(()),
        state => return Err(WithdrawError::Ended(state)),
    }
    on!(change.on(), c => sqlx::query(SQL).bind(org_id).bind(id).bind(now).execute(c).await.map(drop))?;
    let withdrawn = Happened::new(Event::KeyRequestWithdrawn, Target::KeyRequest(id));
    Ok(change.commit(withdrawn).await?)
}
