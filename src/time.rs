//! Timestamps and durations in milliseconds, as stored in the databases.

use serde::{Deserialize, Serialize};

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

    /// The timestamp for JSON and files. `None` after the year 9999.
    #[cfg(feature = "native")]
    pub fn rfc3339(self) -> Option<Rfc3339> {
        jiff::Timestamp::from_millisecond(self.0).ok().map(Rfc3339)
    }
}

/// A timestamp in UTC in RFC 3339 format, always with milliseconds, so that lexicographic order is chronological order:
/// `2026-11-21T12:00:00.000Z`.
#[cfg(feature = "native")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(jiff::Timestamp);

#[cfg(feature = "native")]
impl std::fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

#[cfg(feature = "native")]
impl Serialize for Rfc3339 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_to_the_millisecond() {
        let written = |millis| {
            Timestamp::from_millis(millis)
                .rfc3339()
                .map(|at| at.to_string())
        };
        let noon = written(1_795_262_400_000);
        assert_eq!(noon.as_deref(), Some("2026-11-21T12:00:00.000Z"));
        let later = written(1_795_262_400_120);
        assert_eq!(later.as_deref(), Some("2026-11-21T12:00:00.120Z"));
        let earlier = written(-1);
        assert_eq!(earlier.as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(written(i64::MAX), None);
    }
}
