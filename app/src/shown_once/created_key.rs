//! A key with its plaintext, for the page that shows it once.

use std::sync::Arc;

use latchkey::{
    convention::{Convention, KeyHeader, NoScope, Scope},
    key::{Environment, Kind, settings::KeySettings, text::PlainKey},
};

use crate::{
    site::Addresses,
    text::{rate_limits::rate_limits, scopes::scope_names, time::TimeText},
};

/// A key that was just created or rotated, as the page shows it.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    pub key: Arc<PlainKey>,
    pub id: String,
    pub kind: Kind,
    pub environment: Environment,
    pub settings: KeySettings,
    /// The names of the scopes; `None` if the convention has no scopes.
    pub scopes: Option<String>,
    /// The creation date: "Nov 21, 2026".
    pub created: String,
    /// The name of the user who created the key, if they have an account.
    pub created_by: Option<String>,
    /// The organization's ID.
    pub org_id: String,
    /// The path of its page.
    pub path: String,
    /// Whether the key was rotated and not created.
    pub is_rotated: bool,
    /// Whether the user had to ask an owner for the key, and so cannot rotate it or create service tokens.
    pub is_requested: bool,
    /// Until when the secret before the rotation works, if it still does.
    pub old_ends: Option<TimeText>,
    /// The convention's settings for the key.
    pub terms: KeyTerms,
    /// The URLs in the examples.
    pub addresses: Arc<Addresses>,
}

/// The convention's settings for a key.
#[derive(Debug, Clone)]
pub struct KeyTerms {
    /// The name of its kind: "Publishable".
    pub kind: String,
    /// The environment variable in the examples.
    pub variable: String,
    /// The accepted headers, the recommended one first.
    pub headers: Vec<KeyHeader>,
    /// The rate limit: "600 a minute".
    pub rate_limits: String,
    /// The scope that the examples send.
    pub scope: Option<String>,
}

impl KeyTerms {
    /// Reads them for a key of this kind and environment, with these scopes.
    pub fn of(
        convention: &Convention,
        kind: Kind,
        environment: Environment,
        scopes: &[Scope],
    ) -> Self {
        Self {
            kind: convention.kind_names.title(kind),
            variable: convention
                .environment_variable(kind, environment)
                .to_owned(),
            headers: convention.accepted_in.clone(),
            rate_limits: rate_limits(convention),
            scope: scope_of(scopes, convention),
        }
    }
}

/// The names of a key's scopes; `None` if the convention has none.
pub fn names_of_scopes(convention: &Convention, scopes: &[Scope]) -> Option<String> {
    let none_means_all = convention.no_scope_means == NoScope::All;
    scope_names(scopes, &convention.scopes, none_means_all)
}

/// The scope that the example for a key with these scopes sends: one that the key has. A server that is copied from an example
/// without scopes would let restricted keys do everything.
pub fn scope_of(scopes: &[Scope], convention: &Convention) -> Option<String> {
    let offered = || convention.scopes.iter().map(|scope| &scope.name);
    let is_admin = |scope: &&Scope| convention.admin_scope.as_ref() == Some(*scope);
    let scope = match convention.is_full_access(scopes) {
        true => offered().find(|scope| !is_admin(scope)),
        false => scopes.iter().find(|scope| !is_admin(scope)),
    };
    scope.map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_sends_a_scope_that_the_key_has() {
        let convention = Convention::built_in("latchkey").unwrap();
        let scope = |names: &[&str]| {
            let scopes: Vec<Scope> = names.iter().map(|name| name.parse().unwrap()).collect();
            scope_of(&scopes, &convention)
        };
        assert_eq!(scope(&["chat:write"]).as_deref(), Some("chat:write"));
        let first = convention
            .scopes
            .first()
            .map(|scope| scope.name.to_string());
        assert_eq!(scope(&[]), first, "full access");
        let without = Convention::built_in("talkifai").unwrap();
        assert_eq!(scope_of(&[], &without), None);
    }
}
