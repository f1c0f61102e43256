//! The results of a search across an organization.

use serde::{Deserialize, Serialize};

/// A search result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub kind: FoundKind,
    pub name: String,
    /// Text that distinguishes results of the same name; can be empty.
    pub detail: String,
    /// The path of its page.
    pub href: String,
}

/// The kind of a search result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundKind {
    /// A page of the dashboard.
    Page,
    Key,
    Agent,
    Project,
    Organization,
}

impl FoundKind {
    /// The label of the tag.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Page => "Page",
            Self::Key => "Key",
            Self::Agent => "Agent",
            Self::Project => "Project",
            Self::Organization => "Organization",
        }
    }
}
