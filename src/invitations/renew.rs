//! A new link for an invitation.

use super::{
    LIFETIME,
    create::{CreatedInvitation, InviteError, check_grant, inviter},
    token::InvitationToken,
};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    email::EmailAddress,
    event::{Event, Target},
    id::InvitationId,
    orgs,
    role::Role,
};

/// Replaces the link of an invitation, which can be accepted for another seven days. The old link no longer works.
///
/// # Errors
/// If the org has no such invitation, or it has expired.
pub async fn renew(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    id: InvitationId,
) -> Result<CreatedInvitation, InviteError> {
    const SELECT: &str =
        "SELECT email, role FROM invitations WHERE id = $1 AND org_id = $2 AND expires_at > $3";
    const UPDATE: &str =
        "UPDATE invitations SET digest = $1, created_by = $2, expires_at = $3 WHERE id = $4";
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let mut change = engine.change(permit).await?;
    orgs::lock(change.tx(), org_id).await?;
    let found: Option<(EmailAddress, Role)> = on!(change.on(), c => sqlx::query_as(SELECT)
        .bind(id).bind(org_id).bind(now).fetch_optional(c).await)?;
    let (email, role) = found.ok_or(InviteError::NotFound)?;
    check_grant(&mut change, permit, role).await?;
    let token = InvitationToken::generate(&engine.random)?;
    let expires_at = now.plus(LIFETIME);
    let digest = token.digest(engine);
    on!(change.on(), c => sqlx::query(UPDATE)
        .bind(digest.as_bytes()).bind(inviter(permit)).bind(expires_at).bind(id).execute(c).await.map(drop))?;
    let renewed = Happened::new(Event::InvitationRenewed, Target::Invitation(id));
    let positions = change.commit_at(renewed).await?;
    Ok(CreatedInvitation {
        id,
        email,
        role,
        token,
        expires_at,
        position: positions.last,
    })
}
