//! The locks under which rules on all rows of an org are checked. SQLite needs none: it has a single writer.

use crate::{
    db::{On, StorageError, Tx},
    id::OrgId,
    time::Timestamp,
};

const SELECT: &str = "SELECT deleted_at FROM orgs WHERE id = $1";
/// Postgres lets others share a row although someone waits to have it alone, so that a deletion would wait for as long as there are
/// changes. Before this lock, whoever comes after a deletion waits behind it.
const IN_LINE: &str = "WITH line AS MATERIALIZED (SELECT LOCK(hashtextextended($1, 0))) \
     SELECT deleted_at FROM orgs, line WHERE id = $1";

/// Waits for other transactions that check such a rule in this org, and holds them up until this one ends. Does not
/// block inserts of rows that reference the org.
///
/// # Errors
/// If the org was deleted, or the database cannot be reached.
pub(crate) async fn lock(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    exists(tx, org_id, format!("{SELECT} FOR NO KEY UPDATE")).await
}

/// Keeps the org from being deleted until the transaction ends. Blocks nothing else.
///
/// # Errors
/// If the org was deleted, or the database cannot be reached.
pub(crate) async fn keep(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    let in_line = IN_LINE.replace("LOCK", "pg_advisory_xact_lock_shared");
    exists(tx, org_id, format!("{in_line} FOR KEY SHARE OF orgs")).await
}

/// Waits for all changes of the org that are in progress, and holds up all others until the transaction ends.
///
/// # Errors
/// If the org was deleted, or the database cannot be reached.
pub(crate) async fn lock_to_delete(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    let in_line = IN_LINE.replace("LOCK", "pg_advisory_xact_lock");
    exists(tx, org_id, format!("{in_line} FOR UPDATE OF orgs")).await
}

async fn exists(tx: &mut Tx, org_id: OrgId, on_postgres: String) -> Result<(), StorageError> {
    let found: Option<Option<Timestamp>> = match tx.on() {
        On::Sqlite(c) => {
            sqlx::query_scalar(SELECT)
                .bind(org_id)
                .fetch_optional(c)
                .await?
        }
        On::Postgres(c) => {
            sqlx::query_scalar(sqlx::AssertSqlSafe(on_postgres))
                .bind(org_id)
                .fetch_optional(c)
                .await?
        }
    };
    match found {
        Some(None) => Ok(()),
        Some(Some(_)) | None => Err(StorageError::org_deleted()),
    }
}
