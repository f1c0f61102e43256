//! What holds for every key, however it came to be: made, edited or imported. One place decides it.

use std::{collections::HashSet, hash::Hash};

use crate::{
    convention::{Convention, MAX_SCOPES, Scope, TOO_MANY_SCOPES},
    domain::{DomainPattern, MAX_PATTERNS, TOO_MANY_PATTERNS},
    ip_range::{IpRange, MAX_RANGES, TOO_MANY_RANGES},
    key::Kind,
    time::Timestamp,
};

/// The most characters that notes have.
pub const MAX_NOTES: usize = 2_000;
/// The most bytes that metadata has, written as JSON.
pub const MAX_METADATA: usize = 8_192;

/// The most scopes that a sentence lists.
const MAX_LISTED_SCOPES: usize = 20;

/// The object that a key's makers attach to it, handed to API servers as it is.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// Why a key cannot be as it was asked to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyField {
    /// A widget key that would work nowhere.
    #[error("Enter at least one domain. A widget key works only on its allowed domains.")]
    DomainsNeeded,
    /// Domains would mean nothing for it.
    #[error("Only widget keys have allowed domains. Remove the domains, or create a widget key.")]
    DomainsOnSecretKey,
    /// More domains than a key has.
    #[error("{TOO_MANY_PATTERNS}")]
    TooManyDomains,
    /// The convention leaves no choice, or the key is not for browsers.
    #[error("This key's localhost access cannot be changed.")]
    NoLocalhostSwitch,
    /// More IP ranges than a key has.
    #[error("{TOO_MANY_RANGES}")]
    TooManyIpRanges,
    /// The catalogue does not have the scope.
    #[error("Unknown scope `{unknown}`. {}", scopes_to_choose(offered))]
    UnknownScope {
        /// What was asked for.
        unknown: Scope,
        /// The scopes that there are.
        offered: Vec<Scope>,
    },
    /// More scopes than a key has.
    #[error("{TOO_MANY_SCOPES}")]
    TooManyScopes,
    /// The convention has no keys that never expire.
    #[error("Keys must have an expiry date. Choose when this key expires.")]
    ExpiryNeeded,
    /// It would be expired from the start.
    #[error("The expiry date must be in the future.")]
    ExpiryInPast,
    /// The notes are too long.
    #[error("Notes must have at most 2,000 characters.")]
    NotesTooLong,
    /// The metadata is too large.
    #[error("Metadata must have at most 8,192 bytes of JSON.")]
    MetadataTooLarge,
    /// The org has no such project.
    #[error("The project was not found in this organization. Choose another one.")]
    NoSuchProject,
}

impl InvalidKeyField {
    /// The name of the field, in forms and in the API alike.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::DomainsNeeded | Self::DomainsOnSecretKey | Self::TooManyDomains => "domains",
            Self::NoLocalhostSwitch => "localhost_forbidden",
            Self::TooManyIpRanges => "ip_ranges",
            Self::UnknownScope { .. } | Self::TooManyScopes => "scopes",
            Self::ExpiryNeeded | Self::ExpiryInPast => "expires_at",
            Self::NotesTooLong => "notes",
            Self::MetadataTooLarge => "metadata",
            Self::NoSuchProject => "project",
        }
    }
}

/// The scopes that there are, for a sentence: of many the first.
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

/// The items without those that came before, in their order.
pub(crate) fn each_once<T: Clone + Eq + Hash>(items: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::with_capacity(items.len());
    items
        .into_iter()
        .filter(|item| seen.insert(item.clone()))
        .collect()
}

/// The domains of a key of this kind, each once.
pub(crate) fn check_domains(
    kind: Kind,
    domains: Vec<DomainPattern>,
) -> Result<Vec<DomainPattern>, InvalidKeyField> {
    let domains = each_once(domains);
    match kind {
        Kind::Widget if domains.is_empty() => Err(InvalidKeyField::DomainsNeeded),
        Kind::Secret if !domains.is_empty() => Err(InvalidKeyField::DomainsOnSecretKey),
        _ if domains.len() > MAX_PATTERNS => Err(InvalidKeyField::TooManyDomains),
        _ => Ok(domains),
    }
}

/// Whether a key of this kind may have its switch for localhost set.
pub(crate) fn check_localhost(
    convention: &Convention,
    kind: Kind,
    forbidden: bool,
) -> Result<(), InvalidKeyField> {
    if forbidden && !(convention.domains.localhost_switch && kind == Kind::Widget) {
        return Err(InvalidKeyField::NoLocalhostSwitch);
    }
    Ok(())
}

/// The IP ranges of a key, each once.
pub(crate) fn check_ip_ranges(ranges: Vec<IpRange>) -> Result<Vec<IpRange>, InvalidKeyField> {
    let ranges = each_once(ranges);
    if ranges.len() > MAX_RANGES {
        return Err(InvalidKeyField::TooManyIpRanges);
    }
    Ok(ranges)
}

/// The scopes, each once, when the convention offers them all.
pub(crate) fn check_scopes(
    convention: &Convention,
    scopes: Vec<Scope>,
) -> Result<Vec<Scope>, InvalidKeyField> {
    if scopes.len() > MAX_SCOPES {
        return Err(InvalidKeyField::TooManyScopes);
    }
    let scopes = each_once(scopes);
    let offered = |scope: &Scope| {
        convention
            .scopes
            .iter()
            .any(|offered| offered.name == *scope)
    };
    match scopes.iter().find(|scope| !offered(scope)) {
        Some(unknown) => Err(InvalidKeyField::UnknownScope {
            unknown: unknown.clone(),
            offered: convention
                .scopes
                .iter()
                .map(|scope| scope.name.clone())
                .collect(),
        }),
        None => Ok(scopes),
    }
}

/// Whether a key may expire then, or never.
pub(crate) fn check_expiry(
    convention: &Convention,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), InvalidKeyField> {
    if expires_at.is_none() && !convention.expiry.never {
        return Err(InvalidKeyField::ExpiryNeeded);
    }
    check_not_expired(expires_at, now)
}

/// Whether a key that expires then works at all. A key that was made elsewhere may never expire where new ones must:
/// its users were promised no end.
pub(crate) fn check_not_expired(
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), InvalidKeyField> {
    match expires_at {
        Some(at) if at <= now => Err(InvalidKeyField::ExpiryInPast),
        _ => Ok(()),
    }
}

/// The notes as they are stored. Postgres holds no NUL, and no one misses it.
pub(crate) fn check_notes(notes: &str) -> Result<String, InvalidKeyField> {
    if notes.chars().count() > MAX_NOTES {
        return Err(InvalidKeyField::NotesTooLong);
    }
    Ok(notes.replace('\0', ""))
}

/// The metadata as it is stored.
pub(crate) fn check_metadata(metadata: &Metadata) -> Result<String, InvalidKeyField> {
    let text = serde_json::json!(metadata).to_string();
    if text.len() > MAX_METADATA {
        return Err(InvalidKeyField::MetadataTooLarge);
    }
    Ok(text)
}
