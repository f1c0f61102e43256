//! What a key's forms offer: what the convention has, and for an existing key what it is.

use latchkey::{
    convention::{KindNames, Scope, ScopePreset, ScopeSetting},
    domain::LocalhostRule,
    key::{Environment, Kind},
};
use serde::{Deserialize, Serialize};

use super::key_form::SettingsForm;

/// What the form offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKeyOptions {
    /// What the form is served with, so that sending it twice creates one key.
    pub creation_token: String,
    /// The kinds that there are.
    pub kinds: Vec<Kind>,
    /// What people call the kinds here.
    pub kind_names: KindNames,
    /// The environments that there are.
    pub environments: Vec<Environment>,
    /// The scopes, in the order in which they are listed; none where keys have no scopes.
    pub scopes: Vec<ScopeSetting>,
    /// Sets of scopes that can be ticked at once.
    pub presets: Vec<ScopePreset>,
    /// The scopes with which a secret key may stand in a page, as long as it has no others.
    pub browser_scopes: Vec<Scope>,
    /// Whether a page can do without a key, by an agent's public ID.
    pub public_agents: bool,
    /// Whether a key without scopes may do everything.
    pub no_scope_means_all: bool,
    /// Lengths of life, in days.
    pub days: Vec<u32>,
    /// The length proposed; none for never.
    pub default_days: Option<u32>,
    /// Whether a key may live for ever.
    pub never: bool,
    /// Whether a domain covers its subdomains.
    pub covers_subdomains: bool,
    /// When pages on localhost may use a widget key.
    pub localhost: LocalhostRule,
    /// Whether a key's owner may forbid localhost.
    pub localhost_switch: bool,
    /// The org's projects, by id and name, the first one first.
    pub projects: Vec<(String, String)>,
    /// The first day that can be chosen, `YYYY-MM-DD` in UTC.
    pub today: String,
}

impl NewKeyOptions {
    /// The form before anything is typed.
    pub fn blank(&self) -> SettingsForm {
        SettingsForm {
            kind: self
                .kinds
                .first()
                .copied()
                .map_or("", Kind::as_str)
                .to_owned(),
            environment: self
                .environments
                .first()
                .copied()
                .map_or("", Environment::as_str)
                .to_owned(),
            expires: self
                .default_days
                .map_or_else(|| "never".to_owned(), |days| days.to_string()),
            ..SettingsForm::default()
        }
    }
}

/// What the form offers, and what the key is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditKeyOptions {
    /// What the key is called now.
    pub name: String,
    /// What the convention has. The scopes are those and what the key has besides.
    pub offered: NewKeyOptions,
    /// When it expires now.
    pub expires: String,
    /// Whether it has ended for good, so that nothing of it can be changed.
    pub revoked: bool,
    /// The fields as the key is now.
    pub values: SettingsForm,
}
