//! A key with its plain text, for the page that shows it once.

use std::sync::Arc;

use latchkey::{
    convention::{Convention, KeyHeader},
    key::{Environment, Kind, text::PlainKey},
};

use crate::text::rate_limits::rate_limits;

/// A key that was just created, as the page shows it.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    pub key: Arc<PlainKey>,
    pub name: String,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// Where a widget key works.
    pub domains: Vec<String>,
    /// When it was created: "Nov 21, 2026".
    pub created: String,
    /// When it expires: "Nov 21, 2027".
    pub expires: Option<String>,
    /// The org that it works for.
    pub org_id: String,
    /// The address of its page.
    pub path: String,
    /// Whether it had another secret before.
    pub is_rotated: bool,
    /// What the instance's convention says of it.
    pub terms: KeyTerms,
}

/// What an instance's convention says of a key.
#[derive(Debug, Clone)]
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

impl KeyTerms {
    /// For a key of this kind and environment.
    pub(crate) fn of(convention: &Convention, kind: Kind, environment: Environment) -> Self {
        Self {
            kind: convention.kind_names.title(kind),
            variable: convention
                .environment_variable(kind, environment)
                .to_owned(),
            headers: convention.accepted_in.clone(),
            rate_limits: rate_limits(convention),
        }
    }
}
