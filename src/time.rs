//! Timestamps and durations in milliseconds, as stored in the databases.

#[cfg(feature = "native")]
mod calendar;
#[cfg(feature = "native")]
mod zone;

use serde::{Deserialize, Serialize};

#[cfg(feature = "native")]
pub use self::{
    calendar::{InvalidInstant, Rfc3339, SentInstant, parse_day},
    zone::{InvalidZone, Zone},
};

/// A timestamp: milliseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "native", derive(sqlx::Type), sqlx(transparent))]
#[serde(transparent)]
pub struct Timestamp(i64);

/// One second, in milliseconds.
pub const SECOND: i64 = 1_000;
/// One minute, in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour, in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day of 24 hours, in milliseconds.
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    /// Creates a timestamp from milliseconds since 1970-01-01T00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the timestamp `millis` milliseconds later, or earlier if negative.
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to `self`.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Rounds down to a multiple of `width` milliseconds since 1970, in UTC.
    pub const fn floor(self, width: i64) -> Self {
        Self(self.0 - self.0.rem_euclid(width))
    }

    /// Rounds up to a multiple of `width` milliseconds since 1970, in UTC.
    pub const fn ceil(self, width: i64) -> Self {
        self.plus(width - 1).floor(width)
    }
}
