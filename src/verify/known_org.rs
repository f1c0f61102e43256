//! An org as the cache holds it.

use crate::{id::OrgId, name::Slug};

/// An org as verification knows it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownOrg {
    /// Its id.
    pub id: OrgId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Whether it lets secret keys through when a browser made the request.
    pub secrets_in_browsers: bool,
}

/// Reads an org by its id.
pub(super) const SELECT: &str = "SELECT id, slug, secrets_in_browsers FROM orgs WHERE id = $1";
