//! An org's settings.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, on, select_locked},
    event::{Event, Target},
    name::DisplayName,
    revision::{Known, Revision},
};

/// What an org's owners decide for all of it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OrgSettings {
    /// Its name.
    pub name: DisplayName,
    /// Whether secret keys are let through when a browser made the request.
    pub secrets_in_browsers: bool,
}

/// Why an org's settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSettingsError {
    /// Someone else changed what the caller based the change on.
    #[error("Someone else changed these settings in the meantime.")]
    ChangedMeanwhile,
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl OrgSettings {
    /// A fingerprint of each setting, which a form of them is served with.
    pub fn revision(&self) -> Revision {
        Revision::default()
            .with("name", Some(&self.name))
            .with("secrets_in_browsers", Some(self.secrets_in_browsers))
    }
}

/// The settings as they are.
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

/// Changes them. Verifications on this instance go by the new ones from then on.
///
/// # Errors
/// When `known` is outdated or the database cannot be asked.
pub async fn change(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
    mut settings: OrgSettings,
    known: &Known,
) -> Result<(), ChangeSettingsError> {
    let mut change = engine.change(permit).await?;
    let org_id = permit.org_id();
    let before: Option<OrgSettings> = select_locked!(
        change,
        "SELECT name, secrets_in_browsers FROM orgs WHERE id = $1",
        org_id
    )?;
    let before = before.ok_or(StorageError::from(sqlx::Error::RowNotFound))?;
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
    const UPDATE: &str = "UPDATE orgs SET name = $1, secrets_in_browsers = $2 WHERE id = $3";
    on!(change.on(), c => sqlx::query(UPDATE)
        .bind(settings.name.clone()).bind(settings.secrets_in_browsers).bind(org_id).execute(c).await.map(drop))
    .map_err(StorageError::from)?;
    Ok(change.commit(updated).await?)
}
