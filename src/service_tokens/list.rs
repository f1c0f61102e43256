//! Lists of service tokens.

use super::TokenScope;
use crate::{
    Engine,
    access::{Operator, Permit, to},
    db::{Db, StorageError, on},
    id::{ServiceTokenId, UserId},
    name::{DisplayName, Slug},
    time::Timestamp,
};

/// A service token as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenSummary {
    /// The token's ID.
    pub id: ServiceTokenId,
    /// The name.
    pub name: DisplayName,
    /// The scope.
    pub scope: TokenScope,
    /// The prefix and the last four characters.
    pub display: String,
    /// The slug of the token's organization; `None` for a token of the operator.
    pub org: Option<Slug>,
    /// When the token was created.
    pub created_at: Timestamp,
    /// The owner who created the token on the page of service tokens.
    pub created_by: Option<UserId>,
    /// When the token expires; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When the token was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When the token was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl TokenSummary {
    /// `active`, `expired` or `revoked`.
    pub fn status(&self, now: Timestamp) -> &'static str {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(at)) if at <= now => "expired",
            (None, _) => "active",
        }
    }
}

/// The columns of a [`TokenSummary`].
const SELECT: &str = "SELECT service_tokens.id, service_tokens.name, service_tokens.scope, service_tokens.display, \
     orgs.slug AS org, service_tokens.created_at, service_tokens.created_by, service_tokens.expires_at, \
     service_tokens.last_used_at, service_tokens.revoked_at \
     FROM service_tokens LEFT JOIN orgs ON orgs.id = service_tokens.org_id";

/// Returns all service tokens, oldest first. Takes the database instead of the engine, so that it works without the
/// peppers.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(db: &Db, _operator: &Operator) -> Result<Vec<TokenSummary>, StorageError> {
    let sql = format!("{SELECT} ORDER BY service_tokens.created_at, service_tokens.id");
    Ok(on!(db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(c).await)?)
}

/// Returns one page of an organization's tokens after the token `after`, newest first, and the ID after which the next
/// page starts.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list_of_org(
    engine: &Engine,
    permit: &Permit<to::ManageTokens>,
    after: Option<ServiceTokenId>,
    limit: usize,
) -> Result<(Vec<TokenSummary>, Option<ServiceTokenId>), StorageError> {
    let sql = format!(
        "{SELECT} WHERE service_tokens.org_id = $1 AND ($2 IS NULL OR service_tokens.id < $2) \
         ORDER BY service_tokens.id DESC LIMIT $3"
    );
    let one_more = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut tokens: Vec<TokenSummary> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(after).bind(one_more).fetch_all(c).await)?;
    let has_more = tokens.len() > limit;
    tokens.truncate(limit);
    let next = tokens.last().filter(|_| has_more).map(|token| token.id);
    Ok((tokens, next))
}

/// Returns an organization's tokens for its page: those that work, then the others, each newest first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn working_first(
    engine: &Engine,
    permit: &Permit<to::ManageTokens>,
    limit: u16,
) -> Result<Vec<TokenSummary>, StorageError> {
    let sql = format!(
        "{SELECT} WHERE service_tokens.org_id = $1 ORDER BY CASE WHEN service_tokens.revoked_at IS NULL \
         AND COALESCE(service_tokens.expires_at > $2, TRUE) THEN 0 ELSE 1 END, service_tokens.id DESC LIMIT $3"
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).bind(i64::from(limit)).fetch_all(c).await)?,
    )
}

/// Returns the tokens for the whole instance for their page: those that work, then the others, each newest first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn working_first_of_instance(
    engine: &Engine,
    _operator: &Operator,
    limit: u16,
) -> Result<Vec<TokenSummary>, StorageError> {
    let sql = format!(
        "{SELECT} WHERE service_tokens.org_id IS NULL ORDER BY CASE WHEN service_tokens.revoked_at IS NULL \
         AND COALESCE(service_tokens.expires_at > $1, TRUE) THEN 0 ELSE 1 END, service_tokens.id DESC LIMIT $2"
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(engine.clock.now()).bind(i64::from(limit)).fetch_all(c).await)?,
    )
}

/// Returns one of the tokens for the whole instance.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find_of_instance(
    engine: &Engine,
    _operator: &Operator,
    id: ServiceTokenId,
) -> Result<Option<TokenSummary>, StorageError> {
    let sql = format!("{SELECT} WHERE service_tokens.org_id IS NULL AND service_tokens.id = $1");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id).fetch_optional(c).await)?,
    )
}

/// Returns one of an organization's tokens.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find_of_org(
    engine: &Engine,
    permit: &Permit<to::ManageTokens>,
    id: ServiceTokenId,
) -> Result<Option<TokenSummary>, StorageError> {
    let sql = format!("{SELECT} WHERE service_tokens.org_id = $1 AND service_tokens.id = $2");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?,
    )
}

/// Returns one of an organization's tokens, for who found it by its secret.
///
/// # Errors
/// If the database cannot be reached.
pub async fn found_in_org(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    id: ServiceTokenId,
) -> Result<Option<TokenSummary>, StorageError> {
    let sql = format!("{SELECT} WHERE service_tokens.org_id = $1 AND service_tokens.id = $2");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?,
    )
}
