//! Usage as pages and the API show it: by step, by outcome, by key.

use std::collections::{BTreeMap, HashMap};

use jiff::ToSpan;

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, places},
    id::{KeyId, OrgId},
    outcome::{Outcome, OutcomeGroup},
    time::{DAY, HOUR, Timestamp},
};

/// How far back a report goes. All steps are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// 24 steps of an hour.
    Hours24,
    /// 7 steps of a day.
    Days7,
    /// 30 steps of a day.
    #[default]
    Days30,
    /// 12 calendar months.
    Months12,
}

/// How many decisions of each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Let through.
    pub passed: i64,
    /// Refused for now.
    pub limited: i64,
    /// Refused.
    pub refused: i64,
}

/// The counts of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When it began.
    pub starts_at: Timestamp,
    /// What was counted in it.
    pub counts: Counts,
}

/// A report on an org, or on one of its keys.
#[derive(Debug, Clone)]
pub struct Report {
    /// Every step of the range, oldest first, empty ones too.
    pub steps: Vec<Step>,
    /// When the last step ends.
    pub ends_at: Timestamp,
    /// The sum of the steps.
    pub total: Counts,
    /// The sum over as long a time before.
    pub total_before: Counts,
    /// Each outcome that occurred, but for `VALID`, most frequent first.
    pub refusals: Vec<(Outcome, i64)>,
}

impl Counts {
    /// All of them.
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

/// A range at a given time: where each step begins, and which stored steps it sums.
pub(super) struct Window {
    pub(super) resolution: &'static str,
    /// Beginnings of the steps, and the end of the last.
    bounds: Vec<Timestamp>,
}

impl Window {
    pub(super) fn new(range: Range, now: Timestamp) -> Self {
        let steps_of = |width: i64, count: i64| {
            let end = now.floor(width).plus(width);
            (0..=count)
                .map(|step| end.plus((step - count) * width))
                .collect()
        };
        match range {
            Range::Hours24 => Self {
                resolution: "hour",
                bounds: steps_of(HOUR, 24),
            },
            Range::Days7 => Self {
                resolution: "day",
                bounds: steps_of(DAY, 7),
            },
            Range::Days30 => Self {
                resolution: "day",
                bounds: steps_of(DAY, 30),
            },
            Range::Months12 => Self {
                resolution: "day",
                bounds: month_bounds(now),
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

    /// When the time of the same length before begins.
    pub(super) fn start_before(&self) -> Timestamp {
        self.start().plus(-self.end().since(self.start()))
    }

    /// The step that contains an instant of the range.
    fn step_of(&self, at: Timestamp) -> usize {
        self.bounds
            .partition_point(|bound| *bound <= at)
            .saturating_sub(1)
    }
}

/// The first instants of the last twelve months and of the next one, in UTC.
fn month_bounds(now: Timestamp) -> Vec<Timestamp> {
    let this_month = now.utc().date().first_of_month();
    (-11..=1)
        .map(|months| Timestamp::start_of(this_month.saturating_add(months.months())))
        .collect()
}

/// The org's totals.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_org(
    engine: &Engine,
    permit: &Permit<to::SeeUsageTotals>,
    range: Range,
) -> Result<Report, StorageError> {
    report(engine, permit.org_id(), None, range).await
}

/// One key's counts. Empty when the org has no such key.
///
/// # Errors
/// When the database cannot be asked.
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
        .bind(org_id).bind(window.resolution).bind(window.start_before()).bind(window.end()).bind(key)
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
        if at < window.start() {
            total_before.add(group, count);
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

/// How many requests each of these keys had in the last 30 days. Keys without any are left out.
///
/// # Errors
/// When the database cannot be asked.
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
