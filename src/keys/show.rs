//! One key.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::{KeyId, ProjectId, UserId},
    name::DisplayName,
};

use super::{Key, KeySummary, SUMMARY_COLUMNS, stored_domains};

/// What every role may know of a key; `None` when the org has no such key.
///
/// # Errors
/// When the database cannot be asked.
pub async fn summary(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    id: KeyId,
) -> Result<Option<KeySummary>, StorageError> {
    let sql = format!("SELECT {SUMMARY_COLUMNS} FROM keys WHERE keys.org_id = $1 AND keys.id = $2");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?,
    )
}

/// What owners and admins may know of a key; `None` when the org has no such key.
///
/// # Errors
/// When the database cannot be asked.
pub async fn details(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    id: KeyId,
) -> Result<Option<Key>, StorageError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        summary: KeySummary,
        project_id: ProjectId,
        project_name: DisplayName,
        scopes: String,
        domains: String,
        ip_ranges: String,
        notes: String,
        metadata: String,
        created_by: Option<UserId>,
        creator_name: Option<DisplayName>,
    }
    let sql = format!(
        "SELECT {SUMMARY_COLUMNS}, keys.project_id, projects.name AS project_name, keys.scopes, keys.domains, \
         keys.ip_ranges, keys.notes, keys.metadata, keys.created_by, users.name AS creator_name \
         FROM keys JOIN projects ON projects.id = keys.project_id LEFT JOIN users ON users.id = keys.created_by \
         WHERE keys.org_id = $1 AND keys.id = $2"
    );
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Key {
        summary: row.summary,
        project_id: row.project_id,
        project_name: row.project_name,
        scopes: crate::db::from_json(&row.scopes)?,
        domains: stored_domains(&row.domains)?,
        ip_ranges: crate::db::from_json(&row.ip_ranges)?,
        notes: row.notes,
        metadata: crate::db::from_json(&row.metadata)?,
        created_by: row.created_by.zip(row.creator_name),
    }))
}
