//! The form that makes a key, as it is sent, and what comes of it.
//!
//! It is a plain form: the answer to its POST is the page that shows the key, and nothing else ever shows it again.

#[cfg(feature = "ssr")]
mod submit;
#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests;

use std::fmt;

use latchkey::{
    convention::{KeyHeader, MAX_SCOPES},
    key::{Environment, Kind},
};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub use submit::submit;

use crate::form_answer::{FormAnswer, MAX_LIST, MAX_NAME, MAX_NOTES, sent_back, sent_back_each};

/// The form's fields as they were typed, URL-encoded with `scopes` repeated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewKeyForm {
    /// What the key is called.
    pub name: String,
    /// `secret` or `widget`.
    pub kind: String,
    /// `live` or `test`.
    pub environment: String,
    /// Allowed domains, separated by commas or line ends. Read for widget keys only.
    pub domains: String,
    /// `forbid` where pages on localhost may not use a widget key.
    pub localhost: String,
    /// Where the key's users come from, separated by commas or line ends; empty for anywhere.
    pub ip_ranges: String,
    /// The project's id; empty for the org's first.
    pub project: String,
    /// The scopes that are ticked.
    pub scopes: Vec<String>,
    /// A number of days, `date` or `never`.
    pub expires: String,
    /// The last day, `YYYY-MM-DD`. Read for `date` only.
    pub expires_on: String,
    /// What its makers write about it.
    pub notes: String,
    /// What the form was served with, so that sending it twice makes one key.
    pub creation_token: String,
}

impl NewKeyForm {
    /// The form as it is sent back, no field longer than the page lets one type.
    pub fn sent_back(self) -> Self {
        Self {
            name: sent_back(&self.name, MAX_NAME),
            domains: sent_back(&self.domains, MAX_LIST),
            ip_ranges: sent_back(&self.ip_ranges, MAX_LIST),
            notes: sent_back(&self.notes, MAX_NOTES),
            kind: sent_back(&self.kind, MAX_NAME),
            environment: sent_back(&self.environment, MAX_NAME),
            localhost: sent_back(&self.localhost, MAX_NAME),
            project: sent_back(&self.project, MAX_NAME),
            scopes: sent_back_each(&self.scopes, MAX_SCOPES, MAX_NAME),
            expires: sent_back(&self.expires, MAX_NAME),
            expires_on: sent_back(&self.expires_on, MAX_NAME),
            creation_token: sent_back(&self.creation_token, MAX_NAME),
        }
    }
}

/// A key's plain text on its way into the page that shows it once. The only type that serialises one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShownOnce(String);

impl ShownOnce {
    /// Takes a key that was just made.
    #[cfg(feature = "ssr")]
    pub(crate) fn new(key: &latchkey::key::text::PlainKey) -> Self {
        Self(key.expose().to_owned())
    }

    /// The key itself, for the page.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ShownOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownOnce(redacted)")
    }
}

/// What comes of it: the page that shows the key, the key's page where this very form has made one before, or the form.
pub type NewKeyAnswer = FormAnswer<NewKeyForm, MadeKey>;

/// A key that was just made, as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeKey {
    /// The key.
    pub key: ShownOnce,
    /// Its name.
    pub name: String,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// Where a widget key works.
    pub domains: Vec<String>,
    /// When it was made: "Nov 21, 2026".
    pub created: String,
    /// When it expires: "Nov 21, 2027".
    pub expires: Option<String>,
    /// The org that it works for.
    pub org_id: String,
    /// The address of its page.
    pub path: String,
    /// What the instance's convention says of it.
    pub terms: KeyTerms,
}

/// What an instance's convention says of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTerms {
    /// What its kind is called: "Publishable".
    pub kind: String,
    /// The environment variable that the examples read it from.
    pub variable: String,
    /// The headers that may carry it, the recommended one first.
    pub headers: Vec<KeyHeader>,
    /// How many requests it may make: "600 a minute".
    pub rate_limits: String,
}

#[cfg(feature = "ssr")]
impl KeyTerms {
    /// For a key of this kind and environment.
    pub(crate) fn of(
        convention: &latchkey::convention::Convention,
        kind: Kind,
        environment: Environment,
    ) -> Self {
        Self {
            kind: convention.kind_names.title(kind),
            variable: convention
                .environment_variable(kind, environment)
                .to_owned(),
            headers: convention.accepted_in.clone(),
            rate_limits: crate::keys::rate_limits(convention),
        }
    }
}
