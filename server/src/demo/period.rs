//! The time of a demo's data.

use latchkey::{
    clock::Clock,
    time::{DAY, Timestamp},
};

/// The time of all data.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    pub start: Timestamp,
    pub now: Timestamp,
}

impl Period {
    /// A time some days ago, but not before the start.
    pub fn days_ago(self, days: f64) -> Timestamp {
        let at = self.now.plus(-(days * DAY as f64) as i64);
        at.max(self.start)
    }
}

/// Moves a manual clock.
pub fn set(clock: &Clock, time: Timestamp) {
    clock.advance(time.since(clock.now()));
}
