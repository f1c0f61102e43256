//! People: sign-up, sign-in, passwords and the sessions that a sign-in opens (design §10).

pub mod attempts;
mod common_passwords;
pub mod create_user;
pub mod known_browser;
pub mod lifecycle;
pub mod password;
pub mod sessions;
pub mod setup_code;
pub mod sign_in;
pub mod sign_up;

use serde::{Deserialize, Serialize};

use crate::{
    Engine,
    db::{StorageError, on},
    email::EmailAddress,
    id::UserId,
    name::DisplayName,
};

/// Who may make an account without being invited. The first account also needs the setup code (see [`setup_code`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUpPolicy {
    /// Only people whom an owner invited, and whoever has the setup code while there is no account.
    Invite,
    /// Everyone.
    Open,
    /// No one.
    Closed,
}

/// A person with an account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: DisplayName,
    /// Their address.
    pub email: EmailAddress,
}

/// The person with this id.
///
/// # Errors
/// When the database cannot be asked.
pub async fn find_user(engine: &Engine, id: UserId) -> Result<Option<User>, StorageError> {
    const SQL: &str = "SELECT id, name, email FROM users WHERE id = $1";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?)
}
