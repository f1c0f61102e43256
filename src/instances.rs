//! The instances that use one database. Every two seconds each one stores a heartbeat, with its position in the audit
//! log.
//!
//! What others conclude from missing heartbeats must hold without the instance's cooperation (see "What silence
//! means" in ARCHITECTURE.md): an instance trusts its cache after its last heartbeat only as long as the others wait
//! for it. Heartbeats are timestamped with the database's clock, and only compared with that clock.

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

/// Interval between two heartbeats.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long an instance counts as running after its last heartbeat, in milliseconds.
const RUNNING_FOR: i64 = 10 * SECOND;

/// A running instance.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Instance {
    /// The instance's ID. Every start of the program gets a new one.
    pub id: InstanceId,
    /// The version of Latchkey that the instance runs.
    pub version: String,
    /// When the instance started.
    pub started_at: Timestamp,
    /// The time of its last heartbeat.
    pub seen_at: Timestamp,
}

/// Reads the audit log to its end, stores a heartbeat with that position, and lets the cache be trusted until
/// [`TRUSTED_FOR`] after this call began. `started_at` is when the instance started.
///
/// # Errors
/// If the database cannot be reached. The cache is then not trusted any longer than before.
pub async fn beat(
    engine: &Engine,
    version: &str,
    started_at: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "INSERT INTO instances (id, version, started_at, seen_at, position, hash) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE \
         SET seen_at = excluded.seen_at, position = excluded.position, hash = excluded.hash";
    let began = engine.clock.monotonic();
    // An instance that cannot read the log must not send a heartbeat.
    feed::catch_up(engine).await?;
    let End { position, hash } = feed::read_to(engine).await;
    let now = engine.db.now(&engine.clock).await?;
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(engine.recorder.instance()).bind(version).bind(started_at).bind(now).bind(position).bind(hash)
        .execute(c).await.map(drop))?;
    engine.cache.trust_until(began.plus(TRUSTED_FOR));
    Ok(())
}

/// Removes this instance's heartbeat, when it shuts down.
///
/// # Errors
/// If the database cannot be reached.
pub async fn leave(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM instances WHERE id = $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(engine.recorder.instance()).execute(c).await.map(drop))?;
    Ok(())
}

/// Returns the instances with a heartbeat in the last ten seconds, the one running longest first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn running(engine: &Engine, _operator: &Operator) -> Result<Vec<Instance>, StorageError> {
    const SQL: &str = "SELECT id, version, started_at, seen_at FROM instances WHERE seen_at > $1 \
         ORDER BY started_at, id LIMIT 1000";
    let since = engine.db.now(&engine.clock).await?.plus(-RUNNING_FOR);
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(since).fetch_all(c).await)?)
}

/// How many instances were seen in the last ten seconds.
///
/// # Errors
/// If the database cannot be reached.
pub(crate) async fn count_running(engine: &Engine) -> Result<u32, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM instances WHERE seen_at > $1";
    let since = engine.db.now(&engine.clock).await?.plus(-RUNNING_FOR);
    let running: i64 =
        on!(engine.db.read(), c => sqlx::query_scalar(SQL).bind(since).fetch_one(c).await)?;
    Ok(u32::try_from(running).unwrap_or(u32::MAX))
}

/// Whether a running instance lacks the current pepper, because it started before the pepper was first used. It
/// cannot find keys or tokens stored under it.
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

/// Deletes the heartbeats of instances that did not shut down properly.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM instances WHERE seen_at <= $1";
    let before = engine.db.now(&engine.clock).await?.plus(-DAY);
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(before).execute(c).await.map(drop))?;
    Ok(())
}
