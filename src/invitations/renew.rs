//! A new link for an invitation.

use super::{
    InvitationToken, LIFETIME,
    create::{
        CreatedInvitation, InviteError, check_grant, count_letter, inviter, letter,
        take_back_unless_sent,
    },
    list::find,
};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    email::EmailAddress,
    event::{Event, Target},
    id::InvitationId,
    mail::{MailPlace, Sender},
    orgs,
    role::Role,
};

/// Replaces the link of an invitation, which can be accepted for another seven days. The old link no longer works. The
/// new one is sent by mail alone, or returned where no mail is set up.
///
/// # Errors
/// If the org has no such invitation, or it has expired.
pub async fn renew(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    id: InvitationId,
) -> Result<CreatedInvitation, InviteError> {
    let place = engine.mail_place(Sender::Org(permit.org_id()))?;
    let invitation = find(engine, permit, id).await?;
    let email = invitation.ok_or(InviteError::NotFound)?.email;
    let letter = count_letter(engine, permit, &email).await?;
    let renewed = update(engine, permit, id, place).await;
    take_back_unless_sent(engine, letter, &renewed).await?;
    renewed
}

async fn update(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    id: InvitationId,
    place: Option<MailPlace>,
) -> Result<CreatedInvitation, InviteError> {
    const SELECT: &str =
        "SELECT email, role FROM invitations WHERE id = $1 AND org_id = $2 AND expires_at > $3";
    const UPDATE: &str = "UPDATE invitations SET digest = $1, created_by = $2, expires_at = $3, by_mail = $4 WHERE id = $5";
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
        .bind(digest.as_bytes()).bind(inviter(permit)).bind(expires_at).bind(engine.sends_mail).bind(id).execute(c).await.map(drop))?;
    let renewed = Happened::new(Event::InvitationRenewed, Target::Invitation(id));
    let letter = letter(&mut change, permit, email.clone(), role, &token, expires_at).await?;
    change.posts(place, letter);
    let positions = change.commit_at(renewed).await?;
    Ok(CreatedInvitation {
        id,
        email,
        role,
        token: (!engine.sends_mail).then_some(token),
        expires_at,
        position: positions.last,
    })
}
