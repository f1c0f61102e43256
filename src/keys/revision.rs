//! The revision and the entity tag of a key.

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

/// Whether the key is not as a caller knows it that sends no fields. The transaction has locked its row.
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

    /// Its entity tag: another one after every change of its settings, its state or its secrets, not after its use.
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
    /// As [`Key::tag`].
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
