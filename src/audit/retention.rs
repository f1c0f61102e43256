//! How long the log is kept.
//!
//! Only its beginning is ever deleted: the checkpoint moves first and holds the hash of the last deleted entry, so that the
//! chain can be verified from there, and the database refuses to delete anything behind it.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Engine,
    db::{StorageError, Tx, on, select_locked},
    time::{DAY, Timestamp},
};

/// How long whole addresses are kept, in milliseconds; after that an entry has the network alone.
pub const ADDRESS_TTL: i64 = 90 * DAY;
/// Rows that one transaction deletes: a writer waits for some ten milliseconds at most.
const MAX_ROWS_AT_ONCE: i64 = 1_000;
/// Between two batches, in which other writers take their turn: SQLite has no queue for those of other processes.
const PAUSE: Duration = Duration::from_millis(20);

/// Deletes entries that are older than `keep`, from the beginning of the log up to the first younger one, and whole
/// addresses older than [`ADDRESS_TTL`]. Dropped halfway, it leaves the log in order; the next call deletes the rest.
///
/// # Errors
/// When the database does not answer; batches before that are deleted.
pub async fn delete_old(engine: &Engine, keep: Duration) -> Result<(), StorageError> {
    let now = engine.clock.now();
    let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    while delete_addresses(engine, now.plus(-ADDRESS_TTL)).await? == MAX_ROWS_AT_ONCE as u64 {
        sleep(PAUSE).await;
    }
    while delete_entries(engine, now.plus(-keep)).await? == MAX_ROWS_AT_ONCE as u64 {
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Deletes one batch and returns its size.
async fn delete_addresses(engine: &Engine, before: Timestamp) -> Result<u64, StorageError> {
    const SQL: &str = "DELETE FROM audit_addresses WHERE position IN \
         (SELECT position FROM audit_addresses WHERE at < $1 ORDER BY at LIMIT $2)";
    Ok(on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(before).bind(MAX_ROWS_AT_ONCE).execute(c).await.map(|done| done.rows_affected()))?)
}

/// Deletes one batch and returns its size.
async fn delete_entries(engine: &Engine, before: Timestamp) -> Result<u64, StorageError> {
    let mut tx = engine.db.begin_unrecorded().await?;
    // Another instance may be deleting too: it must not move the checkpoint back.
    let checkpoint: Option<(i64,)> = select_locked!(
        tx,
        "SELECT position FROM audit_checkpoint WHERE only_row = $1",
        1
    )?;
    let Some((checkpoint,)) = checkpoint else {
        return Ok(0);
    };
    let Some((last, hash)) = last_to_delete(&mut tx, checkpoint, before).await? else {
        return Ok(0);
    };
    const MOVE: &str = "UPDATE audit_checkpoint SET position = $1, hash = $2";
    on!(tx.on(), c => sqlx::query(MOVE).bind(last).bind(hash).execute(c).await.map(drop))?;
    const KEEP_NUMBERS: &str = "INSERT INTO audit_deleted_seqs (org_id, seq) \
         SELECT COALESCE(org_id, ''), MAX(seq) FROM audit_log WHERE position <= $1 GROUP BY COALESCE(org_id, '') \
         ON CONFLICT (org_id) DO UPDATE SET seq = excluded.seq";
    on!(tx.on(), c => sqlx::query(KEEP_NUMBERS).bind(last).execute(c).await.map(drop))?;
    const DELETE_ADDRESSES: &str = "DELETE FROM audit_addresses WHERE position <= $1";
    on!(tx.on(), c => sqlx::query(DELETE_ADDRESSES).bind(last).execute(c).await.map(drop))?;
    const DELETE: &str = "DELETE FROM audit_log WHERE position <= $1";
    let deleted = on!(tx.on(), c => sqlx::query(DELETE)
        .bind(last).execute(c).await.map(|done| done.rows_affected()))?;
    tx.commit().await?;
    Ok(deleted)
}

/// Position and hash of the last entry of the next batch: the last one before which, from the checkpoint on, all are old.
/// A clock that was wrong for a while may have written an old time behind a young one; that entry waits.
async fn last_to_delete(
    tx: &mut Tx,
    checkpoint: i64,
    before: Timestamp,
) -> Result<Option<(i64, Vec<u8>)>, StorageError> {
    const SQL: &str =
        "SELECT position, at, hash FROM audit_log WHERE position > $1 ORDER BY position LIMIT $2";
    let rows: Vec<(i64, Timestamp, Vec<u8>)> = on!(tx.on(), c => sqlx::query_as(SQL)
        .bind(checkpoint).bind(MAX_ROWS_AT_ONCE).fetch_all(c).await)?;
    let old = rows.into_iter().take_while(|(_, at, _)| *at < before);
    Ok(old.last().map(|(position, _, hash)| (position, hash)))
}
