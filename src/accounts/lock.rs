//! The lock under which rules about one user are checked. SQLite needs none: it has a single writer.

use crate::{
    db::{On, StorageError, Tx},
    id::UserId,
};

/// Waits for other transactions that check or change something about this user, and holds them up until this one ends. Does
/// not block inserts of rows that reference the user.
pub(crate) async fn lock_user(tx: &mut Tx, user_id: UserId) -> Result<(), StorageError> {
    if let On::Postgres(c) = tx.on() {
        const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE";
        sqlx::query(LOCK).bind(user_id).execute(c).await?;
    }
    Ok(())
}

/// Like [`lock_user`], and also blocks inserts of rows that reference the user: nobody joins or creates an organization whose
/// account is being deleted.
pub(crate) async fn lock_user_to_delete(tx: &mut Tx, user_id: UserId) -> Result<(), StorageError> {
    if let On::Postgres(c) = tx.on() {
        const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR UPDATE";
        sqlx::query(LOCK).bind(user_id).execute(c).await?;
    }
    Ok(())
}
