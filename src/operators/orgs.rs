//! All organizations of the instance.

use crate::{
    Engine,
    access::{Operator, Org},
    db::{StorageError, on},
    id::OrgId,
    search::{Search, for_like},
    time::Timestamp,
};

/// An organization in the list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OrgSummary {
    /// The organization.
    #[sqlx(flatten)]
    pub org: Org,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// The number of keys that are not revoked.
    pub keys: i64,
    /// The number of members.
    pub members: i64,
}

const SELECT: &str = "SELECT orgs.id, orgs.slug, orgs.name, orgs.created_at, orgs.deleted_at, \
     (SELECT COUNT(*) FROM keys WHERE keys.org_id = orgs.id AND keys.revoked_at IS NULL) AS keys, \
     (SELECT COUNT(*) FROM memberships WHERE memberships.org_id = orgs.id) AS members FROM orgs";

/// Returns one page of the organizations, newest first, deleted ones included: at most `limit` that were created before
/// `before`, and whose slug or name contains the term. If there are more, also returns the ID to continue from.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    _operator: &Operator,
    search: &Search,
    before: Option<OrgId>,
    limit: u16,
) -> Result<(Vec<OrgSummary>, Option<OrgId>), StorageError> {
    let sql = format!(
        r"{SELECT} WHERE ($1 IS NULL OR orgs.id < $1)
         AND (orgs.slug LIKE $2 ESCAPE '\' OR orgs.search LIKE $2 ESCAPE '\') ORDER BY orgs.id DESC LIMIT $3"
    );
    let mut orgs: Vec<OrgSummary> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(before).bind(format!("%{}%", for_like(search.as_str()))).bind(i64::from(limit) + 1).fetch_all(c).await)?;
    let more = orgs.len() > usize::from(limit);
    orgs.truncate(usize::from(limit));
    let next = orgs.last().map(|org| org.org.id).filter(|_| more);
    Ok((orgs, next))
}

/// Returns one organization, also a deleted one: its log can still be read.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    _operator: &Operator,
    id: OrgId,
) -> Result<Option<OrgSummary>, StorageError> {
    let sql = format!("{SELECT} WHERE orgs.id = $1");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id).fetch_optional(c).await)?,
    )
}

/// Numbers of rows of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Totals {
    /// Organizations that are not deleted.
    pub orgs: i64,
    /// Accounts that are not deleted.
    pub people: i64,
    /// Operators.
    pub operators: i64,
    /// Deleted organizations of which rows remain to be removed.
    pub to_empty: i64,
}

/// Counts the organizations and the people.
///
/// # Errors
/// If the database cannot be reached.
pub async fn totals(engine: &Engine, _operator: &Operator) -> Result<Totals, StorageError> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM orgs WHERE deleted_at IS NULL) AS orgs, \
         (SELECT COUNT(*) FROM users WHERE deleted_at IS NULL) AS people, \
         (SELECT COUNT(*) FROM users WHERE operator_since IS NOT NULL) AS operators, \
         (SELECT COUNT(*) FROM orgs WHERE deleted_at IS NOT NULL AND emptied_at IS NULL) AS to_empty";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).fetch_one(c).await)?)
}
