//! The last change of a key.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    event::Event,
    id::KeyId,
};

/// Returns the position of the last audit entry on a key in the log of the installation; `None` if retention
/// deleted it.
///
/// # Errors
/// If the database cannot be reached.
pub async fn last_change(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    key: KeyId,
) -> Result<Option<i64>, StorageError> {
    let sql = format!(
        "SELECT position FROM audit_log WHERE org_id = $1 AND target_id = $2 \
         AND position > (SELECT position FROM audit_checkpoint) AND event NOT IN ({}) ORDER BY seq DESC LIMIT 1",
        Event::of_unchanged_keys()
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(key).fetch_optional(c).await)?,
    )
}
