//! Deleting old entries of the log.
//!
//! Entries are only ever deleted from the beginning. The checkpoint moves first and holds the hash of the last
//! deleted entry, so that the chain can be verified from there, and the database rejects the deletion of any entry
//! after it. Tampering with the database does not make Latchkey delete entries: neither a moved checkpoint nor a
//! backdated entry does.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Engine,
    db::{StorageError, Tx, on, places},
    time::{DAY, Timestamp},
};

use super::{
    chain::{self, BrokenChain, EntryPlace},
    checkpoint::Checkpoint,
    row::{COLUMNS, Row},
};

/// How long full addresses are kept, in milliseconds. After that, an entry keeps only the network.
pub const ADDRESS_TTL: i64 = 90 * DAY;
/// Maximum number of rows deleted per transaction, so that writers wait for about ten milliseconds at most.
const MAX_ROWS_AT_ONCE: i64 = 1_000;
/// Pause between batches, so that other writers get their turn: SQLite does not queue writers of other processes.
const PAUSE: Duration = Duration::from_millis(20);

/// Deletes entries older than `keep`, from the beginning of the log up to the first younger entry, and full addresses
/// older than [`ADDRESS_TTL`]. If dropped halfway, the log stays consistent, and the next call deletes the rest.
///
/// # Errors
/// If the beginning of the log was changed, an old entry differs from what was written, or the database cannot be
/// reached. Batches before that stay deleted.
pub async fn delete_old(engine: &Engine, keep: Duration) -> Result<(), BrokenChain> {
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
async fn delete_entries(engine: &Engine, before: Timestamp) -> Result<u64, BrokenChain> {
    let mut tx = engine.db.begin_unrecorded().await?;
    // Another instance may be deleting too, and must not move the checkpoint back.
    let checkpoint = Checkpoint::lock(&mut tx).await?;
    checkpoint.check(&engine.peppers)?;
    // Entries before the beginning would be deleted unnoticed along with the others.
    checkpoint.check_before_in(&mut tx).await?;
    let Some((last, hash)) = last_to_delete(&mut tx, checkpoint.position, before).await? else {
        return keep(engine, tx, checkpoint).await;
    };
    if !is_old(engine, &mut tx, &checkpoint, last, before).await? {
        return keep(engine, tx, checkpoint).await;
    }
    Checkpoint::store(&mut tx, &engine.peppers, last, &hash).await?;
    const KEEP_NUMBERS: &str = "INSERT INTO audit_deleted_seqs (org_id, seq) \
         SELECT COALESCE(org_id, ''), MAX(seq) FROM audit_log WHERE position <= $1 GROUP BY COALESCE(org_id, '') \
         ON CONFLICT (org_id) DO UPDATE SET seq = excluded.seq";
    on!(tx.on(), c => sqlx::query(KEEP_NUMBERS).bind(last).execute(c).await.map(drop))
        .map_err(StorageError::from)?;
    const DELETE_ADDRESSES: &str = "DELETE FROM audit_addresses WHERE position <= $1";
    on!(tx.on(), c => sqlx::query(DELETE_ADDRESSES).bind(last).execute(c).await.map(drop))
        .map_err(StorageError::from)?;
    const DELETE: &str = "DELETE FROM audit_log WHERE position <= $1";
    let deleted = on!(tx.on(), c => sqlx::query(DELETE)
        .bind(last).execute(c).await.map(|done| done.rows_affected()))
    .map_err(StorageError::from)?;
    tx.commit().await?;
    Ok(deleted)
}

/// Keeps the checkpoint, but renews its HMAC under the current pepper, so that older peppers are not needed for it.
async fn keep(engine: &Engine, mut tx: Tx, checkpoint: Checkpoint) -> Result<u64, BrokenChain> {
    let current = engine.peppers.current_version();
    if checkpoint
        .pepper_version
        .is_some_and(|version| version < current)
    {
        Checkpoint::store(
            &mut tx,
            &engine.peppers,
            checkpoint.position,
            &checkpoint.hash,
        )
        .await?;
        tx.commit().await?;
    }
    Ok(0)
}

/// Whether the chain proves that the entry at `last` is older than `before`: its time alone proves nothing, since
/// anyone who can write to the database can change it. The first entry from there on whose pepper is available must
/// be just as old, and have the right hash.
async fn is_old(
    engine: &Engine,
    tx: &mut Tx,
    checkpoint: &Checkpoint,
    last: i64,
    before: Timestamp,
) -> Result<bool, BrokenChain> {
    let versions: Vec<i32> = engine.peppers.versions().collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_log WHERE position >= $1 AND pepper_version IN ({}) ORDER BY position LIMIT 1",
        places(2, versions.len())
    );
    let row: Option<Row> = on!(tx.on(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(last);
        for version in versions {
            query = query.bind(version);
        }
        query.fetch_optional(c).await
    })
    .map_err(StorageError::from)?;
    let Some(row) = row else { return Ok(false) };
    const HASH: &str = "SELECT hash FROM audit_log WHERE position = $1";
    let previous: Option<Vec<u8>> = on!(tx.on(), c => sqlx::query_scalar(HASH)
        .bind(row.position - 1).fetch_optional(c).await)
    .map_err(StorageError::from)?;
    let previous = match previous {
        None if row.position - 1 == checkpoint.position => Some(&checkpoint.hash),
        ref previous => previous.as_ref(),
    };
    let expected = previous.and_then(|previous| chain::hash(&engine.peppers, previous, &row));
    if expected.as_ref() != Some(&row.hash) {
        return Err(BrokenChain::At(EntryPlace::in_tx(tx, &row).await?));
    }
    Ok(row.at < before)
}

/// Position and hash of the last entry of the next batch. All entries from the checkpoint up to it are old. If a
/// wrong clock wrote an old entry after a young one, the old entry is deleted later.
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
