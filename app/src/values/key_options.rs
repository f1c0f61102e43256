//! The choices of the forms that create and edit a key: from the convention, and from the existing key.

use latchkey::{
    convention::{KindNames, Scope, ScopePreset, ScopeSetting},
    domain::LocalhostRule,
    key::{Environment, Kind},
};
use serde::{Deserialize, Serialize};

use super::key_form::SettingsForm;

/// The choices of the form that creates a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKeyOptions {
    /// The idempotency token of the form: submitting it twice creates one key.
    pub creation_token: String,
    /// The kinds that the convention has.
    pub kinds: Vec<Kind>,
    /// The convention's names for the kinds.
    pub kind_names: KindNames,
    /// The environments that the convention has.
    pub environments: Vec<Environment>,
    /// The scopes in display order; empty if the convention has none.
    pub scopes: Vec<ScopeSetting>,
    /// The scope that includes all others.
    pub admin_scope: Option<Scope>,
    /// Presets that select several scopes.
    pub presets: Vec<ScopePreset>,
    /// The scopes with which a secret key can be used in a page, if it has no others.
    pub browser_scopes: Vec<Scope>,
    /// Whether a page can use an agent's public ID instead of a key.
    pub public_agents: bool,
    /// Whether a key without scopes has full access.
    pub no_scope_means_all: bool,
    /// The expiry periods to choose from: the number of days, and a text with the resulting date.
    pub days: Vec<(u32, String)>,
    /// The preselected period; `None` for never.
    pub default_days: Option<u32>,
    /// Whether a key can be created without an expiry date.
    pub never: bool,
    /// Whether a domain includes its subdomains.
    pub covers_subdomains: bool,
    /// When pages on localhost can use a widget key.
    pub localhost: LocalhostRule,
    /// Whether each key can block localhost.
    pub localhost_switch: bool,
    /// ID and name of the organization's projects, the default one first.
    pub projects: Vec<(String, String)>,
    /// The earliest date that can be chosen, `YYYY-MM-DD` in UTC.
    pub today: String,
    /// The latest date that can be chosen.
    pub latest: String,
    /// Whether full access can be chosen, if a key without scopes has it.
    pub offers_full: bool,
    /// Whether the scope that includes all others can be selected.
    pub offers_admin: bool,
    /// What the policies of the organization require, as a sentence at each field; empty where they require nothing. They are
    /// fields of this struct, and no struct of their own, to keep the WebAssembly small.
    pub scopes_policy: String,
    pub expires_policy: String,
    pub ip_ranges_policy: String,
    pub localhost_policy: String,
}

impl NewKeyOptions {
    /// The initial values of the form.
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
            // Recommended for keys in production, and required of them by some policies.
            localhost_live: "forbid".to_owned(),
            expires: self
                .default_days
                .map_or_else(|| "never".to_owned(), |days| days.to_string()),
            ..SettingsForm::default()
        }
    }
}

/// The choices of the form that edits a key, and the key's current values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditKeyOptions {
    /// The current name.
    pub name: String,
    /// The choices from the convention. The scopes include those that only the key still has.
    pub offered: NewKeyOptions,
    /// The current expiry date.
    pub expires: String,
    /// Whether the key is revoked and can no longer be edited.
    pub revoked: bool,
    /// The current values.
    pub values: SettingsForm,
}
