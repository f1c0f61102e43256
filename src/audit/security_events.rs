//! Security events: sign-ins, failed ones, the ends of sessions, denials and exports.
//!
//! None of them changes an org's data, so no request writes them: a request notes them in memory, and once a second
//! [`write`] appends what was noted, in a transaction of its own. What was noted in the last second is lost when the
//! process is killed.
//!
//! Anyone can cause some of them without end, which must not fill the log. An actor brings so many a second, and ten of a kind
//! an hour; a log takes so many failed sign-ins an hour, so many denials and so much else, and the first of a kind from each
//! actor in any case: nobody can hide what others do, or what else they do themselves. What is beyond that is counted, and
//! stated in one entry for each kind when the hour is over. Each org's log has limits of its own, and so has what is in no
//! org's. Each instance counts for itself.

mod writing;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::{
    Engine,
    access::{Permit, to},
    caller::{Actor, Caller, Via},
    event::Event,
    id::{OrgId, UserId},
    time::Timestamp,
};

use self::writing::Writing;

pub use writing::write;

/// Events of one kind that one actor brings in a second. All whom nobody knows are one actor.
const MOST_A_SECOND: usize = 20;

/// Something to note.
#[derive(Debug, Clone)]
pub(crate) struct SecurityEvent {
    event: Event,
    caller: Caller,
    log: Log,
    changes: Map<String, Value>,
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

/// What was noted and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct SecurityEvents {
    noted: Mutex<Noted>,
    /// Locked by whoever writes.
    writing: tokio::sync::Mutex<Writing>,
}

/// What was noted since the last write.
#[derive(Debug, Default)]
struct Noted {
    /// In the order in which they happened.
    events: Vec<(Timestamp, SecurityEvent)>,
    by_source: HashMap<Source, Count>,
}

/// What shares the limit of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Source {
    event: Event,
    actor: Actor,
    log: Log,
}

/// How many events one source brought.
#[derive(Debug, Default)]
struct Count {
    noted: usize,
    /// Beyond [`MOST_A_SECOND`], by what they came with.
    more: BTreeMap<Via, u64>,
}

impl Engine {
    /// Notes an event for [`write`].
    pub(crate) fn note(&self, event: SecurityEvent) {
        let source = Source {
            event: event.event,
            actor: event.caller.actor,
            log: event.log,
        };
        let now = self.clock.now();
        let mut noted = self.security_events.noted();
        let count = noted.by_source.entry(source).or_default();
        if count.noted < MOST_A_SECOND {
            count.noted += 1;
            noted.events.push((now, event));
        } else {
            *count.more.entry(event.caller.via).or_default() += 1;
        }
    }
}

/// Notes that the caller exported the org's log.
pub fn exported(engine: &Engine, permit: &Permit<to::SeeAuditLog>) {
    let log = Log::Org(permit.org_id());
    let exported = SecurityEvent::new(Event::ExportMade, permit.caller().clone(), log);
    engine.note(exported.with("file", "audit_log"));
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
fn said(value: Value) -> Value {
    json!({ "from": null, "to": value })
}

impl SecurityEvents {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
