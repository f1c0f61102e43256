//! What the link of an invitation shows. Opening it changes nothing.

use super::{InvitationToken, STANDS};
use crate::{
    Engine,
    access::Org,
    db::{StorageError, on},
    email::EmailAddress,
    name::DisplayName,
    role::Role,
};

/// An invitation, for someone who has its link.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Opened {
    /// The organization.
    #[sqlx(flatten)]
    pub org: Org,
    /// The address that it is for.
    pub email: EmailAddress,
    /// The role that it gives.
    pub role: Role,
    /// The name of the owner who invited; `None` for the operator.
    pub inviter: Option<DisplayName>,
}

/// Returns the invitation of a token; `None` if it was used, withdrawn or replaced, or has expired, or its inviter is no
/// longer an owner.
///
/// # Errors
/// If the database cannot be reached.
pub async fn open(
    engine: &Engine,
    token: &InvitationToken,
) -> Result<Option<Opened>, StorageError> {
    let Some(digest) = token.stored(engine).await? else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT orgs.id, orgs.slug, orgs.name, invitations.email, invitations.role, users.name AS inviter \
         FROM invitations JOIN orgs ON orgs.id = invitations.org_id \
         LEFT JOIN users ON users.id = invitations.created_by \
         WHERE orgs.deleted_at IS NULL AND invitations.expires_at > $1 AND {STANDS} AND invitations.digest = $2"
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(engine.clock.now()).bind(digest.as_bytes()).fetch_optional(c).await)?,
    )
}

/// Whether the address of an invitation has an account.
///
/// # Errors
/// If the database cannot be reached.
pub async fn has_account(engine: &Engine, opened: &Opened) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM users WHERE email = $1";
    Ok(on!(engine.db.read(), c => sqlx::query(SQL)
        .bind(opened.email.clone()).fetch_optional(c).await.map(|row| row.is_some()))?)
}
