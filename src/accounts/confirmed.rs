//! The proof that a signed-in user has just entered their password again, which the gravest actions require.

use crate::id::UserId;

/// A signed-in user who has just entered their password again. Only [`super::password::confirm`] creates it.
#[derive(Debug, Clone)]
pub struct Confirmed {
    user_id: UserId,
}

/// The action requires the user's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Enter your password.")]
pub struct PasswordNeeded;

impl Confirmed {
    pub(super) const fn new(user_id: UserId) -> Self {
        Self { user_id }
    }

    /// The user.
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }
}
