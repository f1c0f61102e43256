//! The time that a report covers, and the time that it is compared with.

use std::ops::RangeInclusive;

use jiff::ToSpan;

use crate::time::Timestamp;

use super::{
    range::Range,
    resolution::{DAYS, HOURS, MINUTES, Resolution},
};

/// A range at a given time: the boundaries of its steps, and the resolution of the stored counts that it sums.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) resolution: Resolution,
    /// The starts of the steps, and the end of the last one.
    pub(super) bounds: Vec<Timestamp>,
    /// The period to compare with.
    pub(super) before: Before,
}

/// The part of the previous period that corresponds to the part of the current one that has passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) starts_at: Timestamp,
    /// The end of its whole steps, in the resolution of the range.
    pub(super) whole_until: Timestamp,
    /// Its end, which can be within a step.
    pub(super) ends_at: Timestamp,
    /// The resolution of the rest after `whole_until`: the finest that is retained for long enough.
    pub(super) rest: Resolution,
}

impl Before {
    fn new(starts_at: Timestamp, ends_at: Timestamp, whole: Resolution, rest: Resolution) -> Self {
        Self {
            starts_at,
            whole_until: ends_at.floor(whole.width),
            ends_at,
            rest,
        }
    }

    /// The requests of a step of the rest that count: a proportional share if the step ends after the period.
    pub(super) fn share(&self, step: Timestamp, count: i64) -> i64 {
        let (within, width) = (self.ends_at.since(step), self.rest.width);
        if within >= width {
            return count;
        }
        let share = i128::from(count) * i128::from(within.max(0)) / i128::from(width);
        i64::try_from(share).unwrap_or(count)
    }
}

impl Window {
    pub(super) fn new(range: Range, now: Timestamp) -> Self {
        let steps_of = |step: Resolution, count: i64, rest: Resolution| {
            let (width, length) = (step.width, count * step.width);
            let end = now.floor(width).plus(width);
            let bounds = (0..=count).map(|step| end.plus((step - count) * width));
            Self {
                resolution: step,
                bounds: bounds.collect(),
                before: Before::new(end.plus(-2 * length), now.plus(-length), step, rest),
            }
        };
        match range {
            Range::Hours24 => steps_of(HOURS, 24, MINUTES),
            Range::Days7 => steps_of(DAYS, 7, HOURS),
            Range::Days30 => steps_of(DAYS, 30, HOURS),
            Range::Months12 => Self {
                resolution: DAYS,
                bounds: month_bounds(now, -11..=1),
                // Hourly counts are not retained for a year.
                before: Before::new(
                    month_bounds(now, -23..=-23).first().copied().unwrap_or(now),
                    a_year_before(now),
                    DAYS,
                    DAYS,
                ),
            },
        }
    }

    pub(super) fn start(&self) -> Timestamp {
        self.bounds.first().copied().unwrap_or(self.end())
    }

    pub(super) fn end(&self) -> Timestamp {
        self.bounds
            .last()
            .copied()
            .unwrap_or(Timestamp::from_millis(0))
    }

    /// The index of the step that contains a time within the range.
    pub(super) fn step_of(&self, at: Timestamp) -> usize {
        self.bounds
            .partition_point(|bound| *bound <= at)
            .saturating_sub(1)
    }
}

/// The starts of months in UTC, counted from the current month.
fn month_bounds(now: Timestamp, months: RangeInclusive<i32>) -> Vec<Timestamp> {
    let this_month = now.utc().date().first_of_month();
    months
        .map(|months| Timestamp::start_of(this_month.saturating_add(months.months())))
        .collect()
}

/// The same day and time of the previous year. For February 29, the last day of February.
fn a_year_before(now: Timestamp) -> Timestamp {
    let today = now.utc().date();
    let then = Timestamp::start_of(today.saturating_sub(1.year()));
    then.plus(now.since(Timestamp::start_of(today)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(at.as_millisecond())
    }

    #[test]
    fn a_period_under_way_is_compared_with_as_much_of_the_one_before() {
        let of = |range, now| {
            let Before {
                starts_at,
                whole_until,
                ends_at,
                rest,
            } = Window::new(range, at(now)).before;
            let times = [starts_at, whole_until, ends_at].map(|time| {
                let time = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap();
                time.strftime("%F %H:%M").to_string()
            });
            format!("{} {}", times.join(", "), rest.table)
        };
        let now = "2026-11-26T00:20:30Z";
        let expected = [
            "2026-11-24 01:00, 2026-11-25 00:00, 2026-11-25 00:20 usage_minutes",
            "2026-11-13 00:00, 2026-11-19 00:00, 2026-11-19 00:20 usage_hours",
            "2026-09-28 00:00, 2026-10-27 00:00, 2026-10-27 00:20 usage_hours",
            "2024-12-01 00:00, 2025-11-26 00:00, 2025-11-26 00:20 usage_days",
        ];
        assert_eq!(Range::ALL.map(|range| of(range, now)), expected);
        let leap_day = of(Range::Months12, "2028-02-29T12:00:00Z");
        assert_eq!(
            leap_day,
            "2026-03-01 00:00, 2027-02-28 00:00, 2027-02-28 12:00 usage_days"
        );
    }

    #[test]
    fn a_step_that_has_not_ended_counts_by_its_share() {
        let before = Window::new(Range::Days7, at("2026-11-26T10:15:00Z")).before;
        assert_eq!(before.share(at("2026-11-19T09:00:00Z"), 10), 10);
        assert_eq!(before.share(at("2026-11-19T10:00:00Z"), 10), 2);
        assert_eq!(before.share(at("2026-11-19T11:00:00Z"), 10), 0);
        let most = before.share(at("2026-11-19T10:00:00Z"), i64::MAX);
        assert_eq!(most, i64::MAX / 4);
    }
}
