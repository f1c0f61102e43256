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
    /// Its id, the same through every rotation.
    #[schema(value_type = String)]
    id: KeyId,
    /// Its name.
    name: &'a str,
    /// For servers, or for browsers.
    #[schema(value_type = words::KeyKind)]
    kind: Kind,
    /// Production, or everything else.
    #[schema(value_type = words::KeyEnvironment)]
    environment: Environment,
    /// Whether it works, and if not, why not.
    #[schema(value_type = words::KeyStatus)]
    status: Status,
    /// The id of the project that it belongs to.
    #[schema(value_type = String)]
    project: ProjectId,
    /// What it may do; when empty, what the convention says.
    #[schema(value_type = Vec<String>)]
    scopes: &'a [Scope],
    /// Where a widget key works.
    #[schema(value_type = Vec<String>)]
    domains: &'a [DomainPattern],
    /// Whether pages on localhost may not use it, where the convention leaves that to the key.
    localhost_forbidden: bool,
    /// The addresses that its users come from; empty means any.
    #[schema(value_type = Vec<String>)]
    ip_ranges: &'a [IpRange],
    /// The front and the last four characters.
    display: &'a str,
    /// When it was made.
    #[schema(value_type = jiff::Timestamp)]
    created_at: Option<jiff::Timestamp>,
    /// When it stops by itself; null for never.
    #[schema(required)]
    expires_at: Option<jiff::Timestamp>,
    /// When it last let a request pass.
    #[schema(required)]
    last_used_at: Option<jiff::Timestamp>,
    /// The id of the person who made it; null for the operator.
    #[schema(value_type = Option<String>, required)]
    created_by: Option<UserId>,
    /// What its makers wrote about it.
    notes: &'a str,
    /// What API servers are told of it with each answer.
    #[schema(value_type = Object)]
    metadata: &'a Metadata,
    /// The secret before the last rotation, as long as it still works; null when there is none.
    #[schema(value_type = Option<OldSecretObject>, required)]
    old_secret: Option<OldSecretObject<'a>>,
    /// When it was switched off, if it is.
    #[schema(required)]
    disabled_at: Option<jiff::Timestamp>,
    /// When it was ended, if it was.
    #[schema(required)]
    revoked_at: Option<jiff::Timestamp>,
    /// Why it was ended, if it was.
    #[schema(value_type = Option<words::KeyRevokeReason>, required)]
    revoke_reason: Option<RevokeReason>,
    /// The plain text, in the answer that first holds the secret alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<&'a str>,
}

/// A secret that a rotation replaced, and that works for a while yet.
#[derive(Serialize, ToSchema)]
#[schema(as = OldSecret)]
pub struct OldSecretObject<'a> {
    /// The front and the last four characters.
    display: &'a str,
    /// When it stops by itself.
    #[schema(value_type = jiff::Timestamp)]
    ends_at: Option<jiff::Timestamp>,
    /// When it last let a request pass.
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
