//! Operations on an org's keys. Each takes the [`Permit`](crate::access::Permit) for what it does.

pub mod change_state;
pub mod create;
pub mod edit;
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

/// What every role may know of a key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct KeySummary {
    /// Its id, the same through every rotation.
    pub id: KeyId,
    /// Its name.
    pub name: KeyName,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The front and the last four characters.
    pub display: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last let a request pass.
    pub last_used_at: Option<Timestamp>,
    /// What decides its status.
    #[sqlx(flatten)]
    pub lifecycle: Lifecycle,
    /// Why it was revoked, if it was.
    pub revoke_reason: Option<RevokeReason>,
}

/// What owners and admins may know of a key besides.
#[derive(Debug, Clone)]
pub struct Key {
    /// What everyone may know.
    pub summary: KeySummary,
    /// What owners set.
    pub settings: KeySettings,
    /// The name of its project.
    pub project_name: DisplayName,
    /// The old secret that still works after a rotation, if there is one.
    pub old_secret: Option<OldSecret>,
    /// When the last of the secrets that rotations replaced ends, or ended.
    pub last_secret_ended_at: Option<Timestamp>,
    /// Who created it, while they have an account.
    pub created_by: Option<(UserId, DisplayName)>,
}

/// A secret that a rotation replaced, and that works for a while yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldSecret {
    /// Its front and its last four characters.
    pub display: String,
    /// When it stops by itself.
    pub ends_at: Timestamp,
    /// When it last let a request pass.
    pub last_used_at: Option<Timestamp>,
}

impl KeySummary {
    /// Its status at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        self.lifecycle.status(now)
    }
}

/// The columns of [`KeySummary`].
const SUMMARY_COLUMNS: &str = "keys.id, keys.name, keys.kind, keys.environment, keys.display, keys.created_at, \
     keys.last_used_at, keys.expires_at, keys.disabled_at, keys.revoked_at, keys.revoke_reason";
