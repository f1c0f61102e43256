//! How long requests are kept.

use crate::{
    Engine,
    db::{StorageError, on},
    time::DAY,
};

/// How long a request is kept after it ended, in milliseconds. The audit log keeps what was asked for and decided, and the key
/// keeps who approved it.
const KEPT_FOR: i64 = 90 * DAY;

/// Notes which approvals have ended, so that requests that wait are few, and deletes old requests.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const EXPIRED: &str = "UPDATE key_requests SET state = 'expired', ended_at = approved_until \
         WHERE state = 'approved' AND approved_until <= $1";
    const OLD: &str = "DELETE FROM key_requests WHERE ended_at <= $1";
    let now = engine.clock.now();
    for (sql, before) in [(EXPIRED, now), (OLD, now.plus(-KEPT_FOR))] {
        on!(engine.db.write_unrecorded(), c => sqlx::query(sql).bind(before).execute(c).await.map(drop))?;
    }
    Ok(())
}
