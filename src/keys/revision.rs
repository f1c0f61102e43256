//! The revision and the entity tag of a key.

use crate::{
    db::{StorageError, Tx},
    id::{KeyId, OrgId},
    revision::{Known, Revision, fingerprint},
    time::Timestamp,
};

use super::{Key, edit::EditKey, show};

/// Whether the key is not as a caller knows it that sends no fields. The transaction has locked its row.
pub(super) async fn is_outdated(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
    known: &Known,
    now: Timestamp,
) -> Result<bool, StorageError> {
    if *known == Known::Nothing {
        return Ok(false);
    }
    let key = show::details_within(tx, org_id, id, now).await?;
    let (nothing_sent, nothing_stored) = (Revision::default(), Revision::default());
    let is_outdated = |key: Key| known.is_outdated(&nothing_sent, &nothing_stored, || key.tag());
    Ok(key.is_none_or(is_outdated))
}

impl EditKey {
    /// A fingerprint of each field that is given.
    pub fn revision(&self) -> Revision {
        // As forms read notes: line ends and blanks around them are not a change.
        let notes = self.notes.as_deref();
        let notes = notes.map(|notes| notes.replace("\r\n", "\n").trim().to_owned());
        Revision::default()
            .with("name", self.name.as_ref())
            .with("notes", notes)
            .with_set("scopes", self.scopes.as_deref())
            .with("expires_at", self.expires_at)
            .with_set("ip_ranges", self.ip_ranges.as_deref())
            .with("project", self.project)
            .with("metadata", self.metadata.as_ref())
    }

    /// Drops the fields that hold what the form was served with.
    pub(super) fn leave_unchanged(&mut self, sent: &Revision) {
        let known = &self.known;
        self.name.take_if(|_| !known.is_change("name", sent));
        self.notes.take_if(|_| !known.is_change("notes", sent));
        self.scopes.take_if(|_| !known.is_change("scopes", sent));
        self.expires_at
            .take_if(|_| !known.is_change("expires_at", sent));
        self.ip_ranges
            .take_if(|_| !known.is_change("ip_ranges", sent));
        self.project.take_if(|_| !known.is_change("project", sent));
        self.metadata
            .take_if(|_| !known.is_change("metadata", sent));
    }
}

impl Key {
    /// The revision that a form of the key is served with.
    pub fn revision(&self) -> Revision {
        let all = EditKey {
            name: Some(self.summary.name.clone()),
            notes: Some(self.notes.clone()),
            scopes: Some(self.scopes.clone()),
            expires_at: Some(self.summary.lifecycle.expires_at),
            ip_ranges: Some(self.ip_ranges.clone()),
            project: Some(self.project_id),
            metadata: Some(self.metadata.clone()),
            known: Known::Nothing,
        };
        all.revision()
    }

    /// Its entity tag: another one after every change of its settings, its state or its secret, not after its use.
    pub fn tag(&self) -> String {
        let summary = &self.summary;
        let state = (
            summary.lifecycle.expires_at,
            summary.lifecycle.disabled_at,
            summary.lifecycle.revoked_at,
            self.last_secret_ended_at,
        );
        let settings = (
            &self.scopes,
            &self.domains,
            self.localhost_forbidden,
            &self.ip_ranges,
            &self.notes,
            &self.metadata,
        );
        fingerprint(&(
            &summary.name,
            &summary.display,
            self.project_id,
            state,
            settings,
        ))
    }
}
