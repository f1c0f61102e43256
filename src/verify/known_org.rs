//! Cached orgs.

use crate::{id::OrgId, name::Slug};

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

/// Selects an org by ID.
pub(super) const SELECT: &str =
    "SELECT id, slug, secrets_in_browsers FROM orgs WHERE id = $1 AND deleted_at IS NULL";
