//! Retention of usage counts (design §7).

use crate::{
    Engine,
    db::{StorageError, on},
    time::{DAY, HOUR},
};

/// How long counts of each resolution are kept, in milliseconds.
const KEPT_FOR: [(&str, i64); 3] = [
    ("minute", 48 * HOUR),
    ("hour", 90 * DAY),
    ("day", 3 * 365 * DAY),
];
/// How long the domains that used a key are kept, in milliseconds.
const DOMAINS_KEPT_FOR: i64 = 90 * DAY;
/// How long batch numbers are kept, in milliseconds: far longer than a flush is retried.
const BATCHES_KEPT_FOR: i64 = DAY;

/// Deletes counts past their retention period.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    let now = engine.clock.now();
    const DELETE_COUNTS: &str = "DELETE FROM usage_counts WHERE resolution = $1 AND starts_at < $2";
    for (resolution, kept_for) in KEPT_FOR {
        on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE_COUNTS)
            .bind(resolution).bind(now.plus(-kept_for)).execute(c).await.map(drop))?;
    }
    const DELETE_DOMAINS: &str = "DELETE FROM usage_domains WHERE starts_at < $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE_DOMAINS)
        .bind(now.plus(-DOMAINS_KEPT_FOR)).execute(c).await.map(drop))?;
    const DELETE_BATCHES: &str = "DELETE FROM usage_batches WHERE flushed_at < $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE_BATCHES)
        .bind(now.plus(-BATCHES_KEPT_FOR)).execute(c).await.map(drop))?;
    Ok(())
}
