//! The data of the usage page.

use std::fmt::Display;

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    id::KeyId,
    role::Action,
    time::Timestamp,
    usage::{
        parts::{self, KeysInUse, Part},
        question::Question,
        report as engine_report,
    },
};

use crate::{
    chart::{Counts, Step},
    error::AppError,
    request::PageRequest,
    values::usage::Range,
};

/// The requests of an organization or a key in a range.
#[derive(Debug, Clone)]
pub struct ReportText {
    /// The dates of the range: "Oct 23 – Nov 21, 2026".
    pub period: String,
    /// The steps, oldest first.
    pub steps: Vec<Step>,
    /// The sum of the steps.
    pub total: Counts,
    /// The sum over the same part of the previous period.
    pub before: Counts,
    /// Why requests were rejected or limited, most frequent first.
    pub refusals: Vec<(String, i64)>,
}

/// The data of the page.
#[derive(Debug, Clone)]
pub struct OrgUsage {
    /// The organization's slug.
    pub org: String,
    pub range: Range,
    /// The organization's totals.
    pub report: ReportText,
    /// Requests by key, if the user can see them.
    pub by_key: Option<UsageByKey>,
}

/// Requests by key and by agent.
#[derive(Debug, Clone)]
pub struct UsageByKey {
    /// The busiest keys, most requests first.
    pub rows: Vec<PartRow>,
    /// The number of keys with requests in the range or in the preceding period, including keys without a row.
    pub keys: i64,
    /// The number of active keys, and how many of them are used.
    pub in_use: KeysInUse,
    /// The busiest agents whose public ID was sent instead of a key.
    pub agents: Vec<PartRow>,
}

/// The requests of a key or an agent.
#[derive(Debug, Clone)]
pub struct PartRow {
    /// The path of its page.
    pub href: String,
    pub name: String,
    /// The requests in the range.
    pub counts: Counts,
    /// The sum over the same part of the previous period.
    pub before: Counts,
}

/// The most rows of a table: a longer one would be no more useful than the list of keys.
const ROWS: i64 = 50;

/// Loads the usage of the organization with the slug `org`. Every member can see the totals.
///
/// # Errors
/// If the user is not signed in or not a member of the organization, or the database cannot be reached.
pub async fn usage(request: &PageRequest, org: &str, range: Range) -> Result<OrgUsage, AppError> {
    let membership = request.membership_of(org).await?;
    usage_of(request.engine(), &membership, range).await
}

/// Loads the usage of the organization of a member.
///
/// # Errors
/// If the database cannot be reached.
pub async fn usage_of(
    engine: &Engine,
    membership: &Membership,
    range: Range,
) -> Result<OrgUsage, AppError> {
    let report =
        engine_report::of_org(engine, &membership.permit()?, &Question::of_range(range)).await?;
    let by_key = if membership.may(Action::SeeUsageDetails) {
        Some(by_key(engine, membership, range).await?)
    } else {
        None
    };
    Ok(OrgUsage {
        org: membership.org().slug.to_string(),
        range,
        report: ReportText::new(report, range),
        by_key,
    })
}

async fn by_key(
    engine: &Engine,
    membership: &Membership,
    range: Range,
) -> Result<UsageByKey, AppError> {
    let keys = parts::of_keys(engine, &membership.permit()?, range, ROWS).await?;
    let agents = parts::of_agents(engine, &membership.permit()?, range, ROWS).await?;
    let base = format!("/orgs/{}", membership.org().slug);
    Ok(UsageByKey {
        rows: rows(&keys.busiest, &format!("{base}/keys")),
        agents: rows(&agents.busiest, &format!("{base}/agents")),
        keys: keys.all,
        in_use: parts::keys_in_use(engine, &membership.permit()?, range).await?,
    })
}

/// The busiest keys or agents, whose pages are below the path `base`.
fn rows<I: Display, N: Display>(parts: &[Part<I, N>], base: &str) -> Vec<PartRow> {
    let row = |part: &Part<I, N>| PartRow {
        href: format!("{base}/{}", part.id),
        name: part.name.to_string(),
        counts: part.counts.into(),
        before: part.before.into(),
    };
    parts.iter().map(row).collect()
}

/// Loads the usage of a key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key: KeyId,
    range: Range,
) -> Result<ReportText, AppError> {
    let question = Question::of_key(key, range);
    let report = engine_report::with_details(engine, permit, &question).await?;
    Ok(ReportText::new(report, range))
}

impl From<engine_report::Counts> for Counts {
    fn from(counts: engine_report::Counts) -> Self {
        let engine_report::Counts {
            passed,
            limited,
            refused,
        } = counts;
        Self {
            passed,
            limited,
            refused,
        }
    }
}

impl ReportText {
    fn new(report: engine_report::Report, range: Range) -> Self {
        let (label, whole) = match range {
            Range::Hours24 => ("%H:%M", "%b %-d, %H:%M"),
            Range::Days7 | Range::Days30 => ("%b %-d", "%b %-d, %Y"),
            Range::Months12 => ("%b %Y", "%b %Y"),
        };
        let first = report
            .steps
            .first()
            .map_or(report.ends_at, |step| step.starts_at);
        let last = report.ends_at.plus(-1);
        // The first date has no year if the last one has the same.
        let same_year = written(first, "%Y") == written(last, "%Y");
        let first = match range {
            Range::Days7 | Range::Days30 if same_year => written(first, label),
            _ => written(first, whole),
        };
        Self {
            period: format!("{first} – {}", written(last, whole)),
            steps: report
                .steps
                .iter()
                .map(|step| Step {
                    label: written(step.starts_at, label),
                    counts: step.counts.into(),
                })
                .collect(),
            total: report.total.into(),
            before: report.total_before.unwrap_or_default().into(),
            refusals: report
                .refusals
                .into_iter()
                .map(|(outcome, count)| (outcome.title().to_owned(), count))
                .collect(),
        }
    }
}

/// Formats a time in UTC.
fn written(time: Timestamp, format: &str) -> String {
    time.utc().strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use latchkey::{time::Zone, usage::question::StepLength};

    use super::*;

    fn report(first: i64, last: i64, step: i64) -> engine_report::Report {
        let starts = (first..last).step_by(usize::try_from(step).unwrap());
        engine_report::Report {
            steps: starts
                .map(|at| engine_report::Step {
                    starts_at: Timestamp::from_millis(at * 1_000),
                    counts: engine_report::Counts::default(),
                })
                .collect(),
            ends_at: Timestamp::from_millis(last * 1_000),
            total: engine_report::Counts::default(),
            total_before: None,
            refusals: Vec::new(),
            step: StepLength::Day,
            zone: Zone::UTC,
            groups: None,
        }
    }

    #[test]
    fn a_period_names_its_first_and_last_day() {
        // 2026-10-23 to 2026-11-22, and 2026-12-20 to 2027-01-01, both at midnight.
        let within = ReportText::new(report(1_792_713_600, 1_795_305_600, 86_400), Range::Days30);
        assert_eq!(
            (within.period.as_str(), within.steps.len()),
            ("Oct 23 – Nov 21, 2026", 30)
        );
        assert_eq!(within.steps[0].label, "Oct 23");
        let across = ReportText::new(report(1_797_724_800, 1_798_848_000, 86_400), Range::Days30);
        assert_eq!(across.period, "Dec 20, 2026 – Jan 1, 2027");
    }
}
