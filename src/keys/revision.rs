//! The revision and the entity tag of a key.

use crate::{
    key::{
        Lifecycle,
        settings::{KeySettings, SettingsChange},
    },
    revision::{Revision, fingerprint},
};

use super::Key;

impl SettingsChange {
    /// A fingerprint of each field that is given.
    pub fn revision(&self) -> Revision {
        Revision::of(self)
    }
}

impl Key {
    /// The revision that a form of the key is served with.
    pub fn revision(&self) -> Revision {
        Revision::of(&self.settings)
    }

    /// Its entity tag: another one after every change of its settings, its state or its secret, not after its use.
    pub fn tag(&self) -> String {
        tag(
            &self.settings,
            &self.summary.display,
            &self.summary.lifecycle,
        )
    }
}

/// The entity tag of a key with these settings.
pub(super) fn tag(settings: &KeySettings, display: &str, lifecycle: &Lifecycle) -> String {
    let state = (lifecycle.disabled_at, lifecycle.revoked_at);
    fingerprint(&(settings, display, state))
}
