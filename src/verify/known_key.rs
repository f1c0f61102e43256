//! A key as the cache holds it: what a verification needs to know, and nothing else.

use std::sync::Arc;

use crate::{
    convention::Scope,
    db::StorageError,
    domain::DomainPattern,
    id::{KeyId, OrgId, ProjectId, SecretId},
    ip_range::IpRange,
    key::{Environment, Kind, Lifecycle},
    name::{KeyName, Slug},
    rate_limit::Windows,
    time::Timestamp,
};

/// A key as verification knows it.
#[derive(Debug)]
pub struct KnownKey {
    /// Its id.
    pub id: KeyId,
    /// Which of its secrets was presented.
    pub secret_id: SecretId,
    /// When that secret stops working, if it is an old one.
    pub secret_ends_at: Option<Timestamp>,
    /// Its name.
    pub name: KeyName,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// The org it belongs to.
    pub org_id: OrgId,
    /// That org's name in addresses.
    pub org_slug: Slug,
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
    /// Whether its org lets secret keys through when a browser made the request.
    pub secrets_in_browsers: bool,
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
    secret_id: SecretId,
    ends_at: Option<Timestamp>,
    name: KeyName,
    kind: Kind,
    environment: Environment,
    org_id: OrgId,
    slug: Slug,
    project_id: ProjectId,
    scopes: String,
    domains: String,
    localhost_forbidden: bool,
    ip_ranges: String,
    secrets_in_browsers: bool,
    metadata: String,
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
}

/// Reads a key by the digest of one of its secrets.
pub(super) const SELECT_BY_DIGEST: &str = "SELECT keys.id, key_secrets.id AS secret_id, key_secrets.ends_at, \
     keys.name, keys.kind, keys.environment, keys.org_id, orgs.slug, keys.project_id, keys.scopes, keys.domains, \
     keys.localhost_forbidden, keys.ip_ranges, orgs.secrets_in_browsers, keys.metadata, keys.expires_at, keys.disabled_at, keys.revoked_at \
     FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id JOIN orgs ON orgs.id = keys.org_id \
     WHERE key_secrets.digest = $1";

impl KnownKey {
    pub(super) fn from_row(row: Row, windows: Arc<Windows>) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            secret_id: row.secret_id,
            secret_ends_at: row.ends_at,
            name: row.name,
            kind: row.kind,
            environment: row.environment,
            org_id: row.org_id,
            org_slug: row.slug,
            project_id: row.project_id,
            scopes: crate::db::from_json(&row.scopes)?,
            domains: crate::keys::stored_domains(&row.domains)?,
            localhost_forbidden: row.localhost_forbidden,
            ip_ranges: crate::db::from_json(&row.ip_ranges)?,
            secrets_in_browsers: row.secrets_in_browsers,
            metadata: crate::db::from_json(&row.metadata)?,
            lifecycle: row.lifecycle,
            windows,
        })
    }
}
