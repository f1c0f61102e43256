//! Cached orgs.

use crate::{db::places, id::OrgId, name::Slug};

/// The org data needed for verification.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownOrg {
    /// The org's ID.
    pub id: OrgId,
    /// The org's name in URLs.
    pub slug: Slug,
    /// Whether secret keys are allowed in requests from browsers.
    pub secrets_in_browsers: bool,
}

/// Selects `orgs` orgs by ID.
pub(super) fn select(orgs: usize) -> String {
    let places = places(1, orgs);
    format!(
        "SELECT id, slug, secrets_in_browsers FROM orgs WHERE id IN ({places}) AND deleted_at IS NULL"
    )
}
