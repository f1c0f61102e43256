//! The locks under which rules on all rows of an org are checked. SQLite needs none: it has a single writer.

use crate::{
    db::{On, StorageError, Tx},
    id::OrgId,
    time::Timestamp,
};

const SELECT: &str = "SELECT deleted_at FROM orgs WHERE id = $1";

/// Waits for other transactions that check such a rule in this org, and holds them up until this one ends. Does not
/// block inserts of rows that reference the org.
///
/// # Errors
/// If the org was deleted, or the database cannot be reached.
pub(crate) async fn lock(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    exists(tx, org_id, "FOR NO KEY UPDATE").await
}

/// Keeps the org from being deleted until the transaction ends. Blocks nothing else.
///
/// # Errors
/// If the org was deleted, or the database cannot be reached.
pub(crate) async fn keep(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    exists(tx, org_id, "FOR KEY SHARE").await
}

/// Waits for all changes of the org that are in progress, and holds up all others until the transaction ends.
///
/// # Errors
/// If the org was deleted, or the database cannot be reached.
pub(crate) async fn lock_to_delete(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    exists(tx, org_id, "FOR UPDATE").await
}

async fn exists(tx: &mut Tx, org_id: OrgId, strength: &str) -> Result<(), StorageError> {
    let found: Option<Option<Timestamp>> = match tx.on() {
        On::Sqlite(c) => {
            sqlx::query_scalar(SELECT)
                .bind(org_id)
                .fetch_optional(c)
                .await?
        }
        On::Postgres(c) => {
            let sql = sqlx::AssertSqlSafe(format!("{SELECT} {strength}"));
            sqlx::query_scalar(sql)
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
