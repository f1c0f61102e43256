//! The fields of the forms of a key's page.

use serde::Deserialize;

use crate::form::sent_back::{MAX_LIST, sent_back};

/// The fields of the page's forms. One of them is filled in, but for the reason, which goes with a revocation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct KeyForm {
    /// `disable`, `enable`, `revoke` or `end-old-secret`.
    pub change: String,
    /// Why the key is revoked.
    pub reason: String,
    /// Domains to add, separated by commas or line ends.
    pub add: String,
    /// The domain to remove.
    pub remove: String,
    /// `allow` or `forbid`.
    pub localhost: String,
}

impl KeyForm {
    /// The form as it is sent back: what was to be added, no longer than the page lets one type.
    pub fn sent_back(self) -> Self {
        Self {
            add: sent_back(&self.add, MAX_LIST),
            ..Self::default()
        }
    }
}
