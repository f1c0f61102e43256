//! Audit log entries as the pages show them.

use super::changes::ChangeText;
use crate::text::time::TimeText;

#[derive(Debug, Clone)]
pub struct EntryRow {
    pub at: TimeText,
    pub actor: String,
    /// The actor's ID; the command line has none.
    pub actor_id: Option<String>,
    /// The part of the sentence before the target's name.
    pub before: String,
    pub target: Option<TargetText>,
    /// The part of the sentence after the target's name.
    pub after: String,
    pub changes: Vec<ChangeText>,
    /// The client's IP address or network.
    pub address: Option<String>,
    /// The interface and client: "Dashboard, Firefox".
    pub via: String,
}

/// The target of an event.
#[derive(Debug, Clone)]
pub struct TargetText {
    /// The name, or the ID if the target was deleted.
    pub name: String,
    /// The path of the target's page, if there is one.
    pub href: Option<String>,
    /// Whether `name` is an ID.
    pub is_id: bool,
}

/// An entry in the history of a resource.
#[derive(Debug, Clone)]
pub struct HistoryItem {
    /// What was done: "Rotated".
    pub what: String,
    pub actor: String,
    pub at: TimeText,
    pub changes: Vec<ChangeText>,
}
