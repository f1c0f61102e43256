//! The secrets of a key: the current one, and those that rotations replaced.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::{KeyId, SecretId},
    time::Timestamp,
};

/// A secret of a key, without its plaintext.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Secret {
    /// The secret's ID.
    pub id: SecretId,
    /// The first characters and the last four characters.
    pub display: String,
    /// When the secret was created.
    pub created_at: Timestamp,
    /// When the secret ends or ended; `None` for the current secret.
    pub ends_at: Option<Timestamp>,
    /// When the secret was last used in a valid request.
    pub last_used_at: Option<Timestamp>,
}

impl Secret {
    /// Whether this is a replaced secret that still works at `now`.
    pub fn is_running_out(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|at| at > now)
    }
}

/// Returns a key's secrets, the latest first. Empty if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
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
