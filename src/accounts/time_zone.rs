//! The time zone in which a user's pages cut days.

use crate::{
    Engine,
    caller::Person,
    db::{StorageError, on},
    id::UserId,
    time::Zone,
};

/// Returns the zone that a user chose, at first UTC. A zone that the database of this version does not have counts as UTC.
///
/// # Errors
/// If the database cannot be reached.
pub async fn time_zone(engine: &Engine, user_id: UserId) -> Result<Zone, StorageError> {
    const SQL: &str = "SELECT time_zone FROM users WHERE id = $1";
    let name: Option<String> = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(user_id).fetch_optional(c).await)?;
    Ok(name.and_then(|name| name.parse().ok()).unwrap_or_default())
}

/// Stores the zone that the user chose.
///
/// # Errors
/// If the database cannot be reached.
pub async fn set_time_zone(
    engine: &Engine,
    person: &Person,
    zone: &Zone,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE users SET time_zone = $1 WHERE id = $2 AND deleted_at IS NULL";
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(zone.name()).bind(person.user_id).execute(c).await.map(drop))?;
    Ok(())
}
