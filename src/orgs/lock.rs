//! The lock under which rules on all rows of an org are checked.

use crate::{
    db::{On, StorageError, Tx},
    id::OrgId,
};

/// Waits for other transactions that check such a rule in this org, and holds them up until this one ends. Postgres
/// needs a lock for this; SQLite has a single writer. The lock does not block inserts of rows that reference the org.
pub(crate) async fn lock(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    if let On::Postgres(c) = tx.on() {
        const LOCK: &str = "SELECT 1 FROM orgs WHERE id = $1 FOR NO KEY UPDATE";
        sqlx::query(LOCK).bind(org_id).execute(c).await?;
    }
    Ok(())
}
