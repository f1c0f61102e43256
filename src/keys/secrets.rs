//! The secrets of a key: the one that it has now, and old ones that rotation left behind.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::{KeyId, SecretId},
    time::Timestamp,
};

/// One secret of a key, without its text.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Secret {
    /// Its id.
    pub id: SecretId,
    /// Its front and its last four characters.
    pub display: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops or stopped; `None` for the one that the key has now.
    pub ends_at: Option<Timestamp>,
    /// When it last let a request pass.
    pub last_used_at: Option<Timestamp>,
}

impl Secret {
    /// Whether this is an old secret that still works at `now`.
    pub fn is_running_out(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|at| at > now)
    }
}

/// A key's secrets, the latest first; none when the org has no such key.
///
/// # Errors
/// When the database cannot be asked.
pub async fn secrets(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    key: KeyId,
) -> Result<Vec<Secret>, StorageError> {
    const SQL: &str = "SELECT key_secrets.id, key_secrets.display, key_secrets.created_at, key_secrets.ends_at, \
         key_secrets.last_used_at FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id \
         WHERE keys.org_id = $1 AND keys.id = $2 \
         ORDER BY CASE WHEN key_secrets.ends_at IS NULL THEN 0 ELSE 1 END, key_secrets.created_at DESC, key_secrets.id DESC";
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(SQL).bind(permit.org_id()).bind(key).fetch_all(c).await)?,
    )
}
