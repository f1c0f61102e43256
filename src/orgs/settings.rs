//! An org's settings.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    key::digest::KeyDigest,
    name::DisplayName,
};

/// What an org's owners decide for all of it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OrgSettings {
    /// Its name.
    pub name: DisplayName,
    /// Whether secret keys are let through when a browser made the request.
    pub secrets_in_browsers: bool,
}

/// The settings as they are.
///
/// # Errors
/// When the database cannot be asked.
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
/// When the database cannot be asked.
pub async fn change(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
    settings: &OrgSettings,
) -> Result<(), StorageError> {
    let mut tx = engine.db.begin().await?;
    const UPDATE: &str = "UPDATE orgs SET name = $1, secrets_in_browsers = $2 WHERE id = $3";
    on!(tx.on(), c => sqlx::query(UPDATE)
        .bind(settings.name.clone()).bind(settings.secrets_in_browsers).bind(permit.org_id())
        .execute(c).await.map(drop))?;
    const DIGESTS: &str = "SELECT key_secrets.digest FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id \
         WHERE keys.org_id = $1";
    let digests: Vec<Vec<u8>> = on!(tx.on(), c => sqlx::query_scalar(DIGESTS)
        .bind(permit.org_id()).fetch_all(c).await)?;
    tx.commit().await?;
    for digest in digests
        .into_iter()
        .filter_map(|bytes| KeyDigest::try_from(bytes).ok())
    {
        engine.cache.forget(&digest);
    }
    Ok(())
}
