//! The rules that apply to every key, whether created, edited or imported.

use std::{error::Error, fmt};

use super::KeySettings;
use crate::{
    convention::{Convention, MAX_SCOPES, Scope, TOO_MANY_SCOPES},
    domain::{DomainPattern, MAX_PATTERNS, TOO_MANY_PATTERNS},
    ip_range::{MAX_RANGES, TOO_MANY_RANGES},
    key::Kind,
    list::each_once,
    name::may_be_in_a_name,
    nfc::nfc,
    time::Timestamp,
};

/// The maximum length of an external ID in characters.
pub const MAX_EXTERNAL_ID: usize = 255;
/// The maximum length of notes, in characters.
pub const MAX_NOTES: usize = 2_000;

/// The maximum number of scopes listed in an error message.
const MAX_LISTED_SCOPES: usize = 20;

/// Why a key's settings are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyField {
    /// The external ID is too long.
    #[error("An external ID must have at most 255 characters.")]
    ExternalIdTooLong,
    /// The external ID has control or invisible characters.
    #[error(
        "An external ID cannot contain line breaks, control characters or invisible characters."
    )]
    ExternalIdUnreadable,
    /// A widget key without domains, which would work nowhere.
    #[error("Enter at least one domain. A widget key works only on its allowed domains.")]
    DomainsNeeded,
    /// Domains on a key that is not a widget key.
    #[error("Only widget keys have allowed domains. Remove the domains, or create a widget key.")]
    DomainsOnSecretKey,
    /// More domains than [`MAX_PATTERNS`].
    #[error("{TOO_MANY_PATTERNS}")]
    TooManyDomains,
    /// The convention does not offer the choice, or the key is not a widget key.
    #[error("This key's localhost access cannot be changed.")]
    NoLocalhostSwitch,
    /// More IP ranges than [`MAX_RANGES`].
    #[error("{TOO_MANY_RANGES}")]
    TooManyIpRanges,
    /// The convention does not offer the scope.
    #[error("Unknown scope `{unknown}`. {}", scopes_to_choose(offered))]
    UnknownScope {
        /// The requested scope.
        unknown: Scope,
        /// The scopes on offer.
        offered: Vec<Scope>,
    },
    /// More scopes than [`MAX_SCOPES`].
    #[error("{TOO_MANY_SCOPES}")]
    TooManyScopes,
    /// The convention requires an expiry.
    #[error("Keys must have an expiry date. Choose when this key expires.")]
    ExpiryNeeded,
    /// The expiry is in the past.
    #[error("The expiry date must be in the future.")]
    ExpiryInPast,
    /// The notes exceed [`MAX_NOTES`].
    #[error("Notes must have at most 2,000 characters.")]
    NotesTooLong,
    /// The key would live longer than the policy of its org allows.
    #[error(
        "Keys of this organization must expire within {days} {}. Choose a date within that time.",
        if *days == 1 { "day" } else { "days" }
    )]
    LifeTooLong {
        /// The longest life in days.
        days: u32,
    },
    /// The key would have full access, which the policy of its org forbids.
    #[error(
        "Keys of this organization cannot have full access. Select the scopes that the key needs."
    )]
    ScopesRequired,
    /// A live secret key without IP ranges, which the policy of its org requires.
    #[error(
        "Live secret keys of this organization must have IP ranges, together no larger than two IPv4 networks of /8 and an IPv6 network of /16. Enter the addresses of your servers."
    )]
    IpRangesRequired,
    /// A live widget key that does not block localhost, as the policy of its org requires.
    #[error(
        "Live widget keys of this organization cannot work on localhost. Block localhost, or create a test key."
    )]
    LocalhostNotBlocked,
    /// A live widget key that lists localhost or another loopback host, which the policy of its org forbids.
    #[error(
        "Live widget keys of this organization cannot work on localhost. Remove it and loopback addresses, such as 127.0.0.1, or create a test key."
    )]
    LocalhostListed,
    /// The org has no such project.
    #[error("The project was not found in this organization. Choose another one.")]
    NoSuchProject,
}

/// All invalid settings of a key: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidKeyFields(Vec<InvalidKeyField>);

impl InvalidKeyFields {
    /// Returns these invalid settings as an error, unless there are none.
    ///
    /// # Errors
    /// If there are any.
    pub fn none(wrong: Vec<InvalidKeyField>) -> Result<(), Self> {
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(Self(wrong)),
        }
    }

    /// The invalid settings.
    pub fn iter(&self) -> impl Iterator<Item = &InvalidKeyField> {
        self.0.iter()
    }

    /// Whether this is the only one.
    pub fn is_only(&self, field: &InvalidKeyField) -> bool {
        matches!(self.0.as_slice(), [only] if only == field)
    }
}

impl From<InvalidKeyField> for InvalidKeyFields {
    fn from(field: InvalidKeyField) -> Self {
        Self(vec![field])
    }
}

impl fmt::Display for InvalidKeyFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<String> = self.iter().map(ToString::to_string).collect();
        f.write_str(&sentences.join(" "))
    }
}

impl Error for InvalidKeyFields {}

impl InvalidKeyField {
    /// The name of the field in forms and in the API.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::ExternalIdTooLong | Self::ExternalIdUnreadable => "external_id",
            Self::DomainsNeeded
            | Self::DomainsOnSecretKey
            | Self::TooManyDomains
            | Self::LocalhostListed => "domains",
            Self::NoLocalhostSwitch | Self::LocalhostNotBlocked => "localhost_forbidden",
            Self::TooManyIpRanges | Self::IpRangesRequired => "ip_ranges",
            Self::UnknownScope { .. } | Self::TooManyScopes | Self::ScopesRequired => "scopes",
            Self::ExpiryNeeded | Self::ExpiryInPast | Self::LifeTooLong { .. } => "expires_at",
            Self::NotesTooLong => "notes",
            Self::NoSuchProject => "project",
        }
    }
}

/// The part of an error message that lists the scopes on offer, at most [`MAX_LISTED_SCOPES`] of them.
fn scopes_to_choose(offered: &[Scope]) -> String {
    if offered.is_empty() {
        return "Keys of this instance have no scopes. Omit this field.".to_owned();
    }
    let names = offered.iter().take(MAX_LISTED_SCOPES);
    let mut names: Vec<String> = names.map(|scope| format!("`{scope}`")).collect();
    if offered.len() > MAX_LISTED_SCOPES {
        names.push(format!("and {} more", offered.len() - MAX_LISTED_SCOPES));
    }
    format!("Choose from {}.", names.join(", "))
}

/// The previous state of the key. Values that are not changed are not rejected.
#[derive(Debug, Clone, Copy)]
pub enum Before<'a> {
    /// The key is new.
    Nothing,
    /// The key was created by another system, which may have promised its users that it never expires.
    Elsewhere,
    /// The key's settings before the change. Unchanged values are accepted even if the rules have become stricter.
    Settings(&'a KeySettings),
}

impl KeySettings {
    /// Validates the settings for a key of this kind and returns the errors. Removes duplicate list items, and NUL
    /// characters, which Postgres cannot store. The policies of an org are in
    /// `policy.rs`.
    pub fn check(
        &mut self,
        kind: Kind,
        convention: &Convention,
        before: Before<'_>,
        now: Timestamp,
    ) -> Vec<InvalidKeyField> {
        self.domains = each_once(&self.domains);
        self.ip_ranges = each_once(&self.ip_ranges);
        self.scopes = each_once(&self.scopes);
        self.notes.retain(|char| char != '\0');
        // Searches are in this form, too.
        self.notes = nfc(&self.notes).into_owned();
        let had = match before {
            Before::Settings(had) => Some(had),
            Before::Nothing | Before::Elsewhere => None,
        };
        let mut wrong = Vec::new();
        self.external_id = self.external_id.take().and_then(|id| external_id(&id));
        wrong.extend(self.external_id.as_deref().and_then(wrong_external_id));
        if had.is_none_or(|had| had.domains != self.domains) {
            wrong.extend(wrong_domains(kind, &self.domains));
        }
        let may_forbid_localhost = convention.domains.localhost_switch && kind == Kind::Widget;
        if self.localhost_forbidden
            && !may_forbid_localhost
            && had.is_none_or(|had| !had.localhost_forbidden)
        {
            wrong.push(InvalidKeyField::NoLocalhostSwitch);
        }
        if self.ip_ranges.len() > MAX_RANGES {
            wrong.push(InvalidKeyField::TooManyIpRanges);
        }
        let had_scopes = had.map_or(&[][..], |had| &had.scopes);
        wrong.extend(wrong_scopes(convention, &self.scopes, had_scopes));
        if had.is_none_or(|had| had.expires_at != self.expires_at) {
            let may_never = convention.expiry.never || matches!(before, Before::Elsewhere);
            match self.expires_at {
                None if !may_never => wrong.push(InvalidKeyField::ExpiryNeeded),
                Some(at) if at <= now => wrong.push(InvalidKeyField::ExpiryInPast),
                _ => {}
            }
        }
        if self.notes.chars().count() > MAX_NOTES {
            wrong.push(InvalidKeyField::NotesTooLong);
        }
        wrong
    }
}

/// Returns the stored form of an external ID, or `None` if it is blank.
pub fn external_id(text: &str) -> Option<String> {
    Some(nfc(text.trim()).into_owned()).filter(|id| !id.is_empty())
}

/// Returns why an external ID is invalid, or `None` if it is valid.
pub fn wrong_external_id(id: &str) -> Option<InvalidKeyField> {
    if id.chars().count() > MAX_EXTERNAL_ID {
        Some(InvalidKeyField::ExternalIdTooLong)
    } else if id.chars().all(may_be_in_a_name) {
        None
    } else {
        Some(InvalidKeyField::ExternalIdUnreadable)
    }
}

fn wrong_domains(kind: Kind, domains: &[DomainPattern]) -> Option<InvalidKeyField> {
    match kind {
        Kind::Widget if domains.is_empty() => Some(InvalidKeyField::DomainsNeeded),
        Kind::Secret if !domains.is_empty() => Some(InvalidKeyField::DomainsOnSecretKey),
        _ if domains.len() > MAX_PATTERNS => Some(InvalidKeyField::TooManyDomains),
        _ => None,
    }
}

/// A key can have the scopes that the convention offers and those that it already had.
fn wrong_scopes(
    convention: &Convention,
    scopes: &[Scope],
    had: &[Scope],
) -> Option<InvalidKeyField> {
    if scopes.len() > MAX_SCOPES {
        return Some(InvalidKeyField::TooManyScopes);
    }
    let offered = || convention.scopes.iter().map(|offered| &offered.name);
    let unknown = scopes
        .iter()
        .find(|scope| !had.contains(scope) && !offered().any(|offered| offered == *scope))?;
    Some(InvalidKeyField::UnknownScope {
        unknown: unknown.clone(),
        offered: offered().cloned().collect(),
    })
}
