//! The only place that reads the system time. Everything else receives a [`Clock`], so that tests can advance time
//! instead of waiting.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::time::Timestamp;

/// A point in time on a monotonic clock. Only comparable with points of the same clock; unrelated to the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(i64);

/// A [`Monotonic`] that one thread sets and several read.
#[derive(Debug)]
pub(crate) struct AtomicMonotonic(AtomicI64);

impl AtomicMonotonic {
    /// Later than every other point.
    pub(crate) const fn never() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }

    pub(crate) fn load(&self) -> Monotonic {
        Monotonic(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn store(&self, at: Monotonic) {
        self.0.store(at.0, Ordering::Relaxed);
    }
}

impl Monotonic {
    /// Milliseconds from `earlier` to `self`.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the time this many milliseconds after the clock's start.
    #[cfg(test)]
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the clock's start.
    pub(crate) const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the point `millis` milliseconds later.
    pub(crate) const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that is passed to everything else"
)]
fn instant() -> Instant {
    Instant::now()
}

/// The source of the current time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system clock.
    System,
    /// A clock set by tests.
    Manual(Arc<ManualClock>),
}

/// The times of a clock that tests set, in milliseconds since 1970.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    monotonic: AtomicI64,
}

impl Clock {
    /// Creates a clock that stays at `start` until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        let millis = start.as_millis();
        Self::Manual(Arc::new(ManualClock {
            now: AtomicI64::new(millis),
            monotonic: AtomicI64::new(millis),
        }))
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "this is the clock that is passed to everything else"
                )]
                let since_1970 = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Manual(clock) => Timestamp::from_millis(clock.now.load(Ordering::Relaxed)),
        }
    }

    /// Milliseconds since the process started, for measuring ages. Monotonic, even if the system clock is set back.
    pub fn monotonic(&self) -> Monotonic {
        match self {
            Self::System => {
                static START: LazyLock<Instant> = LazyLock::new(instant);
                let since_start = instant().saturating_duration_since(*START);
                Monotonic(i64::try_from(since_start.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Manual(clock) => Monotonic(clock.monotonic.load(Ordering::Relaxed)),
        }
    }

    /// Advances a manual clock. No effect on the system clock.
    pub fn advance(&self, millis: i64) {
        self.set_back(-millis);
        if let Self::Manual(clock) = self {
            clock.monotonic.fetch_add(millis, Ordering::Relaxed);
        }
    }

    /// Sets a manual clock back without time passing, as someone can do with the clock of a machine. No effect on the
    /// system clock.
    pub fn set_back(&self, millis: i64) {
        if let Self::Manual(clock) = self {
            clock.now.fetch_sub(millis, Ordering::Relaxed);
        }
    }
}
