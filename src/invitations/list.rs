//! The invitations of an org that can be accepted.

use super::{STANDS, accepted::REMEMBERED_FOR};
use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    email::EmailAddress,
    id::InvitationId,
    name::DisplayName,
    role::Role,
    time::Timestamp,
};

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Invitation {
    /// The invitation's ID.
    pub id: InvitationId,
    /// The address that it is for.
    pub email: EmailAddress,
    /// The role that it gives.
    pub role: Role,
    /// When it was created.
    pub created_at: Timestamp,
    /// The name of the owner who invited; `None` for the operator.
    pub inviter: Option<DisplayName>,
    /// When it expires.
    pub expires_at: Timestamp,
}

fn select() -> String {
    format!(
        "SELECT invitations.id, invitations.email, invitations.role, invitations.created_at, \
         users.name AS inviter, invitations.expires_at FROM invitations \
         LEFT JOIN users ON users.id = invitations.created_by \
         WHERE invitations.org_id = $1 AND invitations.expires_at > $2 AND {STANDS}"
    )
}

/// Returns all invitations that can be accepted, sorted by address.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
) -> Result<Vec<Invitation>, StorageError> {
    let sql = format!("{} ORDER BY invitations.id", select());
    let mut invitations: Vec<Invitation> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).fetch_all(c).await)?;
    // Addresses are ASCII, which the collations of databases sort differently.
    invitations.sort_by(|a, b| a.email.cmp(&b.email));
    Ok(invitations)
}

/// Returns a page of the invitations that can be accepted, oldest first: at most `limit` after `after`. If there are
/// more, also returns the ID to continue from.
///
/// # Errors
/// If the database cannot be reached.
pub async fn page(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    after: Option<InvitationId>,
    limit: u16,
) -> Result<(Vec<Invitation>, Option<InvitationId>), StorageError> {
    let sql = format!(
        "{} AND invitations.id > $3 ORDER BY invitations.id LIMIT $4",
        select()
    );
    let after = after.map_or_else(String::new, |id| id.to_string());
    let mut invitations: Vec<Invitation> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).bind(after).bind(i64::from(limit) + 1).fetch_all(c).await)?;
    let more = invitations.len() > usize::from(limit);
    invitations.truncate(usize::from(limit));
    let next = invitations.last().map(|invitation| invitation.id);
    Ok((invitations, next.filter(|_| more)))
}

/// Returns an invitation of the org that can be accepted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    id: InvitationId,
) -> Result<Option<Invitation>, StorageError> {
    let sql = format!("{} AND invitations.id = $3", select());
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).bind(id).fetch_optional(c).await)?,
    )
}

/// Deletes the expired invitations of all orgs, and those that were accepted a while ago.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_expired(engine: &Engine) -> Result<(), StorageError> {
    const EXPIRED: &str = "DELETE FROM invitations WHERE expires_at <= $1";
    const ACCEPTED: &str = "DELETE FROM accepted_invitations WHERE accepted_at <= $1";
    let now = engine.clock.now();
    for (sql, before) in [(EXPIRED, now), (ACCEPTED, now.plus(-REMEMBERED_FOR))] {
        on!(engine.db.write_unrecorded(), c => sqlx::query(sql).bind(before).execute(c).await.map(drop))?;
    }
    Ok(())
}
