//! Cached keys, with only the data needed for verification.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    db::{StorageError, places},
    id::{KeyId, OrgId, SecretId},
    key::{Environment, Kind, Lifecycle, settings::KeySettings},
    keys::store::{COLUMNS, SettingsRow},
    rate_limit::Windows,
    time::Timestamp,
    usage::subject::{Cell, Group},
};

/// The key data needed for verification.
#[derive(Debug)]
pub struct KnownKey {
    /// The key's ID.
    pub id: KeyId,
    /// The secrets that worked when the key was read. For a replaced secret, also its end.
    pub(super) secrets: Vec<(SecretId, Option<Timestamp>)>,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The key's org.
    pub org_id: OrgId,
    /// The settings chosen by owners, without the notes.
    pub settings: KeySettings,
    /// The timestamps that determine the status.
    pub lifecycle: Lifecycle,
    /// The rate limit windows, shared by all secrets of the key.
    pub(super) windows: Arc<Windows>,
    /// Whether the newest secret was used here beside an old one since the key was read.
    pub(super) is_rotation_used: AtomicBool,
}

/// The columns of a [`KnownKey`].
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: KeyId,
    kind: Kind,
    environment: Environment,
    org_id: OrgId,
    #[sqlx(flatten)]
    settings: SettingsRow,
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
}

/// Selects the digests that exist of `digests` digests, with their secret and its key, which never change.
pub(super) fn select_by_digest(digests: usize) -> String {
    let places = places(1, digests);
    format!("SELECT digest, key_id, id FROM key_secrets WHERE digest IN ({places})")
}

/// Selects `keys` keys by ID.
pub(super) fn select(keys: usize) -> String {
    let places = places(1, keys);
    format!(
        "SELECT keys.id, keys.kind, keys.environment, keys.org_id, keys.disabled_at, keys.revoked_at, {COLUMNS} \
         FROM keys WHERE keys.id IN ({places})"
    )
}

/// Selects the secrets of `keys` keys that work at $1: at most two of each, unless overlapping rotations are allowed.
pub(super) fn select_secrets(keys: usize) -> String {
    let places = places(2, keys);
    format!(
        "SELECT key_id, id, ends_at FROM key_secrets \
         WHERE key_id IN ({places}) AND (ends_at IS NULL OR ends_at > $1)"
    )
}

impl KnownKey {
    /// The keys that this one's requests are counted with.
    pub(super) fn cell(&self) -> Cell {
        Cell {
            project: self.settings.project,
            group: Group::Keys(self.kind, self.environment),
        }
    }

    /// Whether the secret `id` of the key works at `now`.
    pub(super) fn has_secret(&self, id: SecretId, now: Timestamp) -> bool {
        let mut secrets = self.secrets.iter();
        secrets.any(|(known, ends_at)| *known == id && ends_at.is_none_or(|at| at > now))
    }

    /// Whether this is the first use here of the newest secret, while an old one still works. Until the use is stored,
    /// another instance would replace the secret as unused.
    pub(super) fn is_first_use_beside_old_one(&self, id: SecretId) -> bool {
        self.secrets.len() > 1
            && self.secrets.contains(&(id, None))
            && !self.is_rotation_used.swap(true, Ordering::Relaxed)
    }

    pub(super) fn from_row(
        row: Row,
        secrets: Vec<(SecretId, Option<Timestamp>)>,
        windows: Arc<Windows>,
    ) -> Result<Self, StorageError> {
        let mut settings = row.settings.read()?;
        settings.notes = String::new();
        Ok(Self {
            id: row.id,
            secrets,
            kind: row.kind,
            environment: row.environment,
            org_id: row.org_id,
            settings,
            lifecycle: row.lifecycle,
            windows,
            is_rotation_used: AtomicBool::new(false),
        })
    }
}
