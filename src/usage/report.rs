//! Usage reports for the pages and the API: by time step, outcome and key.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
};

use jiff::ToSpan;

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, places},
    id::{KeyId, OrgId},
    outcome::{Outcome, OutcomeGroup},
    time::{DAY, HOUR, MINUTE, Timestamp},
};

pub use super::range::Range;

/// The number of decisions per outcome group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Allowed.
    pub passed: i64,
    /// Rejected temporarily.
    pub limited: i64,
    /// Rejected.
    pub refused: i64,
}

/// The counts of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The start of the step.
    pub starts_at: Timestamp,
    /// The counts within the step.
    pub counts: Counts,
}

/// A report on an org or on one of its keys.
#[derive(Debug, Clone)]
pub struct Report {
    /// All steps of the range, oldest first, including empty ones.
    pub steps: Vec<Step>,
    /// The end of the last step.
    pub ends_at: Timestamp,
    /// The sum of all steps.
    pub total: Counts,
    /// The sum over the same part of the previous period: as much of it as has passed of the current one.
    pub total_before: Counts,
    /// Counts by outcome, without `VALID`, the most frequent first.
    pub refusals: Vec<(Outcome, i64)>,
}

impl Counts {
    /// The total of all groups.
    pub fn all(&self) -> i64 {
        self.passed + self.limited + self.refused
    }

    pub(super) fn add(&mut self, group: OutcomeGroup, count: i64) {
        match group {
            OutcomeGroup::Passed => self.passed += count,
            OutcomeGroup::Limited => self.limited += count,
            OutcomeGroup::Refused => self.refused += count,
        }
    }
}

/// A resolution in which counts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolution {
    /// Its value in the database.
    pub(super) name: &'static str,
    /// The length of a step, in milliseconds.
    width: i64,
}

const MINUTES: Resolution = Resolution {
    name: "minute",
    width: MINUTE,
};
const HOURS: Resolution = Resolution {
    name: "hour",
    width: HOUR,
};
const DAYS: Resolution = Resolution {
    name: "day",
    width: DAY,
};

/// A range at a given time: the boundaries of its steps, and the resolution of the stored counts that it sums.
pub(super) struct Window {
    pub(super) resolution: &'static str,
    /// The starts of the steps, and the end of the last one.
    bounds: Vec<Timestamp>,
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
                resolution: step.name,
                bounds: bounds.collect(),
                before: Before::new(end.plus(-2 * length), now.plus(-length), step, rest),
            }
        };
        match range {
            Range::Hours24 => steps_of(HOURS, 24, MINUTES),
            Range::Days7 => steps_of(DAYS, 7, HOURS),
            Range::Days30 => steps_of(DAYS, 30, HOURS),
            Range::Months12 => Self {
                resolution: DAYS.name,
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
    fn step_of(&self, at: Timestamp) -> usize {
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

/// Returns the org's totals.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_org(
    engine: &Engine,
    permit: &Permit<to::SeeUsageTotals>,
    range: Range,
) -> Result<Report, StorageError> {
    report(engine, permit.org_id(), None, range).await
}

/// Returns when a request with a key was last rejected or limited, to the minute, or to the hour after two days. `None`
/// if that was never the case, or more than 90 days ago.
///
/// # Errors
/// If the database cannot be reached.
pub async fn last_refused(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key_id: KeyId,
) -> Result<Option<Timestamp>, StorageError> {
    const SQL: &str = "SELECT MAX(starts_at) FROM usage_counts \
         WHERE key_id = $1 AND resolution = $2 AND org_id = $3 AND outcome <> $4";
    for resolution in ["minute", "hour"] {
        let last: Option<Timestamp> = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
            .bind(key_id).bind(resolution).bind(permit.org_id()).bind(Outcome::Valid).fetch_one(c).await)?;
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

/// Returns `VALID` if any request of an org was ever valid, as long as counts are kept; otherwise the outcome of one of the
/// last minute with requests, or `None` if there were none within two days.
///
/// # Errors
/// If the database cannot be reached.
pub async fn best_outcome(
    engine: &Engine,
    permit: &Permit<to::SeeUsageTotals>,
) -> Result<Option<Outcome>, StorageError> {
    const VALID: &str = "SELECT outcome FROM usage_counts WHERE org_id = $1 AND resolution = 'day' AND outcome = $2 LIMIT 1";
    const LAST: &str = "SELECT outcome FROM usage_counts WHERE org_id = $1 AND resolution = 'minute' \
         ORDER BY starts_at DESC LIMIT 1";
    let valid = on!(engine.db.read(), c => sqlx::query_scalar(VALID)
        .bind(permit.org_id()).bind(Outcome::Valid).fetch_optional(c).await)?;
    if valid.is_some() {
        return Ok(valid);
    }
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(LAST)
        .bind(permit.org_id()).fetch_optional(c).await)?)
}

/// Returns the counts of one key. Empty if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key_id: KeyId,
    range: Range,
) -> Result<Report, StorageError> {
    report(engine, permit.org_id(), Some(key_id), range).await
}

async fn report(
    engine: &Engine,
    org_id: OrgId,
    key_id: Option<KeyId>,
    range: Range,
) -> Result<Report, StorageError> {
    let window = Window::new(range, engine.clock.now());
    const SQL: &str = "SELECT starts_at, outcome, CAST(SUM(count) AS BIGINT) FROM usage_counts \
         WHERE org_id = $1 AND resolution = $2 AND starts_at >= $3 AND starts_at < $4 AND ($5 = '' OR key_id = $5) \
         GROUP BY starts_at, outcome";
    let key = key_id.map_or_else(String::new, |id| id.to_string());
    let rows: Vec<(Timestamp, Outcome, i64)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(org_id).bind(window.resolution).bind(window.before.starts_at).bind(window.end()).bind(&key)
        .fetch_all(c).await)?;
    let before = &window.before;
    let rest: Vec<(Timestamp, Outcome, i64)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(org_id).bind(before.rest.name).bind(before.whole_until).bind(before.ends_at).bind(&key)
        .fetch_all(c).await)?;

    let starts = &window.bounds[..window.bounds.len().saturating_sub(1)];
    let mut steps: Vec<Step> = starts
        .iter()
        .map(|&starts_at| Step {
            starts_at,
            counts: Counts::default(),
        })
        .collect();
    let (mut total, mut total_before) = (Counts::default(), Counts::default());
    let mut refusals: BTreeMap<Outcome, i64> = BTreeMap::new();
    for (at, outcome, count) in rows {
        let group = outcome.group();
        if at < before.whole_until {
            total_before.add(group, count);
        }
        if at < window.start() {
            continue;
        }
        total.add(group, count);
        if let Some(step) = steps.get_mut(window.step_of(at)) {
            step.counts.add(group, count);
        }
        if outcome != Outcome::Valid {
            *refusals.entry(outcome).or_default() += count;
        }
    }
    for (at, outcome, count) in rest {
        total_before.add(outcome.group(), before.share(at, count));
    }
    let mut refusals: Vec<_> = refusals.into_iter().collect();
    refusals.sort_by_key(|(_, count)| -count);
    Ok(Report {
        steps,
        ends_at: window.end(),
        total,
        total_before,
        refusals,
    })
}

/// Returns the number of requests in the last 30 days for each of the keys. Keys without requests are omitted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn requests_of_keys(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    keys: &[KeyId],
) -> Result<HashMap<KeyId, i64>, StorageError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let window = Window::new(Range::Days30, engine.clock.now());
    let sql = format!(
        "SELECT key_id, CAST(SUM(count) AS BIGINT) FROM usage_counts \
         WHERE org_id = $1 AND resolution = 'day' AND starts_at >= $2 AND key_id IN ({}) GROUP BY key_id",
        places(3, keys.len())
    );
    let rows: Vec<(KeyId, i64)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id()).bind(window.start());
        for key in keys {
            query = query.bind(key);
        }
        query.fetch_all(c).await
    })?;
    Ok(rows.into_iter().collect())
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
            format!("{} {}", times.join(", "), rest.name)
        };
        let now = "2026-11-26T00:20:30Z";
        let expected = [
            "2026-11-24 01:00, 2026-11-25 00:00, 2026-11-25 00:20 minute",
            "2026-11-13 00:00, 2026-11-19 00:00, 2026-11-19 00:20 hour",
            "2026-09-28 00:00, 2026-10-27 00:00, 2026-10-27 00:20 hour",
            "2024-12-01 00:00, 2025-11-26 00:00, 2025-11-26 00:20 day",
        ];
        assert_eq!(Range::ALL.map(|range| of(range, now)), expected);
        let leap_day = of(Range::Months12, "2028-02-29T12:00:00Z");
        assert_eq!(
            leap_day,
            "2026-03-01 00:00, 2027-02-28 00:00, 2027-02-28 12:00 day"
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
