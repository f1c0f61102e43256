//! Withdrawing an invitation.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::InvitationId,
    idempotency::note_gone,
    orgs,
};

/// Why an invitation was not withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// The organization has no such invitation.
    #[error("This invitation was used, withdrawn, or has expired.")]
    NotFound,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(WithdrawError);

/// Withdraws an invitation. Its link no longer works.
///
/// # Errors
/// If the org has no such invitation.
pub async fn withdraw(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    id: InvitationId,
) -> Result<(), WithdrawError> {
    const SQL: &str =
        "DELETE FROM invitations WHERE id = $1 AND org_id = $2 RETURNING creation_token";
    let mut change = engine.change(permit).await?;
    orgs::lock(change.tx(), permit.org_id()).await?;
    let deleted: Option<Option<String>> = on!(change.on(), c => sqlx::query_scalar(SQL)
        .bind(id).bind(permit.org_id()).fetch_optional(c).await)?;
    let creation_token = deleted.ok_or(WithdrawError::NotFound)?;
    note_gone(change.tx(), creation_token.as_deref()).await?;
    let withdrawn = Happened::new(Event::InvitationWithdrawn, Target::Invitation(id));
    Ok(change.commit(withdrawn).await?)
}
