//! What happens to the requests of someone who is no longer a member.

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, Tx, on},
    id::{OrgId, UserId},
    time::Timestamp,
};

/// The requests that end with a membership, at the time `$2`.
const WAITING: &str =
    "org_id = $1 AND (state = 'open' OR (state = 'approved' AND approved_until > $2))";

/// Withdraws all requests of a member whose membership ends, so that they do not find an approval if they are invited again.
/// Returns how many that were.
pub(crate) async fn withdraw_all(
    tx: &mut Tx,
    org_id: OrgId,
    user_id: UserId,
    now: Timestamp,
) -> Result<u64, StorageError> {
    let sql = format!(
        "UPDATE key_requests SET state = 'withdrawn', ended_at = $2 WHERE {WAITING} AND user_id = $3"
    );
    Ok(
        on!(tx.on(), c => sqlx::query(sqlx::AssertSqlSafe(sql)).bind(org_id).bind(now).bind(user_id)
        .execute(c).await.map(|done| done.rows_affected()))?,
    )
}

/// Returns the number of requests of each member that would end with their membership. Members without such requests are left
/// out. An organization has at most [`MAX_OF_ORG`](super::MAX_OF_ORG) of them.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_of_members(
    engine: &Engine,
    permit: &Permit<to::RemoveMembers>,
) -> Result<HashMap<UserId, i64>, StorageError> {
    let sql =
        format!("SELECT user_id, COUNT(*) FROM key_requests WHERE {WAITING} GROUP BY user_id");
    let counts: Vec<(UserId, i64)> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).fetch_all(c).await)?;
    Ok(counts.into_iter().collect())
}

/// Returns the number of the caller's own requests that would end with their membership.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_of_caller(
    engine: &Engine,
    permit: &Permit<to::LeaveOrg>,
) -> Result<i64, StorageError> {
    let sql = format!("SELECT COUNT(*) FROM key_requests WHERE {WAITING} AND user_id = $3");
    Ok(
        on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).bind(permit.caller().actor.user_id())
        .fetch_one(c).await)?,
    )
}
