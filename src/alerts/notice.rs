//! Finds the keys that stand out, from the stored counts.

use std::collections::HashMap;

use crate::{
    Engine,
    db::{StorageError, on, places},
    id::{KeyId, OrgId},
    outcome::Outcome,
    time::Timestamp,
    usage::{ids, resolution::DAYS},
};

use super::{
    rule::{MAX_PAST, Measure, Thresholds, stands_out},
    settings,
};

/// The maximum number of keys of an organization that are compared with their past, those with the highest share of their
/// month in the last 24 hours first. So an organization has at most as many alerts a day for each measure.
const MAX_KEYS: i64 = 100;

/// A key whose last 24 hours can stand out.
#[derive(Debug, sqlx::FromRow)]
struct Candidate {
    subject: i64,
    key_id: KeyId,
    created_at: Timestamp,
    count: i64,
}

/// Stores an alert for each key that stands out in its last 24 hours, one for each day (UTC). To be called every few
/// minutes; on several instances, each stores the same.
///
/// # Errors
/// If the database cannot be reached.
pub async fn notice(engine: &Engine) -> Result<(), StorageError> {
    const ORGS: &str = "SELECT id FROM orgs WHERE deleted_at IS NULL ORDER BY id";
    let orgs: Vec<OrgId> = on!(engine.db.read(), c => sqlx::query_scalar(ORGS).fetch_all(c).await)?;
    for org_id in orgs {
        let Some(subject) = ids::of_org(engine, org_id).await? else {
            continue;
        };
        let thresholds = settings::of_org(engine, org_id).await?.thresholds;
        for measure in Measure::ALL {
            notice_in(engine, (org_id, subject), measure, &thresholds).await?;
        }
    }
    Ok(())
}

async fn notice_in(
    engine: &Engine,
    (org_id, subject): (OrgId, i64),
    measure: Measure,
    thresholds: &Thresholds,
) -> Result<(), StorageError> {
    const INSERT: &str = "INSERT INTO alerts (org_id, key_id, measure, day, count, usual, noticed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, key_id, measure, day) DO UPDATE SET \
         count = CASE WHEN excluded.count > alerts.count THEN excluded.count ELSE alerts.count END";
    let candidates = candidates(engine, (org_id, subject), measure, thresholds).await?;
    if candidates.is_empty() {
        return Ok(());
    }
    let now = engine.clock.now();
    let today = DAYS.step(now);
    // The last 24 hours are in today and yesterday.
    let (first, end) = (today - 1 - MAX_PAST as i64, today - 1);
    let days = days(engine, &candidates, measure, (first, end)).await?;
    for candidate in candidates {
        let first = first.max(DAYS.step(candidate.created_at));
        let of_day = |day| days.get(&(candidate.subject, day)).copied().unwrap_or(0);
        let past: Vec<i64> = (first..end).map(of_day).collect();
        if let Some(usual) = stands_out(candidate.count, &past, thresholds, measure) {
            on!(engine.db.write_unrecorded(), c => sqlx::query(INSERT)
                .bind(org_id).bind(candidate.key_id).bind(measure.to_string()).bind(today)
                .bind(candidate.count).bind(usual).bind(now).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// What is counted of a row with an outcome.
fn counted(measure: Measure, column: &str) -> String {
    match measure {
        Measure::Requests => column.to_owned(),
        Measure::Rejected => format!(
            "CASE WHEN outcome = {} THEN 0 ELSE {column} END",
            Outcome::Valid.number()
        ),
    }
}

/// The keys with the minimum in the last 24 hours that were used before.
async fn candidates(
    engine: &Engine,
    (org_id, org): (OrgId, i64),
    measure: Measure,
    thresholds: &Thresholds,
) -> Result<Vec<Candidate>, StorageError> {
    let (day, month) = (counted(measure, "h24"), counted(measure, "d30"));
    let sql = format!(
        "SELECT busiest.subject, keys.id AS key_id, keys.created_at, busiest.count FROM \
         (SELECT CAST(subject AS BIGINT) AS subject, CAST(SUM({day}) AS BIGINT) AS count, \
         SUM({day}) * 1.0 / (SUM({month}) + 1) AS share \
         FROM usage_totals WHERE org = $1 AND kind = $2 GROUP BY subject \
         HAVING SUM({day}) >= $3 AND SUM(m24) > SUM(h24) ORDER BY 3 DESC LIMIT $4) AS busiest \
         JOIN usage_subjects AS subjects ON subjects.id = busiest.subject \
         JOIN keys ON keys.id = subjects.ref_id AND keys.org_id = $5 ORDER BY keys.id"
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(org).bind(ids::kind::KEY).bind(thresholds.minimum(measure)).bind(MAX_KEYS).bind(org_id)
        .fetch_all(c).await)?,
    )
}

/// The counts of the candidates by subject and day, from the first day to the one before `end`.
async fn days(
    engine: &Engine,
    candidates: &[Candidate],
    measure: Measure,
    (first, end): (i64, i64),
) -> Result<HashMap<(i64, i64), i64>, StorageError> {
    let sql = format!(
        "SELECT CAST(subject AS BIGINT), CAST(starts_at AS BIGINT), CAST(SUM({}) AS BIGINT) FROM usage_days \
         WHERE starts_at >= $1 AND starts_at < $2 AND subject IN ({}) GROUP BY subject, starts_at",
        counted(measure, "count"),
        places(3, candidates.len())
    );
    let rows: Vec<(i64, i64, i64)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(false).bind(first).bind(end);
        for candidate in candidates {
            query = query.bind(candidate.subject);
        }
        query.fetch_all(c).await
    })?;
    Ok(rows
        .into_iter()
        .map(|(subject, day, count)| ((subject, day), count))
        .collect())
}
