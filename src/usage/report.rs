//! Usage reports for the pages and the API: the answer to a [`Question`].

use std::collections::BTreeMap;

use crate::{
    Engine,
    access::{Permit, to},
    id::OrgId,
    outcome::Outcome,
    time::{Timestamp, Zone},
};

use super::{
    count::{By, before_sums, sums},
    question::{InvalidParameter, Question, StepLength},
    selection::{Selection, whole},
    unusual::{self, UnusualDay},
    window::Window,
};
pub use super::{
    counts::Counts,
    groups::{Group, Groups},
    question::Dimension,
    range::Range,
    selection::ReportError,
};

/// The counts of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The start of the step.
    pub starts_at: Timestamp,
    /// The counts within the step.
    pub counts: Counts,
}

/// The answer to a question about an org.
#[derive(Debug, Clone)]
pub struct Report {
    /// The length of the steps.
    pub step: StepLength,
    /// The zone in which the steps are cut: UTC for months, and for days that are older than the counts by the hour.
    pub zone: Zone,
    /// All steps of the period, oldest first, including empty ones. If the period does not begin and end with a step,
    /// the first and the last step are shorter.
    pub steps: Vec<Step>,
    /// The end of the last step. If it is later than now, the last step is not over.
    pub ends_at: Timestamp,
    /// The sum of all steps.
    pub total: Counts,
    /// The sum over the same part of the previous period: as much of it as has passed of the current one. `None` if
    /// counts that old are not kept.
    pub total_before: Option<Counts>,
    /// Counts by outcome, without `VALID`, the most frequent first.
    pub refusals: Vec<(Outcome, i64)>,
    /// The days that are far above those before, oldest first: of one key or of the organization as a whole, and only in
    /// steps of days.
    pub unusual: Vec<UnusualDay>,
    /// The sum, divided as the question says.
    pub groups: Option<Groups>,
}

impl Report {
    /// The start of the first step.
    pub fn starts_at(&self) -> Timestamp {
        self.steps
            .first()
            .map_or(self.ends_at, |step| step.starts_at)
    }
}

/// Answers a question that needs no details.
///
/// # Errors
/// If a parameter is invalid, the question needs details, or the database cannot be reached.
pub async fn of_org(
    engine: &Engine,
    permit: &Permit<to::SeeUsageTotals>,
    question: &Question,
) -> Result<Report, ReportError> {
    if question.needs_details() {
        let text = "cannot be `key`, `agent` or `project`, nor can these be filters, without the right to see usage by key";
        return Err(InvalidParameter::new("group_by", text).into());
    }
    report(engine, permit.org_id(), question).await
}

/// Answers any question.
///
/// # Errors
/// If a parameter is invalid, or the database cannot be reached.
pub async fn with_details(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    question: &Question,
) -> Result<Report, ReportError> {
    report(engine, permit.org_id(), question).await
}

/// Returns the keys or agents with the most requests of a question.
///
/// # Errors
/// If a parameter is invalid, or the database cannot be reached.
pub async fn largest(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    question: &Question,
    by: Dimension,
) -> Result<Vec<Group>, ReportError> {
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let window = Window::new(question, now, &engine.usage_kept)?;
    let org = (org_id, whole(engine, org_id).await?);
    let mut tx = engine.db.begin_snapshot().await?;
    let selection = Selection::new(&mut tx, org, question).await?;
    let whole = (&selection, &window, Counts::default());
    let groups = Groups::new(&mut tx, org_id, question, by, whole, now).await?;
    Ok(groups.largest)
}

/// Checks that a question has an answer, without computing it.
///
/// # Errors
/// If a parameter is invalid, or the database cannot be reached.
pub async fn check(
    engine: &Engine,
    permit: &Permit<to::SeeUsageTotals>,
    question: &Question,
) -> Result<(), ReportError> {
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let window = Window::new(question, now, &engine.usage_kept)?;
    let org = (org_id, whole(engine, org_id).await?);
    let mut tx = engine.db.begin_snapshot().await?;
    Selection::new(&mut tx, org, question).await?;
    Ok(Groups::check(question, &window, now)?)
}

/// Reads all of a report from one snapshot, so that its parts add up.
async fn report(
    engine: &Engine,
    org_id: OrgId,
    question: &Question,
) -> Result<Report, ReportError> {
    let now = engine.clock.now();
    let window = Window::new(question, now, &engine.usage_kept)?;
    let compared = unusual::Compared::new(engine, org_id, question, &window).await?;
    let org = (org_id, whole(engine, org_id).await?);
    let mut tx = engine.db.begin_snapshot().await?;
    let selection = Selection::new(&mut tx, org, question).await?;
    let (subjects, narrow) = (&selection.subjects, &selection.narrow);

    let starts = &window.bounds[..window.bounds.len().saturating_sub(1)];
    let mut steps: Vec<Step> = starts
        .iter()
        .map(|&starts_at| Step {
            starts_at,
            counts: Counts::default(),
        })
        .collect();
    let mut total = Counts::default();
    let mut refusals: BTreeMap<Outcome, i64> = BTreeMap::new();
    for piece in window.by_step() {
        for sum in sums(&mut tx, subjects, narrow, piece, By::Step).await? {
            let group = sum.outcome.group();
            total.add(group, sum.count);
            let at = piece.resolution.start(sum.of);
            if let Some(step) = steps.get_mut(window.step_of(at)) {
                step.counts.add(group, sum.count);
            }
            if sum.outcome != Outcome::Valid {
                *refusals.entry(sum.outcome).or_default() += sum.count;
            }
        }
    }
    let total_before = match &window.before {
        Some(before) => {
            let mut total = Counts::default();
            for (sum, count) in before_sums(&mut tx, subjects, narrow, Some(before)).await? {
                total.add(sum.outcome.group(), count);
            }
            Some(total)
        }
        None => None,
    };
    let unusual = match compared {
        Some(compared) => {
            let days = steps.iter().map(|step| (step.starts_at, step.counts));
            let days: Vec<_> = days.collect();
            compared.days(&mut tx, &selection, &window, &days).await?
        }
        None => Vec::new(),
    };
    let mut refusals: Vec<_> = refusals.into_iter().collect();
    refusals.sort_by_key(|(_, count)| -count);
    let groups = match question.group_by {
        Some(by) => {
            let whole = (&selection, &window, total);
            Some(Groups::new(&mut tx, org_id, question, by, whole, now).await?)
        }
        None => None,
    };
    Ok(Report {
        ends_at: window.end(),
        step: window.step,
        zone: window.zone,
        steps,
        total,
        total_before,
        refusals,
        unusual,
        groups,
    })
}
