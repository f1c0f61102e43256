//! How a member's membership ends. The keys, projects and tokens that they created stay, since these belong to the org.

use super::{MemberError, Standing};
use crate::{
    Engine,
    access::{Permit, to},
    change::{Change, Happened},
    db::on,
    event::{Event, Target},
    id::{OrgId, UserId},
    key_requests::{hand_over::ended::end_of_member, of_member::withdraw_all},
    orgs,
};

/// Removes a member from the org. Their next request finds no org.
///
/// # Errors
/// If the user is not a member, or is the last owner.
pub async fn remove(
    engine: &Engine,
    permit: &Permit<to::RemoveMembers>,
    user_id: UserId,
) -> Result<(), MemberError> {
    let change = engine.change(permit).await?;
    end(
        engine,
        change,
        permit.org_id(),
        user_id,
        Event::MemberRemoved,
    )
    .await
}

/// Ends the caller's own membership.
///
/// # Errors
/// If the caller is not a member, or is the last owner.
pub async fn leave(engine: &Engine, permit: &Permit<to::LeaveOrg>) -> Result<(), MemberError> {
    let caller = permit.caller().actor.user_id();
    let user_id = caller.ok_or(MemberError::NotFound)?;
    let change = match engine.change(permit).await {
        // They have left or were removed.
        Err(error) if error.is_of_ended_permit() => return Err(MemberError::NotFound),
        change => change?,
    };
    end(engine, change, permit.org_id(), user_id, Event::MemberLeft).await
}

async fn end(
    engine: &Engine,
    mut change: Change,
    org_id: OrgId,
    user_id: UserId,
    event: Event,
) -> Result<(), MemberError> {
    const SQL: &str = "DELETE FROM memberships WHERE org_id = $1 AND user_id = $2";
    // Of two owners who remove each other concurrently, the second one sees what the first one did.
    orgs::lock(change.tx(), org_id).await?;
    let member = Standing::of(change.tx(), org_id, user_id).await?;
    member
        .check_replaceable(change.tx(), org_id, user_id)
        .await?;
    on!(change.on(), c => sqlx::query(SQL).bind(org_id).bind(user_id).execute(c).await.map(drop))?;
    let withdrawn = withdraw_all(change.tx(), org_id, user_id, engine.clock.now()).await?;
    let withdrawn = Some(withdrawn).filter(|count| *count > 0);
    let ended_secrets = end_of_member(change.tx(), org_id, user_id).await?;
    let ended_secrets = Some(ended_secrets).filter(|count| *count > 0);
    let ended = Happened::new(event, Target::User(user_id));
    let ended = ended
        .changed("role", member.role.to_string(), None::<&str>)
        .changed("withdrawn_key_requests", None::<u64>, withdrawn)
        .changed("withdrawn_new_secrets", None::<u64>, ended_secrets);
    Ok(change.commit(ended).await?)
}
