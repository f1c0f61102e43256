//! Handing over a new secret: whoever rotates a key that a member asked for can let that member reveal the new secret, within
//! [`OPEN_FOR`], so that nobody has to send it.
//!
//! An offer changes nothing: no secret exists until the member reveals it, which rotates the key as whoever offered it would have
//! done, and from then on the chosen overlap counts. An offer counts as long as whoever made it can rotate keys and sign in. It
//! ends when it is withdrawn, when the key is rotated or revoked in any other way, and with the membership of the member.
//!
//! A key has at most one row, and ended ones are deleted: the audit log keeps what happened.

pub(crate) mod ended;
mod offer;
mod reveal;
mod row;
mod withdraw;

pub use self::{
    offer::{OfferError, offer},
    reveal::{RevealError, Revealed, reveal},
    row::{find, find_own, list_own, recipient},
    withdraw::{WithdrawError, withdraw},
};

use crate::{
    Engine,
    db::{StorageError, on},
    id::{KeyId, UserId},
    name::{DisplayName, KeyName},
    time::{DAY, SECOND, Timestamp},
};

/// How long a new secret can be revealed, in milliseconds.
pub const OPEN_FOR: i64 = 7 * DAY;

/// A new secret that waits for a member.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct HandOver {
    /// The key.
    pub key_id: KeyId,
    /// Its name.
    pub key_name: KeyName,
    /// The member who can reveal the new secret.
    pub user_id: UserId,
    /// Their name.
    pub member: DisplayName,
    /// Who lets them.
    pub offered_by: UserId,
    /// Their name.
    pub offerer: DisplayName,
    /// How long the old secret works once the new one is revealed, in seconds.
    pub overlap_seconds: i64,
    /// When it was offered.
    pub created_at: Timestamp,
    /// Until when the new secret can be revealed.
    pub expires_at: Timestamp,
    /// The token of the form that offered it.
    token: Option<String>,
}

impl HandOver {
    /// How long the old secret works once the new one is revealed, in milliseconds.
    pub const fn overlap(&self) -> i64 {
        self.overlap_seconds * SECOND
    }
}

/// Deletes those that nobody revealed in time.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM key_hand_overs WHERE expires_at <= $1";
    Ok(on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(engine.clock.now()).execute(c).await.map(drop))?)
}
