//! The format and rules of an instance's keys (design §4): one convention per instance, read from a TOML file.
//!
//! The types are available to the pages; reading and validating a file requires the `native` feature.

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

/// The format and rules of this instance's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convention {
    /// The name used in the operator's settings: `[a-z0-9-]+`.
    pub name: String,
    /// The display name.
    pub title: String,
    /// The display names of the key kinds.
    #[serde(default)]
    pub kind_names: KindNames,
    /// The key prefixes.
    pub prefixes: Prefixes,
    /// Prefixes of keys imported from elsewhere. Such keys have no checksum and are treated as secret keys.
    #[serde(default)]
    pub legacy_prefixes: LegacyPrefixes,
    /// The number of random Base62 characters after the prefix. The six characters of the checksum follow them.
    pub random_characters: u8,
    /// The number of leading characters shown in a key's display form. Defaults to the prefix and four more.
    pub display_front: Option<u8>,
    /// The headers in which a request can send its key, the recommended one first.
    pub accepted_in: Vec<KeyHeader>,
    /// The scopes on offer, in the order in which forms list them.
    #[serde(default)]
    pub scopes: Vec<ScopeSetting>,
    /// Sets of scopes that a form offers as a single choice.
    #[serde(default)]
    pub scope_presets: Vec<ScopePreset>,
    /// The scope that includes all others.
    pub admin_scope: Option<Scope>,
    /// What a key without scopes is allowed to do.
    pub no_scope_means: NoScope,
    /// The scopes that allow a secret key in browsers, provided that the key has no others.
    #[serde(default)]
    pub browser_scopes: Vec<Scope>,
    /// How allowed domains are matched.
    pub domains: DomainSettings,
    /// Key expiry.
    pub expiry: ExpirySettings,
    /// The rate limit of each endpoint class, in requests per key and minute.
    pub classes: BTreeMap<String, NonZeroU32>,
    /// The class of requests that name none.
    pub default_class: String,
    /// What a request costs in addition to counting towards the rate limit.
    pub metering: Metering,
    /// Whether keys belong to an org or a project.
    pub bound_to: BoundTo,
    /// Whether a page can embed an agent's public ID instead of a key.
    pub public_agent_embedding: bool,
    /// The scopes granted to a page that sends only an agent's public ID. All other scopes require a key.
    #[serde(default)]
    pub public_agent_scopes: Vec<Scope>,
    /// The environment variables used in the pages' examples.
    pub environment_variables: EnvironmentVariables,
    /// Whether members, too, see the allowed domains of widget keys.
    #[serde(default)]
    pub members_see_domains: bool,
    /// Another path that leads to the list of keys, such as the one where a product had its own page of keys.
    pub keys_page: Option<String>,
}

/// Prefixes by kind and environment. A kind or environment without a prefix is not offered. The empty string is a valid
/// prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefixes {
    /// Secret keys in production.
    pub secret_live: String,
    /// Secret keys outside production.
    pub secret_test: Option<String>,
    /// Widget keys in production.
    pub widget_live: Option<String>,
    /// Widget keys outside production.
    pub widget_test: Option<String>,
}

/// Prefixes of keys that were created elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyPrefixes {
    /// Production keys.
    #[serde(default)]
    pub live: Vec<String>,
    /// Test keys.
    #[serde(default)]
    pub test: Vec<String>,
}

/// A request header that carries a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum KeyHeader {
    /// `Authorization: Bearer KEY`, written as `Bearer`.
    Bearer,
    /// A custom header, such as `X-API-Key`.
    Named(String),
}

/// What a key without scopes is allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoScope {
    /// Every request.
    All,
    /// Only requests that require no scope.
    None,
}

/// How allowed domains are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSettings {
    /// Whether `mysite.com` covers `www.mysite.com`.
    pub covers_subdomains: bool,
    /// When pages on localhost can use a key.
    pub localhost: LocalhostRule,
    /// Whether a key's owner can forbid localhost for that key.
    #[serde(default)]
    pub localhost_switch: bool,
}

/// Key expiry. Durations are in days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpirySettings {
    /// The default selection in forms. If unset, keys do not expire by default.
    pub default_days: Option<NonZeroU32>,
    /// The durations that forms offer, shortest first.
    pub offered_days: Vec<NonZeroU32>,
    /// Whether new keys can be created without an expiry. Imported keys are not affected.
    pub never: bool,
}

/// What a request costs in addition to counting towards the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metering {
    /// No cost.
    None,
    /// One message of the org's monthly quota, for orgs that have a plan.
    OptionalMonthlyQuota,
    /// One message of the org's monthly quota.
    MonthlyQuota,
    /// A number of the org's credits.
    Credits,
}

/// Whether keys belong to an org or a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundTo {
    /// A key works with every agent of its org.
    Org,
    /// A key works only with the agents of its own project.
    Project,
}

/// The environment variables used in the pages' examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentVariables {
    /// The variable for a secret key.
    pub secret: String,
    /// The variable for a secret test key, if it has its own.
    pub secret_test: Option<String>,
    /// The variable for a widget key, if the examples read it from the environment.
    pub widget: Option<String>,
}

/// The length of a key's checksum: a CRC-32 in Base62.
pub const CHECKSUM_CHARACTERS: usize = 6;

impl Convention {
    /// Returns the prefix of keys of this kind and environment, if such keys are offered.
    pub fn prefix(&self, kind: Kind, environment: Environment) -> Option<&str> {
        self.prefixes()
            .find(|(_, of_kind, of)| (*of_kind, *of) == (kind, environment))
            .map(|(prefix, ..)| prefix)
    }

    /// The kinds of keys that have a prefix.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        let has_prefix = |kind: &Kind| self.prefixes().any(|(_, of, _)| of == *kind);
        Kind::ALL.iter().copied().filter(has_prefix)
    }

    /// All prefixes of keys created by this instance.
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

    /// All prefixes of keys created elsewhere.
    pub fn legacy_prefixes(&self) -> impl Iterator<Item = (&str, Kind, Environment)> {
        let of = |prefixes, environment| {
            <[String]>::iter(prefixes)
                .map(move |prefix| (prefix.as_str(), Kind::Secret, environment))
        };
        of(&self.legacy_prefixes.live, Environment::Live)
            .chain(of(&self.legacy_prefixes.test, Environment::Test))
    }

    /// The number of characters after the prefix of a key created by this instance, including the checksum.
    pub fn characters_after_prefix(&self) -> usize {
        usize::from(self.random_characters) + CHECKSUM_CHARACTERS
    }

    /// The number of leading characters that are shown of a key with this `prefix`.
    pub fn display_front(&self, prefix: &str) -> usize {
        self.display_front.map_or(prefix.len() + 4, usize::from)
    }

    /// The rule for a key's allowed domains. `localhost_forbidden` is the key's own switch; it applies only if the
    /// convention offers the switch.
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

    /// Whether keys have scopes.
    pub fn has_scopes(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// Whether these scopes allow everything.
    pub fn is_full_access(&self, scopes: &[Scope]) -> bool {
        let has = |scope: &Scope| scopes.contains(scope);
        let has_all = self.scopes.iter().all(|offered| has(&offered.name));
        let is_none = self.no_scope_means == NoScope::All && scopes.is_empty();
        self.has_scopes() && (is_none || has_all || self.admin_scope.as_ref().is_some_and(has))
    }

    /// Whether a widget key works on localhost: `is_listed` among its domains, or `is_forbidden` by its own switch.
    pub fn allows_localhost(&self, is_listed: bool, is_forbidden: bool) -> bool {
        match self.domain_rule(is_forbidden).localhost {
            LocalhostRule::Always => true,
            LocalhostRule::IfListed => is_listed,
            LocalhostRule::Never => false,
        }
    }

    /// Whether live widget keys exist that work on localhost or not, as their owners choose.
    pub fn can_block_localhost(&self) -> bool {
        let is_choice = match self.domains.localhost {
            LocalhostRule::Always => self.domains.localhost_switch,
            LocalhostRule::IfListed => true,
            LocalhostRule::Never => false,
        };
        is_choice && self.prefixes.widget_live.is_some()
    }

    /// Whether a secret key with these scopes is intended for use in browsers.
    pub fn allows_secret_in_browser(&self, granted: &[Scope]) -> bool {
        !granted.is_empty()
            && granted
                .iter()
                .all(|scope| self.browser_scopes.contains(scope))
    }

    /// The environment variable that the examples use for a key of this kind and environment.
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
