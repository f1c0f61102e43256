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
use utoipa::ToSchema;

use crate::openapi::words;

/// A key.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyObject<'a> {
    /// The ID of the key. It does not change when the key is rotated.
    #[schema(value_type = String)]
    id: KeyId,
    /// The name.
    name: &'a str,
    /// The kind: for servers or for browsers.
    #[schema(value_type = words::KeyKind)]
    kind: Kind,
    /// The environment: production or everything else.
    #[schema(value_type = words::KeyEnvironment)]
    environment: Environment,
    /// The status. Only `active` keys work.
    #[schema(value_type = words::KeyStatus)]
    status: Status,
    /// The ID of the project.
    #[schema(value_type = String)]
    project: ProjectId,
    /// The scopes. Empty means the default of the convention.
    #[schema(value_type = Vec<String>)]
    scopes: &'a [Scope],
    /// The domains on which a widget key works.
    #[schema(value_type = Vec<String>)]
    domains: &'a [DomainPattern],
    /// Whether pages on localhost are blocked. Only if the convention offers this choice.
    localhost_forbidden: bool,
    /// The IP ranges that can use the key. Empty means any address.
    #[schema(value_type = Vec<String>)]
    ip_ranges: &'a [IpRange],
    /// The beginning and the last four characters.
    display: &'a str,
    /// When it was created.
    #[schema(value_type = jiff::Timestamp)]
    created_at: Option<jiff::Timestamp>,
    /// When it expires. Null means never.
    #[schema(required)]
    expires_at: Option<jiff::Timestamp>,
    /// When it was last used successfully.
    #[schema(required)]
    last_used_at: Option<jiff::Timestamp>,
    /// The ID of the user who created it. Null for the operator.
    #[schema(value_type = Option<String>, required)]
    created_by: Option<UserId>,
    /// The notes of your team.
    notes: &'a str,
    /// Metadata that each verification returns to your API servers.
    #[schema(value_type = Object)]
    metadata: &'a Metadata,
    /// The previous secret, while it still works. Null if there is none.
    #[schema(value_type = Option<OldSecretObject>, required)]
    old_secret: Option<OldSecretObject<'a>>,
    /// When it was disabled, if it is disabled.
    #[schema(required)]
    disabled_at: Option<jiff::Timestamp>,
    /// When it was revoked, if it was revoked.
    #[schema(required)]
    revoked_at: Option<jiff::Timestamp>,
    /// Why it was revoked, if it was revoked.
    #[schema(value_type = Option<words::KeyRevokeReason>, required)]
    revoke_reason: Option<RevokeReason>,
    /// The plaintext key. Returned only when the secret is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<&'a str>,
}

/// The previous secret of a rotated key, which still works until `ends_at`.
#[derive(Serialize, ToSchema)]
#[schema(as = OldSecret)]
pub struct OldSecretObject<'a> {
    /// The beginning and the last four characters.
    display: &'a str,
    /// When it stops working.
    #[schema(value_type = jiff::Timestamp)]
    ends_at: Option<jiff::Timestamp>,
    /// When it was last used successfully.
    #[schema(required)]
    last_used_at: Option<jiff::Timestamp>,
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
            localhost_forbidden: key.localhost_forbidden,
            ip_ranges: &key.ip_ranges,
            display: &summary.display,
            created_at: instant(summary.created_at),
            expires_at: summary.lifecycle.expires_at.and_then(instant),
            last_used_at: summary.last_used_at.and_then(instant),
            created_by: key.created_by.as_ref().map(|(id, _)| *id),
            notes: &key.notes,
            metadata: &key.metadata,
            old_secret: key
                .old_secret
                .as_ref()
                .filter(|old| old.ends_at > now)
                .map(|old| OldSecretObject {
                    display: &old.display,
                    ends_at: instant(old.ends_at),
                    last_used_at: old.last_used_at.and_then(instant),
                }),
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
