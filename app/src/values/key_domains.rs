//! The allowed domains of a widget key, and their changes.

use latchkey::domain::DomainRule;
use serde::{Deserialize, Serialize};

use crate::form::errors::FieldError;

/// The allowed domains of a widget key, with the requests of the last 7 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDomains {
    /// The allowed domains, each with its number of passed requests.
    pub listed: Vec<(String, i64)>,
    /// How the domains are matched.
    pub rule: DomainRule,
    /// Whether the key blocks localhost; `None` if the convention has no such switch.
    pub localhost_forbidden: Option<bool>,
    /// The number of requests that passed because localhost is always allowed.
    pub localhost: i64,
    /// The hosts that were rejected most often, each with its number of requests.
    pub refused: Vec<(String, i64)>,
}

impl KeyDomains {
    /// The index of a domain in the list.
    pub fn place_of(&self, domain: &str) -> Option<usize> {
        self.listed.iter().position(|(listed, _)| listed == domain)
    }
}

/// A change of the allowed domains. One of the fields is set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainsForm {
    /// Domains to add, separated by commas or line breaks.
    pub add: String,
    /// The listed domain before which to insert the new ones; empty for the end of the list.
    pub before: String,
    /// Domains to remove, exactly as listed.
    pub remove: Vec<String>,
    /// `allow` or `forbid`.
    pub localhost: String,
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainsAnswer {
    /// The domains were changed.
    Changed {
        /// The allowed domains after the change.
        domains: KeyDomains,
        /// The domains that were added.
        added: Vec<String>,
        /// The domains that were removed.
        removed: Vec<String>,
        /// The key's history as rendered on its page; empty for users who cannot see it.
        history: String,
    },
    /// Nothing was changed, because of these errors.
    Refused(Vec<FieldError>),
}
