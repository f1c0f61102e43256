//! Security events: sign-ins, failed sign-ins, sign-outs, denials and exports.
//!
//! These events do not change an org's data, so requests do not write them to the database. A request buffers its event
//! in memory, and once a second [`write()`] appends the buffered events in a transaction of its own. Events of the last
//! second are lost if the process is killed.
//!
//! Anyone can cause some of them without limit, which must not fill the log. An actor adds at most 20 events of each
//! kind per second, and ten per hour. Each org's log, and the log of events outside orgs, has an hourly limit for
//! failed sign-ins, one for denials and one for all others, and always accepts the first event of each kind from each
//! actor, so that nobody can hide events of other actors or other kinds of events of their own. Events beyond the
//! limits are counted, and recorded in one entry for each kind at the end of the hour. Running instances share the
//! limits equally.

mod noted;
mod writing;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Engine, changed::Changed, event::Stale};

pub(crate) use self::noted::{Log, SecurityEvent};
use self::{
    noted::{Noted, Source},
    writing::Writing,
};

pub use writing::write;

/// Maximum number of events of one kind per actor and second. All unknown callers count as one actor.
const MOST_A_SECOND: usize = 20;

/// Buffered events that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct SecurityEvents {
    noted: Mutex<Noted>,
    /// Held while writing.
    writing: tokio::sync::Mutex<Writing>,
}

impl Engine {
    /// Buffers an event for [`write`].
    pub(crate) fn note(&self, event: SecurityEvent) {
        // Other processes learn of it once it is written.
        if event.event.stale() == Stale::Access
            && let Some(target) = event.target()
        {
            self.forget_stale(&[Changed {
                event: event.event,
                target,
                org_id: None,
                position: None,
            }]);
        }
        let source = Source {
            event: event.event,
            detail: event.detail(),
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

impl SecurityEvents {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
