//! Usage reports for the pages and the API: by time step, outcome and key.

use std::collections::BTreeMap;

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::{KeyId, OrgId},
    outcome::{Outcome, OutcomeGroup},
    time::Timestamp,
};

pub use super::range::Range;
use super::{
    ids::{self, Named},
    resolution::Resolution,
    window::Window,
};

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

/// Returns the org's totals.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_org(
    engine: &Engine,
    permit: &Permit<to::SeeUsageTotals>,
    range: Range,
) -> Result<Report, StorageError> {
    report(engine, permit.org_id(), Named::Org, range).await
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
    report(engine, permit.org_id(), Named::Key(key_id), range).await
}

async fn report(
    engine: &Engine,
    org_id: OrgId,
    named: Named,
    range: Range,
) -> Result<Report, StorageError> {
    let window = Window::new(range, engine.clock.now());
    let subject = ids::of_subject(engine, org_id, named).await?;
    let before = &window.before;
    let (rows, rest) = match subject {
        None => (Vec::new(), Vec::new()),
        Some(subject) => {
            let (start, end) = (before.starts_at, window.end());
            let rows = counts(engine, subject, window.resolution, (start, end)).await?;
            let rest = (before.whole_until, before.ends_at);
            (rows, counts(engine, subject, before.rest, rest).await?)
        }
    };

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

/// The counts of a subject from one time until before another, by step and outcome.
async fn counts(
    engine: &Engine,
    subject: i64,
    resolution: Resolution,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<(Timestamp, Outcome, i64)>, StorageError> {
    let sql = format!(
        "SELECT CAST(starts_at AS BIGINT), CAST(outcome AS BIGINT), CAST(SUM(count) AS BIGINT) FROM {} \
         WHERE subject = $1 AND starts_at >= $2 AND starts_at < $3 GROUP BY starts_at, outcome",
        resolution.table
    );
    let rows: Vec<(i64, i64, i64)> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(subject).bind(resolution.first_step(from)).bind(resolution.first_step(to)).fetch_all(c).await)?;
    let of_row =
        |(step, outcome, count)| Ok((resolution.start(step), Outcome::of_number(outcome)?, count));
    rows.into_iter().map(of_row).collect()
}
