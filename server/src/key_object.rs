//! A key as the API's JSON object (design §11).

use latchkey::{
    convention::Scope,
    domain::DomainPattern,
    id::{KeyId, ProjectId, UserId},
    ip_range::IpRange,
    key::{Environment, Kind, RevokeReason, Status, text::PlainKey},
    keys::{Key, rules::Metadata},
    time::Timestamp,
};
use serde::Serialize;

/// A key for the operator. Times are RFC 3339 in UTC.
#[derive(Serialize)]
pub struct KeyObject<'a> {
    id: KeyId,
    name: &'a str,
    kind: Kind,
    environment: Environment,
    status: Status,
    project: ProjectId,
    scopes: &'a [Scope],
    domains: &'a [DomainPattern],
    ip_ranges: &'a [IpRange],
    display: &'a str,
    created_at: Option<jiff::Timestamp>,
    expires_at: Option<jiff::Timestamp>,
    last_used_at: Option<jiff::Timestamp>,
    created_by: Option<UserId>,
    notes: &'a str,
    metadata: &'a Metadata,
    disabled_at: Option<jiff::Timestamp>,
    revoked_at: Option<jiff::Timestamp>,
    revoke_reason: Option<RevokeReason>,
    /// The plain text, in the answer to the creation alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

impl<'a> KeyObject<'a> {
    /// The object of a key at `now`.
    pub fn new(key: &'a Key, now: Timestamp) -> Self {
        let summary = &key.summary;
        Self {
            id: summary.id,
            name: summary.name.as_str(),
            kind: summary.kind,
            environment: summary.environment,
            status: summary.status(now),
            project: key.project_id,
            scopes: &key.scopes,
            domains: &key.domains,
            ip_ranges: &key.ip_ranges,
            display: &summary.display,
            created_at: instant(summary.created_at),
            expires_at: summary.lifecycle.expires_at.and_then(instant),
            last_used_at: summary.last_used_at.and_then(instant),
            created_by: key.created_by.as_ref().map(|(id, _)| *id),
            notes: &key.notes,
            metadata: &key.metadata,
            disabled_at: summary.lifecycle.disabled_at.and_then(instant),
            revoked_at: summary.lifecycle.revoked_at.and_then(instant),
            revoke_reason: summary.revoke_reason,
            key: None,
        }
    }

    /// The same with the key's plain text, for the answer to its creation.
    pub fn with_plain(self, plain: &'a PlainKey) -> Self {
        Self {
            key: Some(plain.expose()),
            ..self
        }
    }
}

/// An instant as the API writes it; `None` beyond the year 9999.
pub fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(at.as_millis()).ok()
}
