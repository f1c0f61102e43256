//! What is stored about a person, as it is read from the database.

use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

use super::{AccountData, MAX_ENTRIES, MembershipData, SessionData};
use crate::{
    Engine,
    db::{StorageError, on},
    id::UserId,
};

/// The most rows of a list that are read at a time: about 100 KB, and at most about 1 MB of long comments.
const BATCH: usize = 250;

/// A list that is read in batches, newest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    columns: &'static str,
    /// The table with the rows of the user `$1`.
    rows_of_user: &'static str,
    order: &'static str,
    /// The value of `order` as text.
    place: &'static str,
    /// The rows below the place `$3`.
    below: &'static str,
}

/// A row with its place.
#[derive(sqlx::FromRow)]
struct Placed<T> {
    place: String,
    #[sqlx(flatten)]
    row: T,
}

const fn by_id(columns: &'static str, rows_of_user: &'static str) -> List {
    List {
        columns,
        rows_of_user,
        order: "id",
        place: "id",
        below: "id < $3",
    }
}

pub(super) const REQUESTS: List = by_id(
    "org_id, name, purpose, created_at, state",
    "key_requests WHERE user_id = $1",
);
// The key was created, or the request has expired or was withdrawn, after an approval.
pub(super) const DECISIONS: List = by_id(
    "org_id, id, state <> 'declined' AS approved, comment, decided_at",
    "key_requests WHERE decided_by = $1 AND decided_at IS NOT NULL",
);
pub(super) const REVIEWS: List = by_id(
    "org_id, key_id, verdict, comment, at",
    "reviews WHERE actor_id = $1 AND actor_kind = 'user'",
);
// The promise and the answer to one review are two rows.
pub(super) const ANSWERS: List = by_id(
    "org_id, key_id, answer, answered_at, is_promise",
    "(SELECT id || '/2' AS id, org_id, key_id, answer, answered_at, FALSE AS is_promise FROM reviews \
         WHERE answered_by_id = $1 AND answered_by_kind = 'user' AND answered_at IS NOT NULL \
         UNION ALL SELECT id || '/1' AS id, org_id, key_id, promise, promised_at, TRUE FROM reviews \
         WHERE promised_by_id = $1 AND promised_by_kind = 'user' AND promised_at IS NOT NULL) AS said WHERE TRUE",
);
pub(super) const ENTRIES: List = List {
    columns: "audit_log.at, audit_log.event, audit_log.via, audit_log.org_id, audit_log.target_kind, \
         audit_log.target_id, audit_log.network, audit_addresses.address, audit_log.client, audit_log.request_id",
    rows_of_user: "audit_log LEFT JOIN audit_addresses ON audit_addresses.position = audit_log.position \
         WHERE audit_log.actor_kind = 'user' AND audit_log.actor_id = $1 \
         AND audit_log.position > (SELECT position FROM audit_checkpoint)",
    order: "audit_log.position",
    place: "CAST(audit_log.position AS TEXT)",
    below: "audit_log.position < CAST($3 AS BIGINT)",
};

/// Returns the next rows of a list, and the place of the last one if more follow.
pub(super) async fn rows<T>(
    engine: &Engine,
    list: List,
    user_id: UserId,
    after: Option<String>,
) -> Result<(Vec<T>, Option<String>), StorageError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let List {
        columns,
        rows_of_user,
        order,
        place,
        below,
    } = list;
    let below = after.as_ref().map_or("$3 = ''", |_| below);
    let sql = format!(
        "SELECT {place} AS place, {columns} FROM {rows_of_user} AND {below} ORDER BY {order} DESC LIMIT $2"
    );
    let mut rows: Vec<Placed<T>> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(user_id).bind(BATCH as i64 + 1).bind(after.unwrap_or_default()).fetch_all(c).await)?;
    let more = rows.len() > BATCH;
    rows.truncate(BATCH);
    let last = rows.last().map(|row| row.place.clone());
    let rows = rows.into_iter().map(|placed| placed.row).collect();
    Ok((rows, last.filter(|_| more)))
}

pub(super) async fn account(
    engine: &Engine,
    user_id: UserId,
) -> Result<Option<AccountData>, StorageError> {
    const SQL: &str = "SELECT id, name, email, created_at, last_seen_at, operator_since FROM users \
         WHERE id = $1 AND deleted_at IS NULL";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(user_id).fetch_optional(c).await)?)
}

pub(super) async fn memberships(
    engine: &Engine,
    user_id: UserId,
) -> Result<Vec<MembershipData>, StorageError> {
    const SQL: &str = "SELECT orgs.id, orgs.slug, orgs.name, memberships.role, memberships.created_at FROM memberships \
         JOIN orgs ON orgs.id = memberships.org_id AND orgs.deleted_at IS NULL WHERE memberships.user_id = $1 \
         ORDER BY memberships.created_at, orgs.id LIMIT $2";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(user_id).bind(MAX_ENTRIES as i64).fetch_all(c).await)?)
}

pub(super) async fn sessions(
    engine: &Engine,
    user_id: UserId,
) -> Result<Vec<SessionData>, StorageError> {
    const SQL: &str = "SELECT created_at, expires_at, client, system, network FROM sessions WHERE user_id = $1 AND expires_at > $2 \
         ORDER BY created_at, expires_at LIMIT $3";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(user_id).bind(engine.clock.now()).bind(MAX_ENTRIES as i64).fetch_all(c).await)?)
}
