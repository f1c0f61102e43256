//! Revisions and entity tags of keys.

use crate::{
    db::{StorageError, Tx},
    id::{KeyId, OrgId},
    key::{
        Lifecycle,
        settings::{KeySettings, SettingsChange},
    },
    revision::{Known, Revision, fingerprint},
    time::Timestamp,
};

use super::{
    Key,
    store::{Locked, lock},
};

/// Whether the key has changed since the caller read it. For changes that set no fields. The transaction must have
/// locked the row.
pub(super) async fn is_outdated(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
    known: &Known,
) -> Result<bool, StorageError> {
    if *known == Known::Nothing {
        return Ok(false);
    }
    let key = lock(tx, org_id, id).await?;
    let (nothing_sent, nothing_stored) = (Revision::default(), Revision::default());
    let is_outdated = |key: Locked| known.is_outdated(&nothing_sent, &nothing_stored, || key.tag());
    Ok(key.is_none_or(is_outdated))
}

impl SettingsChange {
    /// A fingerprint of each field that is changed.
    pub fn revision(&self) -> Revision {
        Revision::of(self)
    }
}

impl Key {
    /// The revision that is served with the key's form.
    pub fn revision(&self) -> Revision {
        Revision::of(&self.settings)
    }

    /// The key's entity tag. It changes with the settings, the status or the secrets, but not with use.
    pub fn tag(&self) -> String {
        tag(
            &self.settings,
            &self.summary.display,
            &self.summary.lifecycle,
            self.last_secret_ended_at,
        )
    }
}

impl Locked {
    /// See [`Key::tag`].
    pub fn tag(&self) -> String {
        tag(
            &self.settings,
            &self.display,
            &self.lifecycle,
            self.last_secret_ended_at,
        )
    }
}

fn tag(
    settings: &KeySettings,
    display: &str,
    lifecycle: &Lifecycle,
    last_secret_ended_at: Option<Timestamp>,
) -> String {
    let state = (lifecycle.disabled_at, lifecycle.revoked_at);
    fingerprint(&(settings, display, state, last_secret_ended_at))
}
