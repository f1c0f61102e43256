//! The rights of sessions in an organization, for responses that last longer than their request.

use std::collections::HashMap;

use super::Permit;
use crate::{
    Engine,
    accounts::sessions::{ABSOLUTE_LIFETIME, SessionHash},
    db::{StorageError, on, places},
    id::OrgId,
    role::Rights,
};

/// Whether the session that was given a permit still has its right, for a response that takes longer than its request. Callers
/// without a session keep it until the response ends.
///
/// # Errors
/// If the database cannot be reached.
pub async fn still_lasts<A>(engine: &Engine, permit: &Permit<A>) -> Result<bool, StorageError> {
    let Some(session) = permit.caller.visit.session else {
        return Ok(true);
    };
    let rights = rights_of_sessions(engine, permit.org_id, &[session]).await?;
    Ok(rights
        .get(&session)
        .is_some_and(|rights| rights.may(permit.action)))
}

/// Returns the current rights of each session in an org. A session is left out if it has ended, or if its user is disabled,
/// not a member, or lacks a second factor that the org requires. Sessions are not extended by this.
///
/// # Errors
/// If the database cannot be reached.
pub async fn rights_of_sessions(
    engine: &Engine,
    org_id: OrgId,
    sessions: &[SessionHash],
) -> Result<HashMap<SessionHash, Rights>, StorageError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id_hash: Vec<u8>,
        #[sqlx(flatten)]
        rights: Rights,
    }
    let sql = format!(
        "SELECT sessions.id_hash, memberships.role, orgs.admin_rights FROM sessions \
         JOIN users ON users.id = sessions.user_id AND users.epoch = sessions.epoch AND users.disabled_at IS NULL \
         JOIN memberships ON memberships.user_id = users.id AND memberships.org_id = $1 \
         JOIN orgs ON orgs.id = memberships.org_id AND orgs.deleted_at IS NULL \
         WHERE sessions.expires_at > $2 AND sessions.created_at > $3 AND sessions.id_hash IN ({}) \
         AND NOT (orgs.second_factor_required AND NOT EXISTS \
         (SELECT 1 FROM second_factors WHERE second_factors.user_id = users.id))",
        places(4, sessions.len())
    );
    if sessions.is_empty() {
        return Ok(HashMap::new());
    }
    let now = engine.clock.now();
    let rows: Vec<Row> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(false)
            .bind(org_id).bind(now).bind(now.plus(-ABSOLUTE_LIFETIME));
        for session in sessions {
            query = query.bind(session.as_bytes().to_vec());
        }
        query.fetch_all(c).await
    })?;
    let known = |row: Row| Some((SessionHash::of_stored(&row.id_hash)?, row.rights));
    Ok(rows.into_iter().filter_map(known).collect())
}
