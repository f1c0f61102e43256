//! Events buffered in memory, and the logs that they belong to.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::{
    caller::{Actor, Caller, Via},
    event::{Event, Target},
    id::{OrgId, UserId},
    time::Timestamp,
};

/// An event to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct SecurityEvent {
    pub(super) event: Event,
    pub(super) caller: Caller,
    pub(super) log: Log,
    /// What the event is about, if not the log's org or user.
    pub(super) target: Option<Target>,
    pub(super) changes: Map<String, Value>,
}

/// The log that an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Log {
    /// The log of the org that the event is about.
    Org(OrgId),
    /// The log of each org of the user that the event is about.
    OrgsOf(UserId),
    /// Outside any org.
    NoOrgs,
}

/// Events buffered since the last write.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// In chronological order.
    pub(super) events: Vec<(Timestamp, SecurityEvent)>,
    pub(super) by_source: HashMap<Source, Count>,
}

/// The events that share a per-second limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Source {
    pub(super) event: Event,
    pub(super) detail: Option<String>,
    pub(super) actor: Actor,
    pub(super) log: Log,
}

/// Number of events from one source.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) noted: usize,
    /// Events above [`MOST_A_SECOND`](super::MOST_A_SECOND), by interface.
    pub(super) more: BTreeMap<Via, u64>,
}

impl SecurityEvent {
    pub(crate) fn new(event: Event, caller: Caller, log: Log) -> Self {
        Self {
            event,
            caller,
            log,
            target: None,
            changes: Map::new(),
        }
    }

    /// Sets what the event is about.
    #[must_use]
    pub(crate) fn about(mut self, target: Option<Target>) -> Self {
        self.target = target;
        self
    }

    /// What the event is about: by default, the log's org or user.
    pub(super) fn target(&self) -> Option<Target> {
        self.target.or(match self.log {
            Log::Org(org_id) => Some(Target::Org(org_id)),
            Log::OrgsOf(user_id) => Some(Target::User(user_id)),
            Log::NoOrgs => None,
        })
    }

    /// What was denied, or why a sign-in failed. Limits of an actor count events with different details separately, so that
    /// many of one do not hide another.
    pub(super) fn detail(&self) -> Option<String> {
        let detail = self.changes.get("action").or(self.changes.get("reason"))?;
        Some(detail.get("to")?.as_str()?.to_owned())
    }

    /// Adds a detail.
    #[must_use]
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.changes.insert(field.to_owned(), said(value.into()));
        self
    }
}

/// A detail in the form of a change, without a previous value.
pub(super) fn said(value: Value) -> Value {
    json!({ "from": null, "to": value })
}
