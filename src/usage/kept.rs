//! How long counts are kept.

use crate::time::{DAY, HOUR};

use super::resolution::{DAYS, HOURS, MINUTES, Resolution};

/// How long counts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Counts per minute, in hours. At least 26: reports of 24 hours compare with the minutes of the day before.
    pub minutes_for_hours: u32,
    /// Counts per hour, in days. At least 62: reports of 30 days compare with the hours of the 30 days before.
    pub hours_for_days: u32,
    /// Counts per day, in days. At least 800: reports of 12 months compare with the 12 months before.
    pub days_for_days: u32,
}

impl Kept {
    /// The minimum of each period.
    pub const MIN: Self = Self {
        minutes_for_hours: 26,
        hours_for_days: 62,
        days_for_days: 800,
    };

    /// Each resolution, and how long its counts are kept, in milliseconds.
    pub(super) fn periods(&self) -> [(Resolution, i64); Resolution::ALL.len()] {
        [
            (MINUTES, i64::from(self.minutes_for_hours) * HOUR),
            (HOURS, i64::from(self.hours_for_days) * DAY),
            (DAYS, i64::from(self.days_for_days) * DAY),
        ]
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            minutes_for_hours: 48,
            hours_for_days: 90,
            days_for_days: 3 * 365,
        }
    }
}
