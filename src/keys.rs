//! Operations on an org's keys. Each requires the [`Permit`](crate::access::Permit) for its action.

pub mod change_state;
pub mod create;
pub mod edit;
pub mod export;
pub mod find_by_secret;
pub mod import;
pub mod list;
pub mod project;
mod revision;
pub mod rotate;
pub mod secrets;
pub mod show;
pub(crate) mod store;

pub(crate) use self::store::stored_domains;
use crate::{
    id::{KeyId, UserId},
    key::{Environment, Kind, Lifecycle, RevokeReason, Status, settings::KeySettings},
    name::{DisplayName, KeyName},
    time::Timestamp,
};

/// The data of a key that every role can see.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct KeySummary {
    /// The key's ID. It does not change when the key is rotated.
    pub id: KeyId,
    /// The display name.
    pub name: KeyName,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The first characters and the last four characters.
    pub display: String,
    /// When the key was created.
    pub created_at: Timestamp,
    /// When the key was last used in a valid request.
    pub last_used_at: Option<Timestamp>,
    /// The timestamps that determine the status.
    #[sqlx(flatten)]
    pub lifecycle: Lifecycle,
    /// Why the key was revoked, if it was.
    pub revoke_reason: Option<RevokeReason>,
}

/// The data of a key that owners and admins can see.
#[derive(Debug, Clone)]
pub struct Key {
    /// The part that every role can see.
    pub summary: KeySummary,
    /// The settings chosen by owners.
    pub settings: KeySettings,
    /// The project's display name.
    pub project_name: DisplayName,
    /// The old secret that still works after a rotation, if any.
    pub old_secret: Option<OldSecret>,
    /// When the last of the replaced secrets ends or ended.
    pub last_secret_ended_at: Option<Timestamp>,
    /// The user who created the key, unless the account was deleted.
    pub created_by: Option<(UserId, DisplayName)>,
    /// The owner who approved the creator's request for the key, if it was created that way.
    pub approved_by: Option<(UserId, DisplayName)>,
}

/// A secret that a rotation replaced and that still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSecret {
    /// The first characters and the last four characters.
    pub display: String,
    /// When the secret ends.
    pub ends_at: Timestamp,
    /// When the secret was last used in a valid request.
    pub last_used_at: Option<Timestamp>,
}

impl KeySummary {
    /// The status at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        self.lifecycle.status(now)
    }
}

/// The columns of [`KeySummary`].
const SUMMARY_COLUMNS: &str = "keys.id, keys.name, keys.kind, keys.environment, keys.display, keys.created_at, \
     keys.last_used_at, keys.expires_at, keys.disabled_at, keys.revoked_at, keys.revoke_reason";
