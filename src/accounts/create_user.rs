//! Users that the operator creates on the command line.

use crate::{
    Engine,
    access::{Operator, Org, to},
    change::Events,
    email::EmailAddress,
    fault::{Fault, from_fault},
    id::UserId,
    limits::{LimitReached, Limited, check_added, check_room},
    members,
    name::DisplayName,
    operators::mark_in,
    role::Role,
};

use super::{
    User,
    hash_queues::HashFor,
    password::{self, NewPassword},
    sign_up,
};

/// Why a user was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateUserError {
    /// The email address already has an account.
    #[error("An account for `{0}` already exists.")]
    EmailTaken(EmailAddress),
    /// The org has reached its limit of members.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CreateUserError);

/// A user to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The display name.
    pub name: DisplayName,
    /// The e-mail address.
    pub email: EmailAddress,
    /// The role in the org.
    pub role: Role,
    /// The password.
    pub password: NewPassword,
    /// Whether the user is an operator of the instance.
    pub is_operator: bool,
}

/// Creates a user and adds them to an org.
///
/// # Errors
/// If the email address already has an account.
pub async fn create_user(
    engine: &Engine,
    operator: &Operator,
    org: &Org,
    new: NewUser,
) -> Result<UserId, CreateUserError> {
    // Checked before the hash, which is expensive.
    check_room(engine, org.id, Limited::Members, 1).await??;
    let place = engine.hashing.enter(HashFor::CommandLine)?;
    let password_hash = password::hash(engine, place, new.password).await?;
    let permit = operator.permit::<to::InviteMembers>(org);
    let mut change = engine.change(&permit).await?;
    let now = engine.clock.now();
    let user = User {
        id: sign_up::new_user_id(engine)?,
        name: new.name,
        email: new.email,
        email_confirmed: true,
    };
    if !sign_up::insert_user(change.tx(), &user, &password_hash, now).await? {
        return Err(CreateUserError::EmailTaken(user.email));
    }
    members::insert(change.tx(), org.id, user.id, new.role, now).await?;
    check_added(engine, change.tx(), org.id, Limited::Members).await??;
    let mut events = Events::from(sign_up::joined(user.id, new.role));
    if new.is_operator
        && let Some(marked) = mark_in(change.tx(), user.id, now).await?
    {
        events = events.and(marked);
    }
    change.commit(events).await?;
    Ok(user.id)
}
