//! Changing the role of a member.

use super::{MemberError, Standing};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    id::UserId,
    orgs,
    role::Role,
};

/// Gives a member another role. It applies from their next request on, on every instance. Nothing is recorded if the
/// member already has the role.
///
/// # Errors
/// If the user is not a member, or is the last owner and would no longer be one, or the caller has not entered their
/// password to make someone an owner.
pub async fn change_role(
    engine: &Engine,
    permit: &Permit<to::ChangeRoles>,
    user_id: UserId,
    role: Role,
) -> Result<(), MemberError> {
    const SQL: &str = "UPDATE memberships SET role = $1 WHERE org_id = $2 AND user_id = $3";
    if role == Role::Owner {
        permit.check_confirmed()?;
    }
    let org_id = permit.org_id();
    let mut change = engine.change(permit).await?;
    // Of two owners who demote each other concurrently, the second one sees what the first one did.
    orgs::lock(change.tx(), org_id).await?;
    let before = Standing::of(change.tx(), org_id, user_id).await?;
    if before.role == role {
        return Ok(());
    }
    before
        .check_replaceable(change.tx(), org_id, user_id)
        .await?;
    on!(change.on(), c => sqlx::query(SQL).bind(role).bind(org_id).bind(user_id).execute(c).await.map(drop))?;
    let changed = Happened::new(Event::MemberRoleChanged, Target::User(user_id));
    let changed = changed.changed("role", before.role.to_string(), role.to_string());
    Ok(change.commit(changed).await?)
}
