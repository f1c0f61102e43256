//! The names of keys that are about to be changed together.

use super::{
    KeyQuery,
    filter::{Filter, bind},
};
use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, Tx, on, places},
    findings::Policy,
    id::{KeyId, OrgId},
    key::Lifecycle,
    name::KeyName,
    orgs::policies,
    time::Timestamp,
};

/// The IDs and names of the keys that a query matches, by name, whatever its page is. At most `limit`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn names_matching(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    query: &KeyQuery,
    limit: usize,
) -> Result<Vec<(KeyId, KeyName)>, StorageError> {
    let keys = policies::of_org(engine, permit.org_id()).await?;
    let policy = Policy::of(&engine.convention, keys);
    let filter = Filter::new(engine, permit.org_id(), query, &policy);
    let sql = format!(
        "SELECT keys.id, keys.name FROM keys WHERE {} ORDER BY keys.sort_name, keys.id LIMIT $11",
        filter.sql
    );
    Ok(
        on!(engine.db.read(), c => bind!(sqlx::query_as(sqlx::AssertSqlSafe(sql)), filter)
        .bind(limit as i64).fetch_all(c).await)?,
    )
}

/// The IDs of the keys that a query matches, in a transaction that is going to change them. At most `limit`.
pub(in crate::keys) async fn ids_matching(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
    query: &KeyQuery,
    limit: usize,
) -> Result<Vec<KeyId>, StorageError> {
    let keys = policies::within(engine, tx, org_id).await?;
    let policy = Policy::of(&engine.convention, keys);
    let filter = Filter::new(engine, org_id, query, &policy);
    let sql = format!(
        "SELECT keys.id FROM keys WHERE {} ORDER BY keys.id LIMIT $11",
        filter.sql
    );
    Ok(
        on!(tx.on(), c => bind!(sqlx::query_scalar(sqlx::AssertSqlSafe(sql)), filter)
        .bind(limit as i64).fetch_all(c).await)?,
    )
}

/// A key with its name, what determines its status, and whether it is in use.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct NamedKey {
    /// The key's ID.
    pub id: KeyId,
    /// The display name.
    pub name: KeyName,
    /// When the key was last used in a valid request.
    pub last_used_at: Option<Timestamp>,
    /// The timestamps that determine the status.
    #[sqlx(flatten)]
    pub lifecycle: Lifecycle,
}

/// Returns the org's keys among `ids`, by name.
///
/// # Errors
/// If the database cannot be reached.
pub async fn names_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    ids: &[KeyId],
) -> Result<Vec<NamedKey>, StorageError> {
    let sql = format!(
        "SELECT id, name, last_used_at, expires_at, disabled_at, revoked_at FROM keys WHERE org_id = $1 AND id IN ({}) \
         ORDER BY sort_name, id",
        places(2, ids.len())
    );
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?)
}
