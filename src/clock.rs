//! The one place that asks the system what time it is. Everything else is told, so that tests move time instead of
//! waiting for it.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::time::Timestamp;

/// A point on a clock that never goes back. Two of one clock can be compared; it says nothing of the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(i64);

/// A [`Monotonic`] that several threads read and one sets.
#[derive(Debug)]
pub(crate) struct AtomicMonotonic(AtomicI64);

impl AtomicMonotonic {
    /// Later than any.
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
    /// Milliseconds from `earlier` to this.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// So many milliseconds after the clock's own begin.
    #[cfg(test)]
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the clock's own begin.
    pub(crate) const fn as_millis(self) -> i64 {
        self.0
    }

    /// So many milliseconds later.
    pub(crate) const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is given"
)]
fn instant() -> Instant {
    Instant::now()
}

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that a test sets by hand: milliseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start` until it is advanced.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_millis())))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "this is the clock that everything else is given"
                )]
                let since_1970 = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::Relaxed)),
        }
    }

    /// How long the process has been running, in milliseconds: never goes back, whatever happens to the machine's clock.
    /// For ages. A manual clock gives its own time.
    pub fn monotonic(&self) -> Monotonic {
        match self {
            Self::System => {
                static START: LazyLock<Instant> = LazyLock::new(instant);
                let since_start = instant().saturating_duration_since(*START);
                Monotonic(i64::try_from(since_start.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Manual(millis) => Monotonic(millis.load(Ordering::Relaxed)),
        }
    }

    /// Moves a manual clock forward. The system's clock cannot be moved: nothing happens.
    pub fn advance(&self, millis: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(millis, Ordering::Relaxed);
        }
    }
}
