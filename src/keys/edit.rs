//! Changing what a key is. Its kind and environment stay as they are: its text states them.

use serde_json::Value;

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    convention::Scope,
    db::{StorageError, Tx, from_json, on, select_locked},
    domain::DomainPattern,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, OrgId, ProjectId},
    ip_range::IpRange,
    key::{Kind, Lifecycle},
    name::KeyName,
    revision::Known,
    time::Timestamp,
};

use super::{
    create::search_text,
    project,
    rules::{self, InvalidKeyField, Metadata},
    show, stored_domains,
};

/// What to change; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct EditKey {
    /// Its name.
    pub name: Option<KeyName>,
    /// What its makers write about it.
    pub notes: Option<String>,
    /// What it may do. A scope that the convention no longer has may stay, not come.
    pub scopes: Option<Vec<Scope>>,
    /// When it stops by itself; `Some(None)` for never. An expired key works again when this is in the future.
    pub expires_at: Option<Option<Timestamp>>,
    /// The addresses that its users come from; empty means any.
    pub ip_ranges: Option<Vec<IpRange>>,
    /// The group of keys it belongs to.
    pub project: Option<ProjectId>,
    /// What API servers are told of it.
    pub metadata: Option<Metadata>,
    /// What the caller knows of the key: where that is outdated, nothing is changed.
    pub known: Known,
}

/// What to change about where a widget key works; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct EditDomains {
    /// Its allowed domains.
    pub domains: Option<DomainsChange>,
    /// Whether pages on localhost may not use it, where the convention leaves that to the key.
    pub localhost_forbidden: Option<bool>,
}

/// A change of a list of allowed domains. Adding and removing do not undo what someone else does meanwhile.
#[derive(Debug, Clone)]
pub enum DomainsChange {
    /// These, whatever there were.
    Set(Vec<DomainPattern>),
    /// These as well.
    Add(Vec<DomainPattern>),
    /// All but this one.
    Remove(DomainPattern),
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
    Unfit(#[from] InvalidKeyField),
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(EditKeyError);

/// Changes a key.
///
/// # Errors
/// When it is revoked, was changed meanwhile, or something will not do, which changes nothing.
pub async fn edit(
    engine: &Engine,
    permit: &Permit<to::EditKeys>,
    id: KeyId,
    edit: EditKey,
) -> Result<(), EditKeyError> {
    change(engine, permit, id, edit, EditDomains::default()).await
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
    change(engine, permit, id, EditKey::default(), edit).await
}

/// Changes a key and where it works, both or neither.
///
/// # Errors
/// As [`edit`] and [`edit_domains`].
pub async fn edit_with_domains(
    engine: &Engine,
    permit: &Permit<to::EditKeys>,
    _to_domains: &Permit<to::EditDomains>,
    id: KeyId,
    edit: EditKey,
    domains: EditDomains,
) -> Result<(), EditKeyError> {
    change(engine, permit, id, edit, domains).await
}

/// What of a key can be changed, as it is stored.
#[derive(Clone, sqlx::FromRow)]
struct Row {
    kind: Kind,
    name: KeyName,
    display: String,
    project_id: ProjectId,
    scopes: String,
    domains: String,
    localhost_forbidden: bool,
    ip_ranges: String,
    notes: String,
    metadata: String,
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
}

async fn change<A>(
    engine: &Engine,
    permit: &Permit<A>,
    id: KeyId,
    mut edit: EditKey,
    domains: EditDomains,
) -> Result<(), EditKeyError> {
    let (now, org_id) = (engine.clock.now(), permit.org_id());
    let mut change = engine.change(permit).await?;
    let mut row = lock(change.tx(), org_id, id)
        .await?
        .ok_or(EditKeyError::NotFound)?;
    let before = row.clone();
    if row.lifecycle.revoked_at.is_some() {
        return Err(EditKeyError::Revoked);
    }
    if edit.known != Known::Nothing {
        let key = show::details_within(change.tx(), org_id, id, now).await?;
        let key = key.ok_or(EditKeyError::NotFound)?;
        let sent = edit.revision();
        if edit.known.is_outdated(&sent, &key.revision(), || key.tag()) {
            return Err(EditKeyError::ChangedMeanwhile);
        }
        edit.leave_unchanged(&sent);
    }
    if let Some(project) = edit.project {
        row.project_id = project::resolve(change.tx(), org_id, Some(project))
            .await?
            .ok_or(InvalidKeyField::NoSuchProject)?;
    }
    row.apply(engine, edit, now)?;
    row.apply_domains(engine, domains)?;
    let updated = row.differences(&before, id)?;
    if updated.changes.is_empty() {
        return Ok(());
    }
    store(change.tx(), org_id, id, &row).await?;
    Ok(change.commit(updated).await?)
}

impl Row {
    /// What is different from `before`. Of notes and metadata, which may say anything, only that they are.
    fn differences(&self, before: &Self, id: KeyId) -> Result<Happened, StorageError> {
        let instant = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        let list = |text: &str| from_json::<Value>(text);
        let rewritten = |is: &str, was: &str| (was != is).then_some("changed");
        Ok(Happened::new(Event::KeyUpdated, Target::Key(id))
            .changed("name", before.name.as_str(), self.name.as_str())
            .changed(
                "project",
                before.project_id.to_string(),
                self.project_id.to_string(),
            )
            .changed("scopes", list(&before.scopes)?, list(&self.scopes)?)
            .changed("domains", list(&before.domains)?, list(&self.domains)?)
            .changed(
                "localhost_forbidden",
                before.localhost_forbidden,
                self.localhost_forbidden,
            )
            .changed(
                "ip_ranges",
                list(&before.ip_ranges)?,
                list(&self.ip_ranges)?,
            )
            .changed(
                "expires_at",
                instant(before.lifecycle.expires_at),
                instant(self.lifecycle.expires_at),
            )
            .changed("notes", None::<&str>, rewritten(&self.notes, &before.notes))
            .changed(
                "metadata",
                None::<&str>,
                rewritten(&self.metadata, &before.metadata),
            ))
    }

    fn apply(
        &mut self,
        engine: &Engine,
        edit: EditKey,
        now: Timestamp,
    ) -> Result<(), EditKeyError> {
        if let Some(name) = edit.name {
            self.name = name;
        }
        if let Some(notes) = edit.notes {
            self.notes = rules::check_notes(&notes)?;
        }
        if let Some(scopes) = edit.scopes {
            let has: Vec<Scope> = from_json(&self.scopes)?;
            let new: Vec<Scope> = scopes
                .iter()
                .filter(|scope| !has.contains(scope))
                .cloned()
                .collect();
            rules::check_scopes(&engine.convention, new)?;
            self.scopes = serde_json::json!(rules::each_once(scopes)).to_string();
        }
        if let Some(expires_at) = edit
            .expires_at
            .filter(|at| *at != self.lifecycle.expires_at)
        {
            rules::check_expiry(&engine.convention, expires_at, now)?;
            self.lifecycle.expires_at = expires_at;
        }
        if let Some(ip_ranges) = edit.ip_ranges {
            let ip_ranges = rules::check_ip_ranges(ip_ranges)?;
            self.ip_ranges = serde_json::json!(ip_ranges).to_string();
        }
        if let Some(metadata) = edit.metadata {
            self.metadata = rules::check_metadata(&metadata)?;
        }
        Ok(())
    }

    fn apply_domains(&mut self, engine: &Engine, edit: EditDomains) -> Result<(), EditKeyError> {
        if let Some(forbidden) = edit.localhost_forbidden {
            rules::check_localhost(&engine.convention, self.kind, forbidden)?;
            self.localhost_forbidden = forbidden;
        }
        let Some(change) = edit.domains else {
            return Ok(());
        };
        let mut domains = stored_domains(&self.domains)?;
        match change {
            DomainsChange::Set(all) => domains = all,
            DomainsChange::Add(more) => domains.extend(more),
            DomainsChange::Remove(one) => domains.retain(|domain| *domain != one),
        }
        let domains = rules::check_domains(self.kind, domains)?;
        self.domains = serde_json::json!(domains).to_string();
        Ok(())
    }
}

/// Reads a key's row, which nobody else changes until the transaction ends.
async fn lock(tx: &mut Tx, org_id: OrgId, id: KeyId) -> Result<Option<Row>, StorageError> {
    select_locked!(
        tx,
        "SELECT kind, name, display, project_id, scopes, domains, localhost_forbidden, ip_ranges, notes, metadata, \
         expires_at, disabled_at, revoked_at FROM keys WHERE org_id = $1 AND id = $2",
        org_id,
        id
    )
}

async fn store(tx: &mut Tx, org_id: OrgId, id: KeyId, row: &Row) -> Result<(), StorageError> {
    const UPDATE: &str = "UPDATE keys SET name = $1, search = $2, project_id = $3, scopes = $4, domains = $5, \
         ip_ranges = $6, notes = $7, metadata = $8, expires_at = $9, localhost_forbidden = $10 WHERE org_id = $11 AND id = $12";
    on!(tx.on(), c => sqlx::query(UPDATE)
        .bind(row.name.clone()).bind(search_text(&row.name, &row.display)).bind(row.project_id).bind(&row.scopes)
        .bind(&row.domains).bind(&row.ip_ranges).bind(&row.notes).bind(&row.metadata).bind(row.lifecycle.expires_at).bind(row.localhost_forbidden)
        .bind(org_id).bind(id).execute(c).await.map(drop))?;
    Ok(())
}
