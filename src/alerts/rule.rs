//! When a day of a key is far above its own past.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// The maximum number of past days that a day is compared with.
pub const MAX_PAST: usize = 28;
/// The minimum number of past days. A younger key has no past to compare with.
pub const MIN_PAST: usize = 7;

/// What is compared.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumString,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// All requests of a key.
    Requests,
    /// Those that were rejected or limited.
    Rejected,
}

impl Measure {
    /// Everything that is compared.
    pub const ALL: [Self; 2] = [Self::Requests, Self::Rejected];
}

/// From when on a day stands out. Both conditions must be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// How many times as much as on a usual busy day.
    pub factor: u32,
    /// The fewest requests of a day that stand out.
    pub min_requests: u32,
    /// The fewest rejected requests of a day that stand out.
    pub min_rejected: u32,
}

impl Thresholds {
    /// The range of [`Self::factor`].
    pub const FACTOR: std::ops::RangeInclusive<u32> = 2..=100;
    /// The range of the minimums.
    pub const MINIMUM: std::ops::RangeInclusive<u32> = 10..=1_000_000_000;

    /// The fewest of a day that stand out.
    pub const fn minimum(&self, measure: Measure) -> i64 {
        match measure {
            Measure::Requests => self.min_requests as i64,
            Measure::Rejected => self.min_rejected as i64,
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            factor: 5,
            min_requests: 1_000,
            min_rejected: 100,
        }
    }
}

/// Returns the count of a usual busy day of the past: that which at most a tenth of the days exceed, so that one incident
/// of two days does not hide the next, and a weekly job is usual. `None` for fewer than [`MIN_PAST`] days.
pub fn usual(past: &[i64]) -> Option<i64> {
    if past.len() < MIN_PAST {
        return None;
    }
    let mut days = past.to_vec();
    days.sort_unstable();
    let above = days.len() / 10;
    days.get(days.len() - 1 - above).copied()
}

/// Compares a day, or the last 24 hours, with the days before. Returns the count of a usual busy day if it stands out.
pub fn stands_out(
    count: i64,
    past: &[i64],
    thresholds: &Thresholds,
    measure: Measure,
) -> Option<i64> {
    let usual = usual(past)?;
    let is_far_above = count > usual.saturating_mul(i64::from(thresholds.factor));
    (is_far_above && count >= thresholds.minimum(measure)).then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Thresholds = Thresholds {
        factor: 5,
        min_requests: 1_000,
        min_rejected: 100,
    };

    fn requests(count: i64, past: &[i64]) -> Option<i64> {
        stands_out(count, past, &RULE, Measure::Requests)
    }

    #[test]
    fn a_day_stands_out_above_five_times_its_usual_and_from_the_minimum_on() {
        let past = [300; 28];
        assert_eq!(requests(1_500, &past), None);
        assert_eq!(requests(1_501, &past), Some(300));
        let quiet = [10; 28];
        assert_eq!(requests(999, &quiet), None);
        assert_eq!(requests(1_000, &quiet), Some(10));
        let rejected = |count| stands_out(count, &[0; 28], &RULE, Measure::Rejected);
        assert_eq!((rejected(99), rejected(100)), (None, Some(0)));
    }

    #[test]
    fn a_week_is_enough_of_a_past_and_less_is_none() {
        assert_eq!(requests(10_000, &[1; 6]), None);
        assert_eq!(requests(10_000, &[1; 7]), Some(1));
        assert_eq!(requests(0, &[]), None);
    }

    #[test]
    fn a_weekly_job_is_usual_and_an_incident_of_two_days_is_not() {
        let mut past = [0; 28];
        past[3] = 5_000;
        past[4] = 5_000;
        assert_eq!(usual(&past), Some(0));
        past[10] = 5_000;
        assert_eq!(usual(&past), Some(5_000));
        assert_eq!(requests(5_000, &past), None);
    }

    #[test]
    fn counts_at_the_limits_of_their_type_are_compared() {
        assert_eq!(requests(i64::MAX, &[i64::MAX; 28]), None);
    }
}
