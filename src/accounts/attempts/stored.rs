//! The rows of the table, read before attempts are counted.
//!
//! Nothing limits how many strangers ask at once, so all of them share statements (`look_ups.rs`).

use std::collections::HashMap;

use futures_util::future::try_join_all;

use super::subject::Row;
use crate::{
    Engine,
    db::{StorageError, on, places},
    look_ups::LookUps,
    time::Timestamp,
};

/// Number of rows at which only known browsers and signed-in users can add more.
const MAX_ROWS: i64 = 50_000;

type Key = [u8; 16];

/// The look-ups of rows by their keys, and of whether there are [`MAX_ROWS`].
#[derive(Debug, Default)]
pub(crate) struct AttemptLookUps {
    rows: LookUps<Key, Stored>,
    full: LookUps<(), ()>,
}

/// What is counted in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    made: i64,
    ends_at: Timestamp,
}

impl Stored {
    /// The milliseconds until there are attempts again; `None` if some are left.
    fn wait(self, max: i64, now: Timestamp) -> Option<i64> {
        (self.ends_at > now && self.made >= max).then(|| self.ends_at.since(now))
    }
}

/// What is stored for each of the rows.
pub(super) async fn of(engine: &Engine, rows: &[Row]) -> Result<Vec<Option<Stored>>, StorageError> {
    let look_ups = &engine.attempt_look_ups.rows;
    let found = rows
        .iter()
        .map(|row| look_ups.find(vec![row.key], engine, read));
    let found = try_join_all(found).await?;
    Ok(found
        .into_iter()
        .map(|found| found.map(|(_, stored)| stored))
        .collect())
}

/// Whether the table has [`MAX_ROWS`].
pub(super) async fn is_full(engine: &Engine) -> Result<bool, StorageError> {
    let look_ups = &engine.attempt_look_ups.full;
    Ok(look_ups.find(vec![()], engine, read_full).await?.is_some())
}

/// The milliseconds until every row has attempts left; `None` if all have some now.
pub(super) fn wait(engine: &Engine, rows: &[Row], stored: &[Option<Stored>]) -> Option<i64> {
    let now = engine.clock.now();
    let waits = rows
        .iter()
        .zip(stored)
        .filter_map(|(row, stored)| (*stored)?.wait(row.max, now));
    waits.max()
}

async fn read(engine: Engine, keys: Vec<Key>) -> Result<HashMap<Key, Stored>, StorageError> {
    let sql = format!(
        "SELECT subject, made, ends_at FROM attempts WHERE subject IN ({})",
        places(1, keys.len())
    );
    let sql = sqlx::AssertSqlSafe(sql);
    let found: Vec<(Vec<u8>, i64, Timestamp)> = on!(engine.db.read(), c => {
        let query = keys.iter().fold(sqlx::query_as(sql), |query, key| query.bind(key.to_vec()));
        query.fetch_all(c).await
    })?;
    let found = found.into_iter().filter_map(|(key, made, ends_at)| {
        // Rows are written with such keys alone.
        let key = key.try_into().ok()?;
        Some((key, Stored { made, ends_at }))
    });
    Ok(found.collect())
}

async fn read_full(engine: Engine, _: Vec<()>) -> Result<HashMap<(), ()>, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM attempts LIMIT $1) AS found";
    let count: i64 = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(MAX_ROWS).fetch_one(c).await)?;
    Ok((count == MAX_ROWS)
        .then_some(((), ()))
        .into_iter()
        .collect())
}
