//! Operations on an org's keys. Each takes the [`Permit`](crate::access::Permit) for what it does.

pub mod change_state;
pub mod create;
pub mod edit;
pub mod import;
pub mod list;
pub mod project;
mod revision;
pub mod rotate;
pub mod rules;
pub mod secrets;
pub mod show;

use crate::{
    convention::Scope,
    db::{StorageError, from_json},
    domain::DomainPattern,
    id::{KeyId, ProjectId, UserId},
    ip_range::IpRange,
    key::{Environment, Kind, Lifecycle, RevokeReason, Status},
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
    /// When it was made.
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
    /// The group of keys it belongs to.
    pub project_id: ProjectId,
    /// The name of that group.
    pub project_name: DisplayName,
    /// What it may do; empty means what the convention says.
    pub scopes: Vec<Scope>,
    /// Where a widget key works.
    pub domains: Vec<DomainPattern>,
    /// Whether pages on localhost may not use it.
    pub localhost_forbidden: bool,
    /// The addresses that its users come from; empty means any.
    pub ip_ranges: Vec<IpRange>,
    /// What its makers wrote about it.
    pub notes: String,
    /// What API servers are told of it with each answer.
    pub metadata: rules::Metadata,
    /// The old secret that still works after a rotation, if there is one.
    pub old_secret: Option<OldSecret>,
    /// When the last of the secrets that rotations replaced ends, or ended.
    pub last_secret_ended_at: Option<Timestamp>,
    /// Who made it, while they have an account.
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

/// Reads the column `domains`, whose patterns were refused or accepted when they were stored.
pub(crate) fn stored_domains(column: &str) -> Result<Vec<DomainPattern>, StorageError> {
    let texts: Vec<String> = from_json(column)?;
    texts
        .iter()
        .map(|text| DomainPattern::parse_stored(text).map_err(StorageError::unreadable))
        .collect()
}
