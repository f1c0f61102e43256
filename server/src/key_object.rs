//! The JSON of a key (design §11): as returned by the API and by verifications, and the bodies that create and change
//! it.

use latchkey::{
    Engine,
    convention::{MAX_SCOPES, Scope},
    domain::{DomainPattern, MAX_PATTERNS},
    id::{KeyId, ProjectId, UserId},
    ip_range::{IpRange, MAX_RANGES},
    key::{
        Environment, Kind, RevokeReason, Status,
        metadata::Metadata,
        settings::{KeySettings, SettingsChange},
        text::PlainKey,
    },
    keys::{Key, create::NewKey},
    list::AtMost,
    name::KeyName,
    policy::KeyPolicy,
    time::{DAY, Rfc3339, SentInstant, Timestamp},
    verify::{KnownKey, KnownOrg},
};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::{
    openapi::words,
    problem::{FieldError, Problem},
    rest::{
        body::{IS_REQUIRED, nullable, required},
        fields::WholeNumber,
    },
};

/// A key.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyObject<'a> {
    /// The ID of the key. It does not change when the key is rotated.
    #[schema(value_type = String)]
    id: KeyId,
    /// The name.
    name: &'a str,
    /// The ID of the user or object that the key is for, in your own system.
    #[schema(required)]
    external_id: Option<&'a str>,
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
    project: Option<ProjectId>,
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
    created_at: Rfc3339,
    /// When it expires. Null means never.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    expires_at: Option<Rfc3339>,
    /// When it was last used successfully.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    last_used_at: Option<Rfc3339>,
    /// The ID of the user who created it. Null for the operator.
    #[schema(value_type = Option<String>, required)]
    created_by: Option<UserId>,
    /// The ID of the owner who approved the creator's request for it. Null if it was not requested.
    #[schema(value_type = Option<String>, required)]
    approved_by: Option<UserId>,
    /// The notes of your team.
    notes: &'a str,
    /// Metadata that each verification returns to your API servers.
    #[schema(value_type = Object)]
    metadata: &'a Metadata,
    /// The previous secret, while it still works. Null if there is none.
    #[schema(value_type = Option<OldSecretObject>, required)]
    old_secret: Option<OldSecretObject<'a>>,
    /// When it was disabled, if it is disabled.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    disabled_at: Option<Rfc3339>,
    /// When it was revoked, if it was revoked.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    revoked_at: Option<Rfc3339>,
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
    ends_at: Rfc3339,
    /// When it was last used successfully.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    last_used_at: Option<Rfc3339>,
}

/// A key, as API servers receive it.
#[derive(Serialize, ToSchema)]
pub struct VerifiedKey<'a> {
    /// The ID of the key. It does not change when the key is rotated.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    id: &'a dyn std::fmt::Display,
    /// The name.
    name: &'a str,
    /// The ID of the user or object that the key is for, in your own system.
    #[schema(required)]
    external_id: Option<&'a str>,
    /// The kind: for servers or for browsers.
    #[schema(value_type = words::KeyKind)]
    kind: &'static str,
    /// The environment: production or everything else.
    #[schema(value_type = words::KeyEnvironment)]
    environment: &'static str,
    /// The organization.
    org: VerifiedOrg<'a>,
    /// The ID of the project.
    #[schema(value_type = String)]
    project: Option<ProjectId>,
    /// The scopes. Empty means the default of the convention.
    #[schema(value_type = Vec<String>)]
    scopes: &'a [Scope],
    /// When it expires. Null means never.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    expires_at: Option<Rfc3339>,
    /// The metadata of the key.
    #[schema(value_type = Object)]
    metadata: &'a Metadata,
}

/// The organization of a key.
#[derive(Serialize, ToSchema)]
pub struct VerifiedOrg<'a> {
    /// The ID.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    id: &'a dyn std::fmt::Display,
    /// The name in URLs.
    slug: &'a str,
}

impl<'a> VerifiedKey<'a> {
    /// Combines a key and its organization.
    pub fn new(key: &'a KnownKey, org: &'a KnownOrg) -> Self {
        Self {
            id: &key.id,
            name: key.settings.name.as_str(),
            external_id: key.settings.external_id.as_deref(),
            kind: key.kind.as_str(),
            environment: key.environment.as_str(),
            org: VerifiedOrg::from(org),
            project: key.settings.project,
            scopes: &key.settings.scopes,
            expires_at: key.lifecycle.expires_at.map(Timestamp::rfc3339),
            metadata: &key.settings.metadata,
        }
    }
}

impl<'a> From<&'a KnownOrg> for VerifiedOrg<'a> {
    fn from(org: &'a KnownOrg) -> Self {
        Self {
            id: &org.id,
            slug: org.slug.as_str(),
        }
    }
}

impl<'a> KeyObject<'a> {
    /// The object of a key at the time `now`.
    pub fn new(key: &'a Key, now: Timestamp) -> Self {
        let summary = &key.summary;
        Self {
            id: summary.id,
            name: summary.name.as_str(),
            external_id: key.settings.external_id.as_deref(),
            kind: summary.kind,
            environment: summary.environment,
            status: summary.status(now),
            project: key.settings.project,
            scopes: &key.settings.scopes,
            domains: &key.settings.domains,
            localhost_forbidden: key.settings.localhost_forbidden,
            ip_ranges: &key.settings.ip_ranges,
            display: &summary.display,
            created_at: summary.created_at.rfc3339(),
            expires_at: summary.lifecycle.expires_at.map(Timestamp::rfc3339),
            last_used_at: summary.last_used_at.map(Timestamp::rfc3339),
            created_by: key.created_by.as_ref().map(|(id, _)| *id),
            approved_by: key.approved_by.as_ref().map(|(id, _)| *id),
            notes: &key.settings.notes,
            metadata: &key.settings.metadata,
            old_secret: key
                .old_secret
                .as_ref()
                .filter(|old| old.ends_at > now)
                .map(|old| OldSecretObject {
                    display: &old.display,
                    ends_at: old.ends_at.rfc3339(),
                    last_used_at: old.last_used_at.map(Timestamp::rfc3339),
                }),
            disabled_at: summary.lifecycle.disabled_at.map(Timestamp::rfc3339),
            revoked_at: summary.lifecycle.revoked_at.map(Timestamp::rfc3339),
            revoke_reason: summary.revoke_reason,
            key: None,
        }
    }

    /// Adds the plaintext key, for the response to its creation.
    pub fn with_plain(self, plain: &'a PlainKey) -> Self {
        Self {
            key: Some(plain.expose()),
            ..self
        }
    }
}

/// The fields of a new key.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
pub struct NewKeyBody {
    /// The name of the key: 1 to 50 characters.
    #[schema(value_type = words::KeyName, required, nullable = false)]
    name: Option<KeyName>,
    /// The ID of the user or object that the key is for, in your own system: at most 255 characters, returned by each
    /// verification. Several keys can have the same external ID.
    #[schema(max_length = 255)]
    external_id: Option<String>,
    /// The kind: for servers or for browsers.
    #[schema(value_type = words::KeyKind, required, nullable = false)]
    kind: Option<Kind>,
    /// The environment: production or everything else. Default: `live`.
    #[schema(value_type = Option<words::KeyEnvironment>)]
    environment: Option<Environment>,
    /// The ID of the project. Default: the organization's first project.
    #[schema(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    project: Option<ProjectId>,
    /// The scopes. Default: defined by the convention.
    #[schema(value_type = Option<Vec<words::OfferedScope>>, max_items = 100)]
    scopes: Option<AtMost<Scope, MAX_SCOPES>>,
    /// The domains on which a widget key works.
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    domains: Option<AtMost<DomainPattern, MAX_PATTERNS>>,
    /// Whether pages on localhost are blocked. Only if the convention offers this choice.
    localhost_forbidden: Option<bool>,
    /// The IP ranges that can use the key, as CIDR. Default: any address.
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    ip_ranges: Option<AtMost<IpRange, MAX_RANGES>>,
    /// When the key expires. Null means never, if the convention and the policies of the organization allow it. Default:
    /// `expires_in_days`, or defined by these.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<jiff::Timestamp>)]
    expires_at: Option<Option<SentInstant>>,
    /// The number of days after which the key expires.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 36_500)]
    expires_in_days: Option<WholeNumber<1, 36_500>>,
    /// Whether the key works from the start. If false, it is created as `disabled`, and works after you enable it. Default:
    /// true.
    enabled: Option<bool>,
    /// Notes for your team.
    #[schema(max_length = 2000)]
    notes: Option<String>,
    /// Metadata that each verification returns to your API servers: at most 8,192 bytes of JSON.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
}

/// The fields to change. Omitted fields do not change; null clears a field that can be empty.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// The name of the key: 1 to 50 characters.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = words::KeyName, required = false, nullable = false)]
    name: Option<Option<KeyName>>,
    /// The ID of the user or object that the key is for, in your own system. Null removes it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 255)]
    external_id: Option<Option<String>>,
    /// The ID of a project of the organization.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = String, pattern = "^prj_[0-9a-f]{32}$", required = false, nullable = false)]
    project: Option<Option<ProjectId>>,
    /// The scopes. Null or an empty list means the default of the convention.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<words::OfferedScope>>, max_items = 100)]
    scopes: Option<Option<AtMost<Scope, MAX_SCOPES>>>,
    /// The domains on which a widget key works. Replaces the whole list.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    domains: Option<Option<AtMost<DomainPattern, MAX_PATTERNS>>>,
    /// Whether pages on localhost are blocked. Only if the convention offers this choice.
    localhost_forbidden: Option<bool>,
    /// The IP ranges that can use the key, as CIDR. Null or an empty list means any address.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>, max_items = 500)]
    ip_ranges: Option<Option<AtMost<IpRange, MAX_RANGES>>>,
    /// When the key expires. Null means never, if the convention allows it. An expired key works again if you set a
    /// time in the future.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<jiff::Timestamp>)]
    expires_at: Option<Option<SentInstant>>,
    /// Notes for your team.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    notes: Option<Option<String>>,
    /// Metadata that each verification returns to your API servers. Replaces the whole object.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Option<Metadata>>,
}

impl NewKeyBody {
    /// Whether the key works from the start.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// The key to create.
    ///
    /// # Errors
    /// If required fields are missing, or two fields contradict each other.
    pub fn read(self, engine: &Engine, policy: &KeyPolicy) -> Result<NewKey, Problem> {
        let now = engine.clock().now();
        let mut errors = Vec::new();
        let mut refuse = |field: &'static str, detail: &str| {
            errors.push(FieldError {
                field: field.into(),
                detail: detail.to_owned(),
            });
        };
        if self.kind.is_none() {
            refuse("kind", IS_REQUIRED);
        }
        if self.name.is_none() {
            refuse("name", IS_REQUIRED);
        }
        let expires_at = match (self.expires_at, self.expires_in_days) {
            (Some(_), Some(_)) => {
                let detail = "cannot be combined with `expires_at`. Remove one of them.";
                refuse("expires_in_days", detail);
                None
            }
            (Some(at), None) => at.map(SentInstant::timestamp),
            (None, Some(days)) => Some(now.plus(i64::from(days.get()) * DAY)),
            (None, None) => {
                let days = policy.default_days(engine.convention());
                days.map(|days| now.plus(i64::from(days) * DAY))
            }
        };
        let (Some(kind), Some(name), true) = (self.kind, self.name, errors.is_empty()) else {
            return Err(Problem::invalid_fields(errors));
        };
        Ok(NewKey {
            kind,
            environment: self.environment.unwrap_or(Environment::Live),
            settings: KeySettings {
                name,
                external_id: self.external_id,
                project: self.project,
                scopes: self.scopes.unwrap_or_default().into(),
                domains: self.domains.unwrap_or_default().into(),
                localhost_forbidden: self.localhost_forbidden.unwrap_or_default(),
                ip_ranges: self.ip_ranges.unwrap_or_default().into(),
                expires_at,
                notes: self.notes.unwrap_or_default(),
                metadata: self.metadata.unwrap_or_default(),
            },
            creation_token: None,
        })
    }
}

impl KeyChange {
    /// The settings to change.
    ///
    /// # Errors
    /// If a field is null that cannot be null.
    pub fn read(self) -> Result<SettingsChange, Problem> {
        Ok(SettingsChange {
            name: not_null("name", self.name)?,
            external_id: self.external_id,
            project: not_null("project", self.project)?,
            scopes: self.scopes.map(|scopes| scopes.unwrap_or_default().into()),
            domains: self
                .domains
                .map(|domains| domains.unwrap_or_default().into()),
            localhost_forbidden: self.localhost_forbidden,
            ip_ranges: self
                .ip_ranges
                .map(|ranges| ranges.unwrap_or_default().into()),
            expires_at: self.expires_at.map(|at| at.map(SentInstant::timestamp)),
            notes: self.notes.map(Option::unwrap_or_default),
            metadata: self.metadata.map(Option::unwrap_or_default),
        })
    }
}

/// Validates a field that can be omitted but cannot be null.
fn not_null<T>(field: &'static str, value: Option<Option<T>>) -> Result<Option<T>, Problem> {
    value.map(|value| required(field, value)).transpose()
}

/// Serializes an ID as text.
pub fn text<S: Serializer>(
    value: &dyn std::fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
