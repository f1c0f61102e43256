//! What was counted last.

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, places},
    id::{AgentId, KeyId},
    outcome::Outcome,
    time::Timestamp,
};

use super::{
    ids::{self, Named, kind},
    resolution::{HOURS, MINUTES, Resolution},
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

/// Like [`last_passed_of_agent`], for several agents. Those without such a request are omitted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn last_passed_of_agents(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    agents: &[AgentId],
) -> Result<HashMap<AgentId, Timestamp>, StorageError> {
    if agents.is_empty() {
        return Ok(HashMap::new());
    }
    // A look-up in each table ends with the first count.
    let last = |resolution: &Resolution| {
        format!(
            "(SELECT CAST(starts_at AS BIGINT) FROM {} WHERE subject = usage_subjects.id AND outcome = $3 \
             ORDER BY starts_at DESC LIMIT 1)",
            resolution.table
        )
    };
    let sql = format!(
        "SELECT ref_id, {}, {} FROM usage_subjects WHERE org_id = $1 AND kind = $2 AND ref_id IN ({})",
        last(&MINUTES),
        last(&HOURS),
        places(4, agents.len())
    );
    let rows: Vec<(String, Option<i64>, Option<i64>)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id()).bind(kind::AGENT)
            .bind(Outcome::Valid.number());
        for agent in agents {
            query = query.bind(agent.to_string());
        }
        query.fetch_all(c).await
    })?;
    let last = rows.into_iter().filter_map(|(id, minute, hour)| {
        let minute = minute.map(|step| MINUTES.start(step));
        let at = minute.or(hour.map(|step| HOURS.start(step)))?;
        Some((id, at))
    });
    let last: HashMap<String, Timestamp> = last.collect();
    let of_agent = |id: &AgentId| Some((*id, *last.get(&id.to_string())?));
    Ok(agents.iter().filter_map(of_agent).collect())
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
