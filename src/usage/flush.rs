//! Stores counts: one transaction per batch, with a row that prevents a retried batch from counting twice.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    Engine,
    db::{StorageError, Tx, on},
    id::{KeyId, OrgId, SecretId},
    outcome::Outcome,
    time::{DAY, HOUR, MINUTE, Timestamp},
};

use super::{
    domains,
    recorder::{Batch, Bucket, Tally},
    sightings,
    subject::Subject,
};

/// The time steps in which counts are stored: the name in the table and the length in milliseconds.
const RESOLUTIONS: [(&str, i64); 3] = [("minute", MINUTE), ("hour", HOUR), ("day", DAY)];

/// Rows per statement. At seven values per row, this is far below the parameter limit of both databases.
const ROWS_AT_ONCE: usize = 200;

/// Stores everything counted so far. A batch that cannot be stored is kept and retried under the same number before any
/// newer one.
///
/// # Errors
/// If the database cannot be reached. No counts are lost, even if the future is dropped.
pub async fn flush(engine: &Engine) -> Result<(), StorageError> {
    let mut state = engine.recorder.unfinished.lock().await;
    let (unfinished, next_number) = &mut *state;
    loop {
        let is_last = unfinished.is_none();
        // The batch stays in place until it is stored, so that nothing is lost if the caller stops waiting.
        let batch = unfinished.get_or_insert_with(|| {
            let number = *next_number;
            *next_number += 1;
            engine.recorder.drain(number)
        });
        if !batch.tallies.is_empty() {
            store(engine, batch).await?;
        }
        *unfinished = None;
        if is_last {
            return Ok(());
        }
    }
}

async fn store(engine: &Engine, batch: &Batch) -> Result<(), StorageError> {
    let mut tx = engine.db.begin_unrecorded().await?;
    const INSERT_BATCH: &str = "INSERT INTO usage_batches (instance, batch, flushed_at) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING";
    let is_new = on!(tx.on(), c => sqlx::query(INSERT_BATCH)
        .bind(engine.recorder.instance).bind(batch.number).bind(engine.clock.now())
        .execute(c).await.map(|done| done.rows_affected()))?
        == 1;
    if is_new {
        store_counts(engine, &mut tx, &batch.tallies).await?;
        store_last_used(&mut tx, &batch.tallies).await?;
        domains::store(&mut tx, &batch.sites).await?;
        sightings::store(&mut tx, &batch.sightings).await?;
    }
    tx.commit().await
}

async fn store_counts(
    engine: &Engine,
    tx: &mut Tx,
    tallies: &[(Bucket, Tally)],
) -> Result<(), StorageError> {
    // Sorted, so that instances that store concurrently acquire row locks in the same order.
    let mut counts: BTreeMap<(OrgId, &str, Timestamp, String, &str, Outcome), i64> =
        BTreeMap::new();
    for (bucket, tally) in tallies {
        let class = bucket.class.name(&engine.convention);
        for (resolution, width) in RESOLUTIONS {
            let starts_at = bucket.minute.floor(width);
            *counts
                .entry((
                    bucket.org_id,
                    resolution,
                    starts_at,
                    bucket.subject.to_string(),
                    class,
                    bucket.outcome,
                ))
                .or_default() += tally.count;
        }
    }
    let rows: Vec<_> = counts.into_iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let sql = upsert_of(rows.len());
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for ((org_id, resolution, starts_at, key_id, class, outcome), count) in rows {
                query = query.bind(org_id).bind(resolution).bind(starts_at).bind(key_id).bind(class).bind(outcome)
                    .bind(count);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// The statement that adds `rows` counts to the stored ones.
fn upsert_of(rows: usize) -> String {
    let mut sql = String::from(
        "INSERT INTO usage_counts (org_id, resolution, starts_at, key_id, class, outcome, count) VALUES ",
    );
    for row in 0..rows {
        let first = row * 7 + 1;
        let separator = if row == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(
            sql,
            "{separator}(${}, ${}, ${}, ${}, ${}, ${}, ${})",
            first,
            first + 1,
            first + 2,
            first + 3,
            first + 4,
            first + 5,
            first + 6
        );
    }
    sql.push_str(
        " ON CONFLICT (org_id, resolution, starts_at, key_id, class, outcome) \
         DO UPDATE SET count = usage_counts.count + excluded.count",
    );
    sql
}

/// Updates the last use, but only to later times: another instance may have stored a later use.
async fn store_last_used(tx: &mut Tx, tallies: &[(Bucket, Tally)]) -> Result<(), StorageError> {
    let mut keys: BTreeMap<KeyId, Timestamp> = BTreeMap::new();
    let mut secrets: BTreeMap<SecretId, Timestamp> = BTreeMap::new();
    for (bucket, tally) in tallies
        .iter()
        .filter(|(bucket, _)| bucket.outcome == Outcome::Valid)
    {
        let Subject::Key(key_id, secret_id) = bucket.subject else {
            continue;
        };
        let key = keys.entry(key_id).or_insert(tally.last_at);
        *key = (*key).max(tally.last_at);
        let secret = secrets.entry(secret_id).or_insert(tally.last_at);
        *secret = (*secret).max(tally.last_at);
    }
    const UPDATE_KEY: &str = "UPDATE keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
    for (id, at) in keys {
        on!(tx.on(), c => sqlx::query(UPDATE_KEY).bind(at).bind(id).execute(c).await.map(drop))?;
    }
    const UPDATE_SECRET: &str = "UPDATE key_secrets SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
    for (id, at) in secrets {
        on!(tx.on(), c => sqlx::query(UPDATE_SECRET).bind(at).bind(id).execute(c).await.map(drop))?;
    }
    Ok(())
}
