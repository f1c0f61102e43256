//! Stores counts: one transaction per batch, with a row that prevents a retried batch from counting twice.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
};

use crate::{
    Engine,
    db::{StorageError, Tx, on},
};

use super::{
    domains,
    ids::{self, Name, Named},
    last_used,
    recorder::{Batch, Bucket, Tally, Unfinished},
    resolution::{self, Resolution},
    seen, sightings,
    totals::{self, Periods},
};

/// Stores everything counted so far, at the end of the process or when the next page must show it. Batches that cannot be stored are kept and retried under the same numbers before any
/// newer one.
///
/// # Errors
/// If the database cannot be reached. No counts are lost, even if the future is dropped.
pub async fn flush(engine: &Engine) -> Result<(), StorageError> {
    take_and_store(engine, |_| true).await
}

/// Like [`flush`], to be called every second: what requests came with is stored less often.
///
/// # Errors
/// As [`flush`].
pub async fn flush_regularly(engine: &Engine) -> Result<(), StorageError> {
    take_and_store(engine, |unfinished| {
        unfinished.is_seen_due(engine.clock.now())
    })
    .await
}

async fn take_and_store(
    engine: &Engine,
    with_seen: impl FnOnce(&mut Unfinished) -> bool,
) -> Result<(), StorageError> {
    let mut with_seen = Some(with_seen);
    let mut unfinished = engine.recorder.unfinished.lock().await;
    loop {
        // A batch stays in place until it is stored, so that nothing is lost if the caller stops waiting.
        while let Some(batch) = unfinished.batches.front() {
            store(engine, batch).await?;
            engine.recorder.finish(&mut unfinished);
        }
        // Once it is taken, everything that was counted before the call is stored.
        let Some(with_seen) = with_seen.take() else {
            return Ok(());
        };
        let with_seen = with_seen(&mut unfinished);
        engine.recorder.drain(&mut unfinished, with_seen);
    }
}

async fn store(engine: &Engine, batch: &Batch) -> Result<(), StorageError> {
    let counts = Counts::of(engine, &batch.tallies).await?;
    let seen_by = batch.seen.iter().map(|(name, _)| *name).collect();
    let seen_by = ids::of_subjects(engine, &seen_by).await?;
    let mut tx = engine.db.begin_unrecorded().await?;
    const INSERT_BATCH: &str = "INSERT INTO usage_batches (instance, batch, flushed_at) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING";
    let is_new = on!(tx.on(), c => sqlx::query(INSERT_BATCH)
        .bind(engine.recorder.instance).bind(batch.number).bind(engine.clock.now())
        .execute(c).await.map(|done| done.rows_affected()))?
        == 1;
    if is_new {
        counts.store(&mut tx).await?;
        last_used::store(&mut tx, &batch.tallies).await?;
        domains::store(&mut tx, &batch.sites).await?;
        sightings::store(&mut tx, &batch.sightings).await?;
        seen::store(&mut tx, &seen_by, &batch.seen, engine.clock.now()).await?;
    }
    tx.commit().await
}

/// The rows of a batch. Each count is in three rows per table: that of its key or agent, of its cell and of its org. Steps
/// that retention would delete are left out.
pub(super) struct Counts {
    steps: [BTreeMap<resolution::Place, i64>; Resolution::ALL.len()],
    totals: BTreeMap<totals::Place, totals::Sums>,
    periods: Periods,
}

impl Counts {
    pub(super) async fn of(
        engine: &Engine,
        tallies: &[(Bucket, Tally)],
    ) -> Result<Self, StorageError> {
        let names = tallies.iter().flat_map(|(bucket, _)| subjects_of(bucket));
        let subjects = ids::of_subjects(engine, &names.collect()).await?;
        let classes: BTreeSet<_> = tallies.iter().map(|(bucket, _)| bucket.class).collect();
        let classes = ids::of_classes(engine, &classes).await?;

        let (now, kept) = (engine.clock.now(), engine.usage_kept.periods());
        let mut counts = Self {
            steps: [const { BTreeMap::new() }; Resolution::ALL.len()],
            totals: BTreeMap::new(),
            periods: Periods::at(now),
        };
        for (bucket, tally) in tallies {
            let class = id_of(&classes, &bucket.class)?;
            let outcome = bucket.outcome.number();
            let names = subjects_of(bucket);
            let org = id_of(&subjects, &names[0])?;
            for name in names {
                let subject = id_of(&subjects, &name)?;
                for ((resolution, kept_for), rows) in kept.iter().zip(&mut counts.steps) {
                    let step = resolution.step(bucket.starts_at);
                    if bucket.starts_at < now.plus(-kept_for) {
                        continue;
                    }
                    *rows.entry((subject, step, class, outcome)).or_default() += tally.count;
                }
                let place = (org, name.1.kind(), subject, class, outcome);
                let sums = counts.totals.entry(place).or_default();
                counts.periods.add(sums, bucket.starts_at, tally.count);
            }
        }
        Ok(counts)
    }

    pub(super) async fn store(&self, tx: &mut Tx) -> Result<(), StorageError> {
        for (resolution, rows) in Resolution::ALL.into_iter().zip(&self.steps) {
            resolution::add(tx, resolution, rows).await?;
        }
        totals::add(tx, self.periods.hour, &self.totals).await
    }
}

/// An id that was created before the batch was stored is gone, because its org was removed. The next try creates another.
#[derive(Debug, thiserror::Error)]
#[error("the id of a subject of usage is gone")]
struct Gone;

fn id_of<K: Eq + Hash>(ids: &HashMap<K, i64>, key: &K) -> Result<i64, StorageError> {
    ids.get(key)
        .copied()
        .ok_or_else(|| StorageError::unreadable(Gone))
}

/// The subjects of a count, the org first.
fn subjects_of(bucket: &Bucket) -> [Name; 3] {
    let (org_id, own) = bucket.name();
    [Named::Org, Named::Cell(bucket.cell), own].map(|named| (org_id, named))
}
