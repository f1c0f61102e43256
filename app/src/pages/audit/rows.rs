//! Entries as pages show them.

use super::changes::ChangeText;
use crate::text::time::TimeText;

#[derive(Debug, Clone)]
pub struct EntryRow {
    /// When.
    pub at: TimeText,
    /// Who.
    pub actor: String,
    /// Their id; the command line has none.
    pub actor_id: Option<String>,
    /// What, before the name of what it was done to.
    pub before: String,
    /// That name.
    pub target: Option<TargetText>,
    /// What, after the name.
    pub after: String,
    /// What is different.
    pub changes: Vec<ChangeText>,
    /// From which address or network.
    pub address: Option<String>,
    /// With what: "Dashboard, Firefox".
    pub via: String,
}

/// What something was done to.
#[derive(Debug, Clone)]
pub struct TargetText {
    /// Its name; where it is gone, its id.
    pub name: String,
    /// Its page, where it has one.
    pub href: Option<String>,
    /// Whether the name is an id.
    pub is_id: bool,
}

/// An entry in the timeline of the thing that it is about.
#[derive(Debug, Clone)]
pub struct HistoryItem {
    /// What: "Rotated".
    pub what: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: TimeText,
    /// What is different.
    pub changes: Vec<ChangeText>,
}
