//! The fields of the forms of a key's page.

use serde::Deserialize;

use crate::{
    error::AppError,
    form::sent_back::{MAX_LIST, sent_back},
    pages::answer::FormAnswer,
    shown_once::CreatedKey,
};

/// The fields of the page's forms. Each form sends one of them; a revocation also sends the reason.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct KeyForm {
    /// `disable`, `enable`, `revoke`, `extend`, `undo-extend`, `end-old-secret`, `ask`, `withdraw-secret` or `reveal-secret`.
    pub change: String,
    /// The reason of a revocation.
    pub reason: String,
    /// The fingerprint of the key that the page was rendered with, to extend the key.
    pub base: String,
    /// When the key was disabled, to undo that and nothing else.
    pub since: String,
    /// The key's name, to confirm the revocation of a key in use.
    pub confirm: String,
    /// Domains to add, separated by commas or line breaks.
    pub add: String,
    /// The listed domain before which to insert the new ones; empty for the end of the list.
    pub before: String,
    /// The domain to remove.
    pub remove: String,
    /// What is asked of the owners: `rotate` or `revoke`.
    pub verdict: String,
    /// What is written to them.
    pub comment: String,
    /// Any value means yes.
    pub leaked: String,
    /// Makes a form that is submitted twice ask once.
    pub token: String,
    /// `allow` or `forbid`.
    pub localhost: String,
}

impl KeyForm {
    /// The values to render again: the domains to add, truncated to the maximum of the field.
    pub fn sent_back(self) -> Self {
        Self {
            add: sent_back(&self.add, MAX_LIST),
            ..Self::default()
        }
    }
}

/// The response to such a form. Only a new secret that is revealed is shown.
pub type Answer = Result<FormAnswer<KeyForm, CreatedKey>, AppError>;
