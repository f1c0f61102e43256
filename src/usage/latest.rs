//! What was counted last.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::{AgentId, KeyId},
    outcome::Outcome,
    time::Timestamp,
};

use super::{
    ids::{self, Named},
    resolution::{HOURS, MINUTES},
};

/// Returns when a request with a key was last rejected or limited, to the minute, or to the hour after two days. `None`
/// if that was never the case, or more than 90 days ago.
///
/// # Errors
/// If the database cannot be reached.
pub async fn last_refused(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key_id: KeyId,
) -> Result<Option<Timestamp>, StorageError> {
    last(engine, permit, Named::Key(key_id), "<>").await
}

/// Returns when a request with the public ID of an agent in place of a key last passed, to the same precision.
///
/// # Errors
/// If the database cannot be reached.
pub async fn last_passed_of_agent(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    agent_id: AgentId,
) -> Result<Option<Timestamp>, StorageError> {
    last(engine, permit, Named::Agent(agent_id), "=").await
}

/// When an outcome was last counted that is or is not `VALID`.
async fn last(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    named: Named,
    compared: &str,
) -> Result<Option<Timestamp>, StorageError> {
    let Some(subject) = ids::of_subject(engine, permit.org_id(), named).await? else {
        return Ok(None);
    };
    for resolution in [MINUTES, HOURS] {
        let sql = format!(
            "SELECT CAST(starts_at AS BIGINT) FROM {} WHERE subject = $1 AND outcome {compared} $2 \
             ORDER BY starts_at DESC LIMIT 1",
            resolution.table
        );
        let last: Option<i64> = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(subject).bind(Outcome::Valid.number()).fetch_optional(c).await)?;
        if let Some(step) = last {
            return Ok(Some(resolution.start(step)));
        }
    }
    Ok(None)
}

/// Returns `VALID` if any request of an org was ever valid, as long as counts are kept; otherwise the outcome of one of the
/// last minute with requests, or `None` if there were none within two days.
///
/// # Errors
/// If the database cannot be reached.
pub async fn best_outcome(
    engine: &Engine,
    permit: &Permit<to::SeeUsageTotals>,
) -> Result<Option<Outcome>, StorageError> {
    const VALID: &str = "SELECT CAST(outcome AS BIGINT) FROM usage_days WHERE subject = $1 AND outcome = $2 LIMIT 1";
    const LAST: &str = "SELECT CAST(outcome AS BIGINT) FROM usage_minutes WHERE subject = $1 \
         ORDER BY starts_at DESC LIMIT 1";
    let Some(subject) = ids::of_subject(engine, permit.org_id(), Named::Org).await? else {
        return Ok(None);
    };
    let valid: Option<i64> = on!(engine.db.read(), c => sqlx::query_scalar(VALID)
        .bind(subject).bind(Outcome::Valid.number()).fetch_optional(c).await)?;
    let last = match valid {
        Some(valid) => Some(valid),
        None => on!(engine.db.read(), c => sqlx::query_scalar(LAST)
            .bind(subject).fetch_optional(c).await)?,
    };
    last.map(Outcome::of_number).transpose()
}
