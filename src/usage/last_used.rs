//! When keys and their secrets were last used.

use std::collections::BTreeMap;

use crate::{
    db::{StorageError, Tx, on},
    outcome::Outcome,
    time::Timestamp,
};

use super::{
    recorder::{Bucket, Tally},
    subject::Subject,
};

/// Rows per statement: so few that Postgres looks each of them up. With more it would read the whole table for each statement.
const ROWS_AT_ONCE: usize = 100;

/// Updates the last use, but only to later times: another instance may have stored a later use.
pub(super) async fn store(tx: &mut Tx, tallies: &[(Bucket, Tally)]) -> Result<(), StorageError> {
    let (mut keys, mut secrets) = (BTreeMap::new(), BTreeMap::new());
    for (bucket, tally) in tallies {
        let Subject::Key(key_id, secret_id) = bucket.subject else {
            continue;
        };
        if bucket.outcome == Outcome::Valid {
            let at = keys.entry(key_id).or_insert(tally.last_at);
            *at = tally.last_at.max(*at);
            let at = secrets.entry(secret_id).or_insert(tally.last_at);
            *at = tally.last_at.max(*at);
        }
    }
    update(tx, "keys", keys.into_iter().collect()).await?;
    update(tx, "key_secrets", secrets.into_iter().collect()).await
}

async fn update<I>(tx: &mut Tx, table: &str, used: Vec<(I, Timestamp)>) -> Result<(), StorageError>
where
    I: for<'q> sqlx::Encode<'q, sqlx::Sqlite>
        + for<'q> sqlx::Encode<'q, sqlx::Postgres>
        + sqlx::Type<sqlx::Sqlite>
        + sqlx::Type<sqlx::Postgres>
        + Copy
        + Send
        + Sync,
{
    for rows in used.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "UPDATE {table} SET last_used_at = used.column2 FROM (VALUES {}) AS used WHERE {table}.id = used.column1 \
             AND ({table}.last_used_at IS NULL OR {table}.last_used_at < used.column2)",
            tx.places_of_rows(rows.len(), 2)
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(rows.len() == ROWS_AT_ONCE);
            for (id, at) in rows {
                query = query.bind(*id).bind(*at);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
