//! Security events: sign-ins, failed sign-ins, sign-outs, denials and exports.
//!
//! These events do not change an org's data, so requests do not write them to the database. A request buffers its
//! event in memory, and once a second [`write`] appends the buffered events in a transaction of its own. Events of
//! the last second are lost if the process is killed.
//!
//! Anyone can cause some of these events without limit, which must not fill the log. There are limits per actor
//! (events of one kind per second, and ten of a kind per hour) and per log (failed sign-ins, denials and other events
//! per hour). The first event of a kind from each actor is always written, so nobody can hide the actions of others,
//! or other actions of their own. Events above a limit are counted, and one summary entry per kind is written at the
//! end of the hour. Each org's log has its own limits, and so has the log of events outside any org. Each instance
//! counts separately.

mod noted;
mod writing;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Engine;

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

impl SecurityEvents {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
