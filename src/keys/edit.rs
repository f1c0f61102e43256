//! Changing what a key is. Its kind and environment stay as they are: its text states them.

use serde_json::Value;

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    domain::DomainPattern,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::KeyId,
    key::settings::{InvalidKeyField, KeySettings, SettingsChange, rules::Before},
    revision::{Known, Revision, fields_of},
};

use super::{
    project,
    store::{self, Locked},
};

/// What to change about where a widget key works; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct EditDomains {
    /// Its allowed domains.
    pub domains: Option<DomainsChange>,
    /// Whether pages on localhost may not use it, where the convention leaves that to the key.
    pub localhost_forbidden: Option<bool>,
}

/// A change of a list of allowed domains that does not undo what someone else does meanwhile.
#[derive(Debug, Clone)]
pub enum DomainsChange {
    /// These as well.
    Add(Vec<DomainPattern>),
    /// These as well, before this one if it is listed, as before they were removed.
    Insert(Vec<DomainPattern>, DomainPattern),
    /// All but these.
    Remove(Vec<DomainPattern>),
}

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditKeyError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// It has ended for good.
    #[error("This key is revoked and can no longer be changed. Create a new key instead.")]
    Revoked,
    /// Someone else changed what the caller based the change on.
    #[error("Someone else changed this key in the meantime.")]
    ChangedMeanwhile,
    /// It cannot be like that.
    #[error(transparent)]
    InvalidField(#[from] InvalidKeyField),
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(EditKeyError);

/// Changes the settings of a key. `known` is what the caller knows of it: where that is outdated, nothing is changed.
///
/// # Errors
/// When it is revoked, was changed meanwhile, or something will not do, which changes nothing.
pub async fn edit(
    engine: &Engine,
    permit: &Permit<to::EditKeys>,
    _to_domains: &Permit<to::EditDomains>,
    id: KeyId,
    change: SettingsChange,
    known: &Known,
) -> Result<(), EditKeyError> {
    let edit = |key: &Locked, settings: &mut KeySettings| {
        let (sent, stored) = (change.revision(), Revision::of(&key.settings));
        if known.is_outdated(&sent, &stored, || key.tag()) {
            return Err(EditKeyError::ChangedMeanwhile);
        }
        change.apply(settings, |field| known.is_change(field, &sent));
        Ok(())
    };
    change_settings(engine, permit, id, edit).await
}

/// Changes where a widget key works.
///
/// # Errors
/// When it is revoked, is no widget key, or would work nowhere; nothing is changed then.
pub async fn edit_domains(
    engine: &Engine,
    permit: &Permit<to::EditDomains>,
    id: KeyId,
    edit: EditDomains,
) -> Result<(), EditKeyError> {
    let edit = |_: &Locked, settings: &mut KeySettings| {
        if let Some(forbidden) = edit.localhost_forbidden {
            settings.localhost_forbidden = forbidden;
        }
        match edit.domains {
            Some(DomainsChange::Add(more)) => settings.domains.extend(more),
            Some(DomainsChange::Insert(mut more, next)) => {
                more.retain(|one| !settings.domains.contains(one));
                let place = settings.domains.iter().position(|domain| *domain == next);
                let place = place.unwrap_or(settings.domains.len());
                settings.domains.splice(place..place, more);
            }
            Some(DomainsChange::Remove(gone)) => {
                settings.domains.retain(|domain| !gone.contains(domain));
            }
            None => {}
        }
        Ok(())
    };
    change_settings(engine, permit, id, edit).await
}

async fn change_settings<A>(
    engine: &Engine,
    permit: &Permit<A>,
    id: KeyId,
    edit: impl FnOnce(&Locked, &mut KeySettings) -> Result<(), EditKeyError>,
) -> Result<(), EditKeyError> {
    let (now, org_id) = (engine.clock.now(), permit.org_id());
    let mut change = engine.change(permit).await?;
    let key = store::lock(change.tx(), org_id, id).await?;
    let key = key.ok_or(EditKeyError::NotFound)?;
    if key.lifecycle.revoked_at.is_some() {
        return Err(EditKeyError::Revoked);
    }
    let mut settings = key.settings.clone();
    edit(&key, &mut settings)?;
    let before = Before::Settings(&key.settings);
    let mut settings = settings.checked(key.kind, &engine.convention, before, now)?;
    if settings.project != key.settings.project {
        settings.project = project::resolve(change.tx(), org_id, settings.project).await?;
        if settings.project.is_none() {
            return Err(InvalidKeyField::NoSuchProject.into());
        }
    }
    let updated = differences(&key.settings, &settings, id);
    if updated.changes.is_empty() {
        return Ok(());
    }
    store::update(change.tx(), org_id, id, &key.display, &settings).await?;
    Ok(change.commit(updated).await?)
}

/// What is different. Of notes and metadata, which may say anything, only that they are.
fn differences(before: &KeySettings, after: &KeySettings, id: KeyId) -> Happened {
    let mut now = fields_of(after);
    let updated = Happened::new(Event::KeyUpdated, Target::Key(id));
    fields_of(before)
        .into_iter()
        .fold(updated, |updated, (field, was)| {
            let is = now.remove(&field).unwrap_or_default();
            match field.as_str() {
                "notes" | "metadata" if was == is => updated,
                "notes" | "metadata" => updated.changed(&field, Value::Null, "changed"),
                field => updated.changed(field, was, is),
            }
        })
}
