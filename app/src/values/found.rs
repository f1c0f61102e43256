//! What a search across an org finds.

use serde::{Deserialize, Serialize};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What it is.
    pub kind: FoundKind,
    /// What it is called.
    pub name: String,
    /// What tells it from others of the same name; empty for nothing.
    pub detail: String,
    /// Its page.
    pub href: String,
}

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundKind {
    /// A page of the console.
    Page,
    Key,
    Agent,
    Project,
}

impl FoundKind {
    /// As a tag says it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Page => "Page",
            Self::Key => "Key",
            Self::Agent => "Agent",
            Self::Project => "Project",
        }
    }
}
