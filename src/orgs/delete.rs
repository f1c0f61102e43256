//! Deleting an organization. One short transaction marks it as deleted, from which moment its keys and service tokens end
//! and its pages are gone, on every instance. Its rows are removed afterwards ([`super::empty`]). Its own row remains: the
//! slug is never given to another organization, since links and scripts that contain it would then reach that one. Its audit
//! log remains too.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, on},
    event::{Event, Target},
    time::DAY,
};

/// What ends with an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Ends {
    /// Keys that are neither revoked nor disabled.
    pub keys: i64,
    /// How many of them were used in the last 24 hours.
    pub used_keys: i64,
    /// Agents.
    pub agents: i64,
    /// Service tokens that work.
    pub tokens: i64,
    /// Members.
    pub members: i64,
}

/// Counts what ends with an organization.
///
/// # Errors
/// If the database cannot be reached.
pub async fn what_ends(
    engine: &Engine,
    permit: &Permit<to::DeleteOrg>,
) -> Result<Ends, StorageError> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM keys WHERE org_id = $1 AND revoked_at IS NULL AND disabled_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)) AS keys, \
         (SELECT COUNT(*) FROM keys WHERE org_id = $1 AND revoked_at IS NULL AND disabled_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2) AND last_used_at > $3) AS used_keys, \
         (SELECT COUNT(*) FROM agents WHERE org_id = $1) AS agents, \
         (SELECT COUNT(*) FROM service_tokens WHERE org_id = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)) AS tokens, \
         (SELECT COUNT(*) FROM memberships WHERE org_id = $1) AS members";
    let now = engine.clock.now();
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(now).bind(now.plus(-DAY)).fetch_one(c).await)?)
}

/// Deletes the organization. Changes that are in progress finish before; all later ones fail.
///
/// # Errors
/// If it was deleted already ([`StorageError::is_of_deleted_org`]), or the database cannot be reached.
pub async fn delete(engine: &Engine, permit: &Permit<to::DeleteOrg>) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE orgs SET deleted_at = $1 WHERE id = $2";
    let org_id = permit.org_id();
    let mut change = engine.change_to_delete(permit).await?;
    on!(change.on(), c => sqlx::query(SQL)
        .bind(engine.clock.now()).bind(org_id).execute(c).await.map(drop))?;
    let deleted = Happened::new(Event::OrgDeleted, Target::Org(org_id));
    change.commit(deleted).await
}
