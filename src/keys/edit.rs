//! Editing keys. The kind and environment cannot be changed, because they are part of the key's text.

use serde_json::Value;

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, Tx},
    domain::{self, DomainPattern},
    event::{Event, Target},
    fault::{Fault, from_fault},
    findings::refused_since,
    id::{KeyId, OrgId},
    key::settings::{
        InvalidKeyField, InvalidKeyFields, KeySettings, SettingsChange, rules::Before,
    },
    limits::{LimitReached, check_more_domains},
    orgs::policies,
    revision::{Known, Revision, fields_of},
    usage::domains::note_allowed,
};

use super::{
    project,
    store::{self, Locked},
};

/// A change of the sites on which a widget key works. A field that is `None` is not changed.
#[derive(Debug, Clone, Default)]
pub struct EditDomains {
    /// The change to the allowed domains.
    pub domains: Option<DomainsChange>,
    /// Whether pages on localhost are forbidden to use the key, if the convention leaves that to the key.
    pub localhost_forbidden: Option<bool>,
}

/// A change to a list of allowed domains. It does not undo concurrent changes.
#[derive(Debug, Clone)]
pub enum DomainsChange {
    /// Add these domains.
    Add(Vec<DomainPattern>),
    /// Add these domains before this one, if it is listed. Used to undo a removal.
    Insert(Vec<DomainPattern>, DomainPattern),
    /// Remove these domains.
    Remove(Vec<DomainPattern>),
}

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditKeyError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// The key is revoked.
    #[error("This key is revoked and can no longer be changed. Create a new key instead.")]
    Revoked,
    /// Someone else changed the key after the caller read it.
    #[error("Someone else changed this key in the meantime.")]
    ChangedMeanwhile,
    /// Settings are invalid.
    #[error(transparent)]
    InvalidFields(#[from] InvalidKeyFields),
    /// The org has reached its limit of domains.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(EditKeyError);

/// Changes the settings of a key. `known` is the state that the caller has seen: if it is outdated, nothing is changed.
///
/// # Errors
/// If the key is revoked or was changed in the meantime, or a setting is invalid. Nothing is changed then.
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

/// Changes the sites on which a widget key works.
///
/// # Errors
/// If the key is revoked, is not a widget key or would have no domains. Nothing is changed then.
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
    let policy = policies::locked(engine, change.tx(), org_id).await?;
    let (of, before) = ((key.kind, key.environment), Before::Settings(&key.settings));
    let mut wrong = settings.check(key.kind, &engine.convention, before, now);
    wrong.extend(policy.broken_by(&settings, of, &engine.convention, before, now));
    InvalidKeyFields::none(wrong)?;
    if settings.project != key.settings.project {
        settings.project = project::resolve(change.tx(), org_id, settings.project).await?;
        if settings.project.is_none() {
            return Err(InvalidKeyFields::from(InvalidKeyField::NoSuchProject).into());
        }
    }
    let updated = Happened::new(Event::KeyUpdated, Target::Key(id));
    let updated = differences(&key.settings, &settings, updated);
    if updated.changes.is_empty() {
        return Ok(());
    }
    store::update(change.tx(), org_id, id, &key.display, &settings).await?;
    let (before, after) = (key.settings.domains.len(), settings.domains.len());
    check_more_domains(engine, change.tx(), org_id, before, after).await??;
    note_allowed_hosts(engine, change.tx(), (org_id, id), &key.settings, &settings).await?;
    Ok(change.commit(updated).await?)
}

/// Notes which rejected hosts a change of a key's domains allows.
async fn note_allowed_hosts(
    engine: &Engine,
    tx: &mut Tx,
    (org_id, id): (OrgId, KeyId),
    before: &KeySettings,
    after: &KeySettings,
) -> Result<(), StorageError> {
    if before.domains == after.domains && before.localhost_forbidden == after.localhost_forbidden {
        return Ok(());
    }
    let allows = |settings: &KeySettings, host: &str| {
        let rule = engine.convention.domain_rule(settings.localhost_forbidden);
        domain::allows_host(&settings.domains, host, rule)
    };
    let (was, is) = (
        |host: &str| allows(before, host),
        |host: &str| allows(after, host),
    );
    let since = refused_since(engine.clock.now());
    note_allowed(tx, org_id, id, was, is, since).await
}

/// Adds the changed fields. For notes and metadata, which can contain anything, only the fact that they changed is recorded.
pub(crate) fn differences(
    before: &KeySettings,
    after: &KeySettings,
    updated: Happened,
) -> Happened {
    let mut now = fields_of(after);
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
