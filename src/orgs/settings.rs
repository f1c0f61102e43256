//! An org's settings.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, on},
    event::{Event, Target},
    name::DisplayName,
    orgs,
    revision::{Known, Revision},
    search::folded,
};

/// The settings of an org, which only owners can change.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OrgSettings {
    /// The org's display name.
    pub name: DisplayName,
    /// Whether secret keys are accepted in requests from browsers.
    pub secrets_in_browsers: bool,
}

/// Why an org's settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSettingsError {
    /// The settings were changed since the caller read them.
    #[error("Someone else changed these settings in the meantime.")]
    ChangedMeanwhile,
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl OrgSettings {
    /// A fingerprint of each setting. A form of the settings is rendered with it.
    pub fn revision(&self) -> Revision {
        Revision::default()
            .with("name", Some(&self.name))
            .with("secrets_in_browsers", Some(self.secrets_in_browsers))
    }
}

/// Returns the current settings.
///
/// # Errors
/// If the database cannot be reached.
pub async fn read(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
) -> Result<OrgSettings, StorageError> {
    const SQL: &str = "SELECT name, secrets_in_browsers FROM orgs WHERE id = $1";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(permit.org_id()).fetch_one(c).await)?)
}

/// Changes the settings. Verifications on this instance use the new ones immediately.
///
/// # Errors
/// If `known` is outdated or the database cannot be reached.
pub async fn change(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
    mut settings: OrgSettings,
    known: &Known,
) -> Result<(), ChangeSettingsError> {
    let mut change = engine.change(permit).await?;
    let org_id = permit.org_id();
    const SELECT: &str = "SELECT name, secrets_in_browsers FROM orgs WHERE id = $1";
    orgs::lock(change.tx(), org_id).await?;
    let before = on!(change.on(), c => sqlx::query_as(SELECT).bind(org_id).fetch_one(c).await);
    let before: OrgSettings = before.map_err(StorageError::from)?;
    let (sent, stored) = (settings.revision(), before.revision());
    if known.is_outdated(&sent, &stored, || stored.to_string()) {
        return Err(ChangeSettingsError::ChangedMeanwhile);
    }
    if !known.is_change("name", &sent) {
        settings.name = before.name.clone();
    }
    if !known.is_change("secrets_in_browsers", &sent) {
        settings.secrets_in_browsers = before.secrets_in_browsers;
    }
    let updated = Happened::new(Event::OrgUpdated, Target::Org(org_id))
        .changed("name", before.name.as_str(), settings.name.as_str())
        .changed(
            "secrets_in_browsers",
            before.secrets_in_browsers,
            settings.secrets_in_browsers,
        );
    if updated.changes.is_empty() {
        return Ok(());
    }
    const UPDATE: &str =
        "UPDATE orgs SET name = $1, search = $4, secrets_in_browsers = $2 WHERE id = $3";
    on!(change.on(), c => sqlx::query(UPDATE)
        .bind(settings.name.clone()).bind(settings.secrets_in_browsers).bind(org_id)
        .bind(folded(settings.name.as_str())).execute(c).await.map(drop))
    .map_err(StorageError::from)?;
    Ok(change.commit(updated).await?)
}
