//! The people of the team, with random passwords.

use latchkey::{
    Engine,
    access::{Operator, Org},
    accounts::create_user::{NewUser, create_user},
    id::UserId,
    random::Randomness,
    role::Role,
};

use super::error::{DemoError, failed};

/// An account of the team.
#[derive(Debug)]
pub struct SignIn {
    /// The role in the team.
    pub role: Role,
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// Creates the person who has this role.
pub async fn add_person(
    engine: &Engine,
    operator: &Operator,
    org: &Org,
    role: Role,
) -> Result<(UserId, SignIn), DemoError> {
    let invalid = "an account is invalid";
    let password = new_password()?;
    let email = format!("{role}@northwind.example");
    let name = match role {
        Role::Owner => "Dana Reyes",
        Role::Admin => "Ari Kim",
        Role::Member => "Sam Ortiz",
    };
    let new = NewUser {
        name: name.parse().map_err(failed(invalid))?,
        email: email.parse().map_err(failed(invalid))?,
        role,
        password: password.parse().map_err(failed(invalid))?,
        is_operator: role == Role::Owner,
    };
    let user = create_user(engine, operator, org, new).await;
    let user = user.map_err(failed("an account was not created"))?;
    let sign_in = SignIn {
        role,
        email,
        password,
    };
    Ok((user, sign_in))
}

/// Twenty letters and digits, always from the system's randomness.
fn new_password() -> Result<String, DemoError> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = Randomness::System.bytes::<20>();
    let bytes = bytes.map_err(failed("no password was created"))?;
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    Ok(bytes.into_iter().map(letter).collect())
}
