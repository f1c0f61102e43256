//! What is noted in memory, and whose log it belongs in.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::{
    caller::{Actor, Caller, Via},
    event::Event,
    id::{OrgId, UserId},
    time::Timestamp,
};

/// Something to note.
#[derive(Debug, Clone)]
pub(crate) struct SecurityEvent {
    pub(super) event: Event,
    pub(super) caller: Caller,
    pub(super) log: Log,
    pub(super) changes: Map<String, Value>,
}

/// Whose log an event belongs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Log {
    /// The org's, which it is about.
    Org(OrgId),
    /// That of each org that the person, whom it is about, is in.
    OrgsOf(UserId),
    /// No org's.
    NoOrgs,
}

/// What was noted since the last write.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// In the order in which they happened.
    pub(super) events: Vec<(Timestamp, SecurityEvent)>,
    pub(super) by_source: HashMap<Source, Count>,
}

/// What shares the limit of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source {
    pub(super) event: Event,
    pub(super) actor: Actor,
    pub(super) log: Log,
}

/// How many events one source brought.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) noted: usize,
    /// Beyond [`MOST_A_SECOND`], by what they came with.
    pub(super) more: BTreeMap<Via, u64>,
}

impl SecurityEvent {
    /// What happened, who did it, and whose log it belongs in.
    pub(crate) fn new(event: Event, caller: Caller, log: Log) -> Self {
        Self {
            event,
            caller,
            log,
            changes: Map::new(),
        }
    }

    /// Says more about it.
    #[must_use]
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.changes.insert(field.to_owned(), said(value.into()));
        self
    }
}

/// What an entry says that is not a change of what was before.
pub(super) fn said(value: Value) -> Value {
    json!({ "from": null, "to": value })
}
