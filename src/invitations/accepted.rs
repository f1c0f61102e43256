//! Invitations that were just accepted, for a form that is submitted twice: the second submit finds no invitation any more.

use super::InvitationToken;
use crate::{
    Engine,
    access::Org,
    change::Change,
    db::{StorageError, on, places},
    email::EmailAddress,
    id::{OrgId, UserId},
    time::MINUTE,
};

/// How long an invitation is remembered after it was accepted, in milliseconds.
pub(super) const REMEMBERED_FOR: i64 = 10 * MINUTE;

/// An invitation that was accepted by someone who still is a member.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Accepted {
    /// The organization.
    #[sqlx(flatten)]
    pub org: Org,
    /// Who accepted it.
    pub user_id: UserId,
    /// The address of their account.
    pub email: EmailAddress,
}

/// Returns the invitation of a token that was accepted in the last minutes. Nobody but the user who accepted it may learn
/// that.
///
/// # Errors
/// If the database cannot be reached.
pub async fn accepted(
    engine: &Engine,
    token: &InvitationToken,
) -> Result<Option<Accepted>, StorageError> {
    let digests = token.digests(engine);
    let sql = format!(
        "SELECT orgs.id, orgs.slug, orgs.name, users.id AS user_id, users.email FROM accepted_invitations AS accepted \
         JOIN orgs ON orgs.id = accepted.org_id AND orgs.deleted_at IS NULL \
         JOIN users ON users.id = accepted.user_id AND users.disabled_at IS NULL \
         JOIN memberships ON memberships.org_id = orgs.id AND memberships.user_id = users.id \
         WHERE accepted.accepted_at > $1 AND accepted.digest IN ({})",
        places(2, digests.len())
    );
    let after = engine.clock.now().plus(-REMEMBERED_FOR);
    Ok(on!(engine.db.read(), c => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after);
        let query = digests.iter().fold(query, |query, digest| query.bind(digest.as_bytes()));
        query.fetch_optional(c).await
    })?)
}

/// Remembers an invitation that is accepted in this change, and forgets older ones of the org.
pub(super) async fn remember(
    engine: &Engine,
    change: &mut Change,
    org_id: OrgId,
    user_id: UserId,
    digest: &[u8],
) -> Result<(), StorageError> {
    const FORGET: &str = "DELETE FROM accepted_invitations WHERE org_id = $1 AND accepted_at <= $2";
    const INSERT: &str = "INSERT INTO accepted_invitations (digest, org_id, user_id, accepted_at) VALUES ($1, $2, $3, $4)";
    let now = engine.clock.now();
    on!(change.on(), c => sqlx::query(FORGET)
        .bind(org_id).bind(now.plus(-REMEMBERED_FOR)).execute(c).await.map(drop))?;
    on!(change.on(), c => sqlx::query(INSERT)
        .bind(digest).bind(org_id).bind(user_id).bind(now).execute(c).await.map(drop))?;
    Ok(())
}
