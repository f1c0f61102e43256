//! Who the members of an org are.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    email::EmailAddress,
    id::UserId,
    name::DisplayName,
    role::Role,
    sort_name::sort_name,
    time::Timestamp,
};

/// A member of an org.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Member {
    /// The member's user ID.
    pub user_id: UserId,
    /// The member's display name.
    pub name: DisplayName,
    /// The member's email address.
    pub email: EmailAddress,
    /// The member's role, which determines their permissions.
    pub role: Role,
    /// When the member joined the org.
    pub created_at: Timestamp,
    /// When the member last used the pages, to some minutes; `None` for never.
    pub last_seen_at: Option<Timestamp>,
    /// Whether the member's account has a second factor.
    pub second_factor: bool,
    /// Since when the member's account is disabled.
    pub disabled_at: Option<Timestamp>,
}

const SELECT: &str = "SELECT memberships.user_id, users.name, users.email, memberships.role, memberships.created_at, \
     users.last_seen_at, users.disabled_at, \
     EXISTS (SELECT 1 FROM second_factors WHERE second_factors.user_id = users.id) AS second_factor FROM memberships JOIN users ON users.id = memberships.user_id \
     WHERE memberships.org_id = $1";

/// Returns the members of an org: owners first, then admins, then members, each sorted by name.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeMembers>,
) -> Result<Vec<Member>, StorageError> {
    let sql = format!("{SELECT} ORDER BY users.id");
    let mut members: Vec<Member> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).fetch_all(c).await)?;
    members.sort_by_cached_key(|member| (member.role, sort_name(member.name.as_str())));
    Ok(members)
}

/// Returns a page of an org's members, oldest account first: at most `limit` members after `after`. If there are more,
/// also returns the ID to continue from.
///
/// # Errors
/// If the database cannot be reached.
pub async fn page(
    engine: &Engine,
    permit: &Permit<to::SeeMembers>,
    after: Option<UserId>,
    limit: u16,
) -> Result<(Vec<Member>, Option<UserId>), StorageError> {
    let sql =
        format!("{SELECT} AND memberships.user_id > $2 ORDER BY memberships.user_id LIMIT $3");
    let after = after.map_or_else(String::new, |id| id.to_string());
    let mut members: Vec<Member> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(after).bind(i64::from(limit) + 1).fetch_all(c).await)?;
    let more = members.len() > usize::from(limit);
    members.truncate(usize::from(limit));
    let next = members.last().map(|member| member.user_id);
    Ok((members, next.filter(|_| more)))
}

/// Returns a member of the org; `None` if the user is not a member.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    permit: &Permit<to::SeeMembers>,
    user_id: UserId,
) -> Result<Option<Member>, StorageError> {
    let sql = format!("{SELECT} AND memberships.user_id = $2");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(user_id).fetch_optional(c).await)?,
    )
}
