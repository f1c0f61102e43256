//! What holds for every key, whether it is created, edited or imported.

use super::KeySettings;
use crate::{
    convention::{Convention, MAX_SCOPES, Scope, TOO_MANY_SCOPES},
    domain::{DomainPattern, MAX_PATTERNS, TOO_MANY_PATTERNS},
    ip_range::{MAX_RANGES, TOO_MANY_RANGES},
    key::Kind,
    list::each_once,
    time::Timestamp,
};

/// The most characters that notes have.
pub const MAX_NOTES: usize = 2_000;

/// The most scopes that a sentence lists.
const MAX_LISTED_SCOPES: usize = 20;

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

/// What a key was before, which bounds what may be wrong with it now.
#[derive(Debug, Clone, Copy)]
pub enum Before<'a> {
    /// It is new.
    Nothing,
    /// It was created by another system: its users may have been promised that it never expires.
    Elsewhere,
    /// It had these settings. What stays as it is may stay, whatever the rules say by now.
    Settings(&'a KeySettings),
}

impl KeySettings {
    /// The settings with every item of a list once and without NUL, which Postgres cannot hold, when a key of this kind may
    /// have them.
    ///
    /// # Errors
    /// Says what is wrong, if it is several things of the first.
    pub fn checked(
        mut self,
        kind: Kind,
        convention: &Convention,
        before: Before<'_>,
        now: Timestamp,
    ) -> Result<Self, InvalidKeyField> {
        let wrong = self.check(kind, convention, before, now);
        wrong.into_iter().next().map_or(Ok(self), Err)
    }

    /// The same in place, and all that is wrong.
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
        let had = match before {
            Before::Settings(had) => Some(had),
            Before::Nothing | Before::Elsewhere => None,
        };
        let mut wrong = Vec::new();
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

fn wrong_domains(kind: Kind, domains: &[DomainPattern]) -> Option<InvalidKeyField> {
    match kind {
        Kind::Widget if domains.is_empty() => Some(InvalidKeyField::DomainsNeeded),
        Kind::Secret if !domains.is_empty() => Some(InvalidKeyField::DomainsOnSecretKey),
        _ if domains.len() > MAX_PATTERNS => Some(InvalidKeyField::TooManyDomains),
        _ => None,
    }
}

/// A key may have the scopes that the convention offers, and those that it had.
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
