//! How an instance's keys look and behave (design §4): one convention per instance, read from a TOML file.
//!
//! The facts are available to the pages; reading and checking a file needs the `native` feature.

mod class;
#[cfg(feature = "native")]
mod file;
mod kind_names;
mod scope;
#[cfg(test)]
#[cfg(feature = "native")]
mod tests;
#[cfg(feature = "native")]
mod validation;

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::{Deserialize, Serialize};

pub use class::ClassIndex;
#[cfg(feature = "native")]
pub use file::{BUILT_IN_NAMES, ConventionError};
pub use kind_names::KindNames;
pub use scope::{
    InvalidScope, MAX_SCOPES, Scope, ScopePreset, ScopeSetting, TOO_MANY_SCOPES, satisfies,
};

use crate::{
    domain::{DomainRule, LocalhostRule},
    key::{Environment, Kind},
};

/// How this instance's keys look and behave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convention {
    /// What the operator's settings call it: `[a-z0-9-]+`.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What people call the kinds of keys.
    #[serde(default)]
    pub kind_names: KindNames,
    /// What the keys begin with.
    pub prefixes: Prefixes,
    /// What keys created elsewhere begin with. They carry no checksum, and count as secret.
    #[serde(default)]
    pub legacy_prefixes: LegacyPrefixes,
    /// How many random Base62 characters follow the prefix; the checksum's six come after them.
    pub random_characters: u8,
    /// How many characters of the front a key's display form shows; without it, the prefix and four more.
    pub display_front: Option<u8>,
    /// Where a request may carry its key, the recommended place first.
    pub accepted_in: Vec<KeyHeader>,
    /// The scopes offered, in the order in which forms list them.
    #[serde(default)]
    pub scopes: Vec<ScopeSetting>,
    /// Sets of scopes that a form offers as one choice.
    #[serde(default)]
    pub scope_presets: Vec<ScopePreset>,
    /// The scope that stands for all of them.
    pub admin_scope: Option<Scope>,
    /// What a key without scopes may do.
    pub no_scope_means: NoScope,
    /// The scopes with which a secret key may be used from a browser, as long as it has no others.
    #[serde(default)]
    pub browser_scopes: Vec<Scope>,
    /// How allowed domains are read.
    pub domains: DomainSettings,
    /// When keys expire.
    pub expiry: ExpirySettings,
    /// Requests per key and minute, by endpoint class.
    pub classes: BTreeMap<String, NonZeroU32>,
    /// The class of a request that names none.
    pub default_class: String,
    /// What a request costs, beside its place in the rate limit.
    pub metering: Metering,
    /// What a key is tied to.
    pub bound_to: BoundTo,
    /// Whether an agent's public ID may stand in a page in place of a key.
    pub public_agent_embedding: bool,
    /// What a page with nothing but an agent's public ID may do; other scopes need a key.
    #[serde(default)]
    pub public_agent_scopes: Vec<Scope>,
    /// What the examples on the pages call a key.
    pub environment_variables: EnvironmentVariables,
}

/// What keys begin with, by kind and environment. A kind or environment without a prefix is not offered; an empty
/// prefix is a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefixes {
    /// Of secret keys in production.
    pub secret_live: String,
    /// Of secret keys elsewhere.
    pub secret_test: Option<String>,
    /// Of widget keys in production.
    pub widget_live: Option<String>,
    /// Of widget keys elsewhere.
    pub widget_test: Option<String>,
}

/// What keys created elsewhere begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyPrefixes {
    /// In production.
    #[serde(default)]
    pub live: Vec<String>,
    /// Elsewhere.
    #[serde(default)]
    pub test: Vec<String>,
}

/// A request header that carries a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum KeyHeader {
    /// `Authorization: Bearer KEY`, written `Bearer`.
    Bearer,
    /// A header of its own, such as `X-API-Key`.
    Named(String),
}

/// What a key without scopes may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoScope {
    /// Everything.
    All,
    /// Only what asks for no scope.
    None,
}

/// How allowed domains are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSettings {
    /// Whether `mysite.com` covers `www.mysite.com`.
    pub covers_subdomains: bool,
    /// When pages on localhost may use a key.
    pub localhost: LocalhostRule,
    /// Whether a key's owner may forbid localhost for that key.
    #[serde(default)]
    pub localhost_switch: bool,
}

/// When keys expire. Lengths are in days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpirySettings {
    /// What a form proposes; without it, never.
    pub default_days: Option<NonZeroU32>,
    /// What a form offers, shortest first.
    pub offered_days: Vec<NonZeroU32>,
    /// Whether there are keys that never expire, beside those that were made elsewhere.
    pub never: bool,
}

/// What a request costs, beside its place in the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metering {
    /// Nothing.
    None,
    /// One of the org's messages of the month, for orgs with a plan.
    OptionalMonthlyQuota,
    /// One of the org's messages of the month.
    MonthlyQuota,
    /// Some of the org's credits.
    Credits,
}

/// What a key is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundTo {
    /// Works on every agent of its org.
    Org,
    /// Works on the agents of its own project only.
    Project,
}

/// What the examples on the pages call a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentVariables {
    /// A secret key.
    pub secret: String,
    /// A secret key of the test environment, where it has a name of its own.
    pub secret_test: Option<String>,
    /// A widget key, where the examples read one from the environment.
    pub widget: Option<String>,
}

/// How many characters end a key: the Base62 of a CRC-32.
pub const CHECKSUM_CHARACTERS: usize = 6;

impl Convention {
    /// What keys of this kind and environment begin with, if there are such keys.
    pub fn prefix(&self, kind: Kind, environment: Environment) -> Option<&str> {
        self.prefixes()
            .find(|(_, of_kind, of)| (*of_kind, *of) == (kind, environment))
            .map(|(prefix, ..)| prefix)
    }

    /// Everything that a key made here may begin with.
    pub fn prefixes(&self) -> impl Iterator<Item = (&str, Kind, Environment)> {
        let Prefixes {
            secret_live,
            secret_test,
            widget_live,
            widget_test,
        } = &self.prefixes;
        [
            (Some(secret_live), Kind::Secret, Environment::Live),
            (secret_test.as_ref(), Kind::Secret, Environment::Test),
            (widget_live.as_ref(), Kind::Widget, Environment::Live),
            (widget_test.as_ref(), Kind::Widget, Environment::Test),
        ]
        .into_iter()
        .filter_map(|(prefix, kind, environment)| Some((prefix?.as_str(), kind, environment)))
    }

    /// Everything that a key created elsewhere may begin with.
    pub fn legacy_prefixes(&self) -> impl Iterator<Item = (&str, Kind, Environment)> {
        let of = |prefixes, environment| {
            <[String]>::iter(prefixes)
                .map(move |prefix| (prefix.as_str(), Kind::Secret, environment))
        };
        of(&self.legacy_prefixes.live, Environment::Live)
            .chain(of(&self.legacy_prefixes.test, Environment::Test))
    }

    /// How many characters follow the prefix of a key made here, the checksum included.
    pub fn characters_after_prefix(&self) -> usize {
        usize::from(self.random_characters) + CHECKSUM_CHARACTERS
    }

    /// How many characters of the front may be shown of a key that begins with `prefix`.
    pub fn display_front(&self, prefix: &str) -> usize {
        self.display_front.map_or(prefix.len() + 4, usize::from)
    }

    /// The rule for a key's allowed domains. `localhost_forbidden` is the key's own switch, which counts only where the
    /// convention has one.
    pub fn domain_rule(&self, localhost_forbidden: bool) -> DomainRule {
        let DomainSettings {
            covers_subdomains,
            localhost,
            localhost_switch,
        } = self.domains;
        let localhost = if localhost_switch && localhost_forbidden {
            LocalhostRule::Never
        } else {
            localhost
        };
        DomainRule {
            covers_subdomains,
            localhost,
        }
    }

    /// Whether a secret key with these scopes is meant to stand in a page.
    pub fn allows_secret_in_browser(&self, granted: &[Scope]) -> bool {
        !granted.is_empty()
            && granted
                .iter()
                .all(|scope| self.browser_scopes.contains(scope))
    }

    /// What the examples call a key of this kind and environment.
    pub fn environment_variable(&self, kind: Kind, environment: Environment) -> &str {
        let EnvironmentVariables {
            secret,
            secret_test,
            widget,
        } = &self.environment_variables;
        match (kind, environment) {
            (Kind::Secret, Environment::Live) => secret,
            (Kind::Secret, Environment::Test) => secret_test.as_ref().unwrap_or(secret),
            (Kind::Widget, _) => widget.as_ref().unwrap_or(secret),
        }
    }
}

impl From<String> for KeyHeader {
    fn from(text: String) -> Self {
        if text == "Bearer" {
            Self::Bearer
        } else {
            Self::Named(text)
        }
    }
}

impl From<KeyHeader> for String {
    fn from(header: KeyHeader) -> Self {
        match header {
            KeyHeader::Bearer => Self::from("Bearer"),
            KeyHeader::Named(name) => name,
        }
    }
}
