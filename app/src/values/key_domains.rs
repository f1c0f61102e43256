//! Where a widget key works, and how that is changed.

use latchkey::domain::DomainRule;
use serde::{Deserialize, Serialize};

use crate::form::errors::FieldError;

/// Where a widget key works, and its requests of the last 7 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDomains {
    /// The allowed domains, with the requests that each let pass.
    pub listed: Vec<(String, i64)>,
    /// How they are read.
    pub rule: DomainRule,
    /// The key's own switch against localhost, where the convention has one.
    pub localhost_forbidden: Option<bool>,
    /// The requests that passed because localhost always does.
    pub localhost: i64,
    /// The hosts that were rejected most, with their requests.
    pub refused: Vec<(String, i64)>,
}

impl KeyDomains {
    /// The place of a domain in the list.
    pub fn place_of(&self, domain: &str) -> Option<usize> {
        self.listed.iter().position(|(listed, _)| listed == domain)
    }
}

/// A change of where a key works. One of the fields is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainsForm {
    /// Domains to add, separated by commas or line ends.
    pub add: String,
    /// The listed domain that those to add are listed before; empty for the end of the list.
    pub before: String,
    /// Domains to remove, as they are listed.
    pub remove: Vec<String>,
    /// `allow` or `forbid`.
    pub localhost: String,
}

/// What comes of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainsAnswer {
    /// It is done.
    Changed {
        /// Where the key works now.
        domains: KeyDomains,
        /// The domains that were not allowed before.
        added: Vec<String>,
        /// The domains that no longer are.
        removed: Vec<String>,
        /// The entries on the key, as its page has them; empty for those who may not see them.
        history: String,
    },
    /// Nothing was changed.
    Refused(Vec<FieldError>),
}
