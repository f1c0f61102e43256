//! People whom the operator adds at the command line.

use crate::{
    Engine,
    access::{Operator, Org, to},
    db::StorageError,
    email::EmailAddress,
    id::UserId,
    name::DisplayName,
    orgs,
    role::Role,
};

use super::{
    User,
    password::{self, HashError, HashFor, NewPassword},
    sign_up::{self, SignUpError},
};

/// Why a person was not added.
#[derive(Debug, thiserror::Error)]
pub enum CreateUserError {
    /// The address has an account.
    #[error("An account for `{0}` already exists.")]
    EmailTaken(EmailAddress),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The account could not be made.
    #[error(transparent)]
    SignUp(SignUpError),
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Adds a person with an account of their own to an org.
///
/// # Errors
/// When the address has an account.
pub async fn create_user(
    engine: &Engine,
    operator: &Operator,
    org: &Org,
    name: &DisplayName,
    email: &EmailAddress,
    role: Role,
    password: NewPassword,
) -> Result<UserId, CreateUserError> {
    let password_hash = password::hash(engine, password, HashFor::CommandLine).await?;
    let permit = operator.permit::<to::InviteMembers>(org);
    let mut change = engine.change(&permit).await?;
    let now = engine.clock.now();
    let user = User {
        id: sign_up::new_user_id(engine)
            .map_err(SignUpError::from)
            .map_err(CreateUserError::SignUp)?,
        name: name.clone(),
        email: email.clone(),
    };
    sign_up::insert_user(change.tx(), &user, &password_hash, now)
        .await
        .map_err(|error| match error {
            SignUpError::NotAvailable => CreateUserError::EmailTaken(email.clone()),
            other => CreateUserError::SignUp(other),
        })?;
    orgs::insert_membership(change.tx(), org.id, user.id, role, now).await?;
    change.commit(sign_up::joined(user.id, role)).await?;
    Ok(user.id)
}
