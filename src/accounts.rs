//! Users: sign-up, sign-in, passwords and sessions (design §10).

pub mod address;
pub mod attempts;
mod common_passwords;
pub mod confirmed;
pub mod create_user;
pub mod delete;
pub mod export;
pub mod half_signed_in;
pub(crate) mod hash_queues;
pub mod known_browser;
pub mod lifecycle;
pub mod links;
pub(crate) mod lock;
pub mod password;
pub mod rename;
pub mod reset;
pub mod second_factor;
pub mod second_step;
pub mod session_list;
pub mod sessions;
pub mod setup_code;
pub mod sign_in;
pub mod sign_up;
pub mod time_zone;

use serde::{Deserialize, Serialize};

use crate::{
    Engine,
    db::{StorageError, on},
    email::EmailAddress,
    id::UserId,
    name::DisplayName,
};

/// Who can create an account without an invitation. The first account also needs the setup code (see [`setup_code`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUpPolicy {
    /// Only people invited by an owner, and, while there is no account yet, anyone who has the setup code.
    Invite,
    /// Everyone.
    Open,
    /// No one.
    Closed,
}

/// A person with an account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct User {
    /// The user's ID.
    pub id: UserId,
    /// The user's display name.
    pub name: DisplayName,
    /// The user's email address.
    pub email: EmailAddress,
    /// Whether the user has shown that the address is theirs. Until then, it is only the name they sign in with.
    pub email_confirmed: bool,
}

/// Returns the user with this ID.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find_user(engine: &Engine, id: UserId) -> Result<Option<User>, StorageError> {
    const SQL: &str = "SELECT id, name, email, email_confirmed FROM users WHERE id = $1";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?)
}
