//! A key as the cache holds it: what a verification needs to know, and nothing else.

use std::sync::Arc;

use crate::{
    convention::Scope,
    db::{StorageError, places},
    domain::DomainPattern,
    id::{KeyId, OrgId, ProjectId, SecretId},
    ip_range::IpRange,
    key::{Environment, Kind, Lifecycle},
    name::KeyName,
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
    /// Its name.
    pub name: KeyName,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The org it belongs to.
    pub org_id: OrgId,
    /// The group of keys it belongs to.
    pub project_id: ProjectId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Where a widget key works.
    pub domains: Vec<DomainPattern>,
    /// Whether pages on localhost may not use it, where the convention leaves that to the key.
    pub localhost_forbidden: bool,
    /// The end clients' addresses that it works from; empty means all.
    pub ip_ranges: Vec<IpRange>,
    /// What its makers attached to it: a JSON object, handed to callers as it is.
    pub metadata: serde_json::Value,
    /// What decides its status.
    pub lifecycle: Lifecycle,
    /// What its rate limits leave of it, whichever of its secrets is presented.
    pub(super) windows: Arc<Windows>,
}

/// The columns of a [`KnownKey`].
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub id: KeyId,
    name: KeyName,
    kind: Kind,
    environment: Environment,
    org_id: OrgId,
    project_id: ProjectId,
    scopes: String,
    domains: String,
    localhost_forbidden: bool,
    ip_ranges: String,
    metadata: String,
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
pub(super) const SELECT: &str = "SELECT id, name, kind, environment, org_id, project_id, scopes, domains, \
     localhost_forbidden, ip_ranges, metadata, expires_at, disabled_at, revoked_at FROM keys WHERE id = $1";

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
        Ok(Self {
            id: row.id,
            secrets,
            name: row.name,
            kind: row.kind,
            environment: row.environment,
            org_id: row.org_id,
            project_id: row.project_id,
            scopes: crate::db::from_json(&row.scopes)?,
            domains: crate::keys::stored_domains(&row.domains)?,
            localhost_forbidden: row.localhost_forbidden,
            ip_ranges: crate::db::from_json(&row.ip_ranges)?,
            metadata: crate::db::from_json(&row.metadata)?,
            lifecycle: row.lifecycle,
            windows,
        })
    }
}
