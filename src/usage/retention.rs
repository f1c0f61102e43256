//! Retention of usage counts (design §7).

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Engine,
    db::{StorageError, on},
    time::{DAY, Timestamp},
};

use super::{resolution::Resolution, roll, seen};

/// How long the domains that used a key are kept, in milliseconds.
const DOMAINS_KEPT_FOR: i64 = 90 * DAY;
/// How long batch numbers are kept, in milliseconds: far longer than a flush is retried.
const BATCHES_KEPT_FOR: i64 = DAY;
/// Rows that one statement deletes, and subjects among which it looks for them.
const ROWS_AT_ONCE: u64 = 1_000;
const SUBJECTS_AT_ONCE: i64 = 500;
/// The pause between two statements, in which others write.
const PAUSE: Duration = Duration::from_millis(5);

/// Deletes counts past their retention period.
///
/// # Errors
/// If the database cannot be reached. The next call continues.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    let (now, kept) = (engine.clock.now(), engine.usage_kept);
    // Before the counts are deleted that the sums are computed from.
    roll::roll(engine).await?;
    for (resolution, kept_for) in kept.periods() {
        delete_before(
            engine,
            resolution,
            resolution.first_step(now.plus(-kept_for)),
        )
        .await?;
    }
    delete_unseen(engine, now.plus(-seen::KEPT_FOR)).await?;
    const DELETE_DOMAINS: &str = "DELETE FROM usage_domains WHERE starts_at < $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE_DOMAINS)
        .bind(now.plus(-DOMAINS_KEPT_FOR)).execute(c).await.map(drop))?;
    const DELETE_BATCHES: &str = "DELETE FROM usage_batches WHERE flushed_at < $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE_BATCHES)
        .bind(now.plus(-BATCHES_KEPT_FOR)).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes what requests came with that was not seen since a time, some subjects at a time.
async fn delete_unseen(engine: &Engine, time: Timestamp) -> Result<(), StorageError> {
    const LAST: &str = "SELECT CAST(COALESCE(MAX(subject), 0) AS BIGINT) FROM usage_seen";
    const OLD: &str = "SELECT EXISTS (SELECT 1 FROM usage_seen WHERE subject >= $1 AND subject < $2 AND last_at < $3)";
    const DELETE: &str =
        "DELETE FROM usage_seen WHERE subject >= $1 AND subject < $2 AND last_at < $3";
    let last: i64 = on!(engine.db.read(), c => sqlx::query_scalar(LAST).fetch_one(c).await)?;
    let mut first = 0;
    while first <= last {
        let end = first + SUBJECTS_AT_ONCE;
        let has_old: bool = on!(engine.db.read(), c => sqlx::query_scalar(OLD)
            .bind(first).bind(end).bind(time).fetch_one(c).await)?;
        if has_old {
            on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE)
                .bind(first).bind(end).bind(time).execute(c).await.map(drop))?;
            sleep(PAUSE).await;
        }
        first = end;
    }
    Ok(())
}

/// Deletes the counts before a step, in the order of the primary key: the table has no index by time, which would take as
/// much space as the counts.
async fn delete_before(
    engine: &Engine,
    resolution: Resolution,
    step: i64,
) -> Result<(), StorageError> {
    const LAST: &str = "SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM usage_subjects";
    let last: i64 = on!(engine.db.read(), c => sqlx::query_scalar(LAST).fetch_one(c).await)?;
    // On SQLite, `CROSS JOIN` looks at each subject's oldest counts, where `JOIN` would read all counts of the subjects.
    let old = format!(
        "SELECT counts.subject, counts.starts_at, counts.class, counts.outcome \
         FROM usage_subjects AS subjects CROSS JOIN {} AS counts \
         WHERE counts.subject = subjects.id AND subjects.id >= $1 AND subjects.id < $2 AND counts.starts_at < $3",
        resolution.table
    );
    let has_old = format!("SELECT EXISTS ({old})");
    let delete = format!(
        "DELETE FROM {} WHERE (subject, starts_at, class, outcome) IN ({old} LIMIT {ROWS_AT_ONCE})",
        resolution.table
    );
    let mut first = 0;
    while first <= last {
        let end = first + SUBJECTS_AT_ONCE;
        let has_old: bool = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(has_old.clone()))
            .bind(first).bind(end).bind(step).fetch_one(c).await)?;
        if !has_old {
            first = end;
            continue;
        }
        let deleted = on!(engine.db.write_unrecorded(), c => sqlx::query(sqlx::AssertSqlSafe(delete.clone()))
            .bind(first).bind(end).bind(step).execute(c).await.map(|done| done.rows_affected()))?;
        if deleted < ROWS_AT_ONCE {
            first = end;
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
