//! Changing what was asked for.

use super::{
    DecideError, State, Wanted,
    ask::{check, with_project},
    decide::to_decide,
    row::{stored, stored_settings},
};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    id::KeyRequestId,
    orgs::{self, policies},
};

/// Changes the key of an open request, and keeps what was asked for at first. `version` is that of the request that the owner has seen.
///
/// # Errors
/// [`DecideError`]. Nothing is changed then.
pub async fn edit(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
    id: KeyRequestId,
    version: i64,
    wanted: Wanted,
) -> Result<(), DecideError> {
    // An approval that no longer counts must not come back for other settings.
    const SQL: &str = "UPDATE key_requests SET name = $3, kind = $4, environment = $5, settings = $6, expires_in_days = $7, \
         changed_by = $8, version = version + 1, state = 'open', decided_by = NULL, decided_at = NULL, comment = '', \
         approved_until = NULL, asked = COALESCE(asked, $9) WHERE org_id = $1 AND id = $2";
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let policy = policies::of_org(engine, permit.org_id()).await?;
    let wanted =
        check((engine.convention(), &policy), wanted, now).map_err(DecideError::Invalid)?;
    let mut change = engine.change(permit).await?;
    orgs::lock(change.tx(), org_id).await?;
    let (before, owner) = to_decide(&mut change, permit, id, now).await?;
    if before.state != State::Open {
        return Err(DecideError::Ended(before.state));
    }
    let wanted = with_project(&mut change, org_id, wanted).await;
    let wanted = wanted.map_err(DecideError::Invalid)?;
    let updated = Happened::new(Event::KeyRequestUpdated, Target::KeyRequest(id));
    let updated = before.wanted.differences(&wanted, updated);
    // Also if the same form has done it before.
    if updated.changes.is_empty() {
        return Ok(());
    }
    if before.version != version {
        return Err(DecideError::ChangedMeanwhile);
    }
    let settings = &wanted.settings;
    on!(change.on(), c => sqlx::query(SQL)
        .bind(org_id).bind(id).bind(&settings.name).bind(wanted.kind).bind(wanted.environment)
        .bind(stored_settings(settings)).bind(wanted.days().map(i64::from)).bind(owner).bind(stored(&before.wanted))
        .execute(c).await.map(drop))?;
    Ok(change.commit(updated).await?)
}
