//! The instances that run on one database: each says every two seconds that it does, and how far it has read the audit log.
//!
//! What others conclude from its silence has to hold without it (see "What silence means" in ARCHITECTURE.md): an instance
//! trusts its memory for as long after its last heartbeat as others wait for it, and no longer. When it was seen is a time of
//! the database's clock, which all compare with the same clock.

use std::time::Duration;

use crate::{
    Engine,
    access::Operator,
    db::{StorageError, on},
    feed::{self, End},
    id::InstanceId,
    time::{DAY, SECOND, Timestamp},
    verify::cache::TRUSTED_FOR,
};

/// Between two heartbeats.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long after its last heartbeat an instance counts as running, in milliseconds.
const RUNNING_FOR: i64 = 10 * SECOND;

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Instance {
    /// Its id: another one after each start.
    pub id: InstanceId,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was last seen.
    pub seen_at: Timestamp,
}

/// Reads the audit log to its end, says that this instance runs and how far it has read, and from now on trusts memory
/// until [`TRUSTED_FOR`] after this began. `started_at` is when the instance started.
///
/// # Errors
/// When the database cannot be asked: memory is trusted no longer than before.
pub async fn beat(
    engine: &Engine,
    version: &str,
    started_at: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "INSERT INTO instances (id, version, started_at, seen_at, position, hash) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE \
         SET seen_at = excluded.seen_at, position = excluded.position, hash = excluded.hash";
    let began = engine.clock.monotonic();
    // An instance that cannot read the log is as silent as one that cannot write here.
    feed::catch_up(engine).await?;
    let End { position, hash } = feed::read_to(engine).await;
    let now = engine.db.now(&engine.clock).await?;
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(engine.recorder.instance()).bind(version).bind(started_at).bind(now).bind(position).bind(hash)
        .execute(c).await.map(drop))?;
    engine.cache.trust_until(began.plus(TRUSTED_FOR));
    Ok(())
}

/// Says that this instance ends.
///
/// # Errors
/// If the database cannot be reached.
pub async fn leave(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM instances WHERE id = $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(engine.recorder.instance()).execute(c).await.map(drop))?;
    Ok(())
}

/// The instances that were seen in the last ten seconds, the one that has run longest first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn running(engine: &Engine, _operator: &Operator) -> Result<Vec<Instance>, StorageError> {
    const SQL: &str = "SELECT id, version, started_at, seen_at FROM instances WHERE seen_at > $1 \
         ORDER BY started_at, id LIMIT 1000";
    let since = engine.db.now(&engine.clock).await?.plus(-RUNNING_FOR);
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(since).fetch_all(c).await)?)
}

/// Whether an instance runs that does not have the current pepper: it started before that was used for the first time. It
/// knows no key and no token that is stored under it.
///
/// # Errors
/// If the database cannot be reached.
pub async fn any_lacks_current_pepper(engine: &Engine) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM instances WHERE seen_at > $1 \
         AND started_at < (SELECT noted_at FROM peppers WHERE version = $2))";
    let since = engine.db.now(&engine.clock).await?.plus(-RUNNING_FOR);
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(since).bind(engine.peppers.current_version()).fetch_one(c).await)?)
}

/// Deletes what instances left that did not end well.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM instances WHERE seen_at <= $1";
    let before = engine.db.now(&engine.clock).await?.plus(-DAY);
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(before).execute(c).await.map(drop))?;
    Ok(())
}
