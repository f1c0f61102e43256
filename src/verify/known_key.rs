//! A key as the cache holds it: what a verification needs to know, and nothing else.

use std::sync::Arc;

use crate::{
    db::{StorageError, places},
    id::{KeyId, OrgId, SecretId},
    key::{Environment, Kind, Lifecycle, settings::KeySettings},
    keys::store::{COLUMNS, SettingsRow},
    rate_limit::Windows,
    time::Timestamp,
};

/// A key as verification knows it.
#[derive(Debug)]
pub struct KnownKey {
    /// Its id.
    pub id: KeyId,
    /// Its secrets that worked when it was read, and when each stops if it is an old one.
    pub(super) secrets: Vec<(SecretId, Option<Timestamp>)>,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The org it belongs to.
    pub org_id: OrgId,
    /// What owners set, without the notes.
    pub settings: KeySettings,
    /// What decides its status.
    pub lifecycle: Lifecycle,
    /// What its rate limits leave of it, whichever of its secrets is presented.
    pub(super) windows: Arc<Windows>,
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

/// Reads which key a secret is of that has one of `digests` digests, and under which it is stored. The key never changes.
pub(super) fn select_by_digest(digests: usize) -> String {
    let places = places(1, digests);
    format!(
        "SELECT key_id, id, digest FROM key_secrets WHERE digest IN ({places}) ORDER BY pepper_version DESC LIMIT 1"
    )
}

/// Reads a key by its id.
pub(super) fn select() -> String {
    format!(
        "SELECT keys.id, keys.kind, keys.environment, keys.org_id, keys.disabled_at, keys.revoked_at, {COLUMNS} \
         FROM keys WHERE keys.id = $1"
    )
}

/// Reads the secrets of a key that work at $2: at most two, unless rotation allows more at the same time.
pub(super) const SELECT_SECRETS: &str = "SELECT id, ends_at FROM key_secrets \
     WHERE key_id = $1 AND (ends_at IS NULL OR ends_at > $2)";

impl KnownKey {
    /// Whether one of its secrets works at `now`.
    pub(super) fn has_secret(&self, id: SecretId, now: Timestamp) -> bool {
        let mut secrets = self.secrets.iter();
        secrets.any(|(known, ends_at)| *known == id && ends_at.is_none_or(|at| at > now))
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
        })
    }
}
