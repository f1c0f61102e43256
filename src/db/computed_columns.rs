//! Columns that SQL cannot compute from others. Migrations leave them empty, and each start fills them.

use super::{StorageError, Tx, on, places};
use crate::{
    domain::lists_loopback, idempotency::stored_key::stored, ip_range::restricted, search::folded,
    sort_name::sort_name,
};

/// The number of rows per UPDATE statement.
const ROWS_AT_ONCE: usize = 200;

type Compute = fn(&str) -> String;

/// The table, the column, the column that it is computed from, and how.
const COLUMNS: [(&str, &str, &str, Compute); 6] = [
    ("keys", "sort_name", "name", sort_name),
    ("keys", "ip_restricted", "ip_ranges", restricted),
    ("keys", "lists_loopback", "domains", lists_loopback),
    ("agents", "sort_name", "name", sort_name),
    ("users", "search", "name", folded),
    ("orgs", "search", "name", folded),
];

/// Replaces the idempotency keys that an earlier version stored as they were sent by their digests. They are of one day.
async fn digest_idempotency_keys(tx: &mut Tx) -> Result<(), StorageError> {
    const SELECT: &str = "SELECT service_token_id, idempotency_key FROM idempotency_keys WHERE NOT is_digest LIMIT $1";
    const INSERT: &str = "INSERT INTO idempotency_keys \
         (service_token_id, idempotency_key, fingerprint, creation_token, created_at, is_gone, is_digest) \
         SELECT service_token_id, $1, fingerprint, creation_token, created_at, is_gone, TRUE FROM idempotency_keys \
         WHERE service_token_id = $2 AND idempotency_key = $3 AND NOT is_digest ON CONFLICT DO NOTHING";
    const DELETE: &str = "DELETE FROM idempotency_keys WHERE service_token_id = $1 AND idempotency_key = $2 AND NOT is_digest";
    loop {
        let rows: Vec<(String, String)> = on!(tx.on(), c => sqlx::query_as(SELECT)
            .bind(ROWS_AT_ONCE as i64).fetch_all(c).await)?;
        if rows.is_empty() {
            return Ok(());
        }
        for (token, key) in rows {
            on!(tx.on(), c => sqlx::query(INSERT)
                .bind(stored(&token, &key)).bind(&token).bind(&key).execute(c).await.map(drop))?;
            on!(tx.on(), c => sqlx::query(DELETE)
                .bind(&token).bind(&key).execute(c).await.map(drop))?;
        }
    }
}

/// Fills the columns in rows that are older than the column, or from a backup of an earlier version.
pub(crate) async fn fill(tx: &mut Tx) -> Result<(), StorageError> {
    digest_idempotency_keys(tx).await?;
    for (table, column, from, compute) in COLUMNS {
        let select = format!(
            "SELECT id, {from} FROM {table} WHERE {column} = '' ORDER BY id LIMIT {ROWS_AT_ONCE}"
        );
        loop {
            let rows: Vec<(String, String)> = on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(select.clone()))
                .fetch_all(c).await)?;
            if rows.is_empty() {
                break;
            }
            let cases: String = (0..rows.len())
                .map(|row| format!("WHEN ${} THEN ${} ", 2 * row + 1, 2 * row + 2))
                .collect();
            let update = format!(
                "UPDATE {table} SET {column} = CASE id {cases}END WHERE id IN ({})",
                places(2 * rows.len() + 1, rows.len())
            );
            on!(tx.on(), c => {
                let mut query = sqlx::query(sqlx::AssertSqlSafe(update));
                for (id, value) in &rows {
                    query = query.bind(id).bind(compute(value));
                }
                for (id, _) in &rows {
                    query = query.bind(id);
                }
                query.execute(c).await.map(drop)
            })?;
        }
    }
    Ok(())
}
