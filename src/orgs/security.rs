//! An org's security settings, which owners change with their password.

use crate::{
    Engine,
    access::{Permit, to},
    accounts::confirmed::PasswordNeeded,
    change::Happened,
    db::{StorageError, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    orgs,
    role::AdminRights,
};

/// The security settings of an org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct OrgSecurity {
    /// Whether members without a second factor see nothing of the org.
    pub second_factor_required: bool,
    /// What admins can do with keys.
    pub admin_rights: AdminRights,
}

/// Why the settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSecurityError {
    /// The owner would be shut out too.
    #[error("Set up a second factor for your own account first.")]
    NoSecondFactor,
    /// The owner has not entered their password.
    #[error(transparent)]
    PasswordNeeded(#[from] PasswordNeeded),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ChangeSecurityError);

/// Returns the current settings.
///
/// # Errors
/// If the database cannot be reached.
pub async fn read(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
) -> Result<OrgSecurity, StorageError> {
    const SQL: &str = "SELECT second_factor_required, admin_rights FROM orgs WHERE id = $1";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(permit.org_id()).fetch_one(c).await)?)
}

/// Changes those settings that differ between `base`, which the caller has seen, and `new`. They apply to the next request
/// of every member, on every instance.
///
/// # Errors
/// If a second factor is to be required by an owner who has none, or the owner has not entered their password.
pub async fn change(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
    base: OrgSecurity,
    new: OrgSecurity,
) -> Result<(), ChangeSecurityError> {
    const UPDATE: &str =
        "UPDATE orgs SET second_factor_required = $1, admin_rights = $2 WHERE id = $3";
    const HAS_FACTOR: &str = "SELECT 1 FROM second_factors WHERE user_id = $1";
    permit.check_confirmed()?;
    let org_id = permit.org_id();
    let mut change = engine.change(permit).await?;
    const SELECT: &str = "SELECT second_factor_required, admin_rights FROM orgs WHERE id = $1";
    orgs::lock(change.tx(), org_id).await?;
    let stored: OrgSecurity =
        on!(change.on(), c => sqlx::query_as(SELECT).bind(org_id).fetch_one(c).await)?;
    let mut result = stored;
    if new.second_factor_required != base.second_factor_required {
        result.second_factor_required = new.second_factor_required;
    }
    if new.admin_rights != base.admin_rights {
        result.admin_rights = new.admin_rights;
    }
    let is_new = result.second_factor_required && !stored.second_factor_required;
    if let Some(owner) = permit.caller().actor.user_id().filter(|_| is_new) {
        let has_factor = on!(change.on(), c => sqlx::query(HAS_FACTOR)
            .bind(owner).fetch_optional(c).await.map(|row| row.is_some()))?;
        if !has_factor {
            return Err(ChangeSecurityError::NoSecondFactor);
        }
    }
    let updated = Happened::new(Event::OrgUpdated, Target::Org(org_id))
        .changed(
            "second_factor_required",
            stored.second_factor_required,
            result.second_factor_required,
        )
        .changed(
            "admin_rights",
            stored.admin_rights.as_str(),
            result.admin_rights.as_str(),
        );
    if updated.changes.is_empty() {
        return Ok(());
    }
    on!(change.on(), c => sqlx::query(UPDATE)
        .bind(result.second_factor_required).bind(result.admin_rights).bind(org_id).execute(c).await.map(drop))?;
    Ok(change.commit(updated).await?)
}
