//! Users that the operator creates on the command line.

use crate::{
    Engine,
    access::{Operator, Org, to},
    email::EmailAddress,
    fault::{Fault, from_fault},
    id::UserId,
    limits::{LimitReached, Limited, check_added, check_room},
    members,
    name::DisplayName,
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

/// Creates a user and adds them to an org.
///
/// # Errors
/// If the email address already has an account.
pub async fn create_user(
    engine: &Engine,
    operator: &Operator,
    org: &Org,
    name: &DisplayName,
    email: &EmailAddress,
    role: Role,
    password: NewPassword,
) -> Result<UserId, CreateUserError> {
    // Checked before the hash, which is expensive.
    check_room(engine, org.id, Limited::Members, 1).await??;
    let place = engine.hashing.enter(HashFor::CommandLine)?;
    let password_hash = password::hash(engine, place, password).await?;
    let permit = operator.permit::<to::InviteMembers>(org);
    let mut change = engine.change(&permit).await?;
    let now = engine.clock.now();
    let user = User {
        id: sign_up::new_user_id(engine)?,
        name: name.clone(),
        email: email.clone(),
        email_confirmed: true,
    };
    if !sign_up::insert_user(change.tx(), &user, &password_hash, now).await? {
        return Err(CreateUserError::EmailTaken(user.email));
    }
    members::insert(change.tx(), org.id, user.id, role, now).await?;
    check_added(engine, change.tx(), org.id, Limited::Members).await??;
    change.commit(sign_up::joined(user.id, role)).await?;
    Ok(user.id)
}
