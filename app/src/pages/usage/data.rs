//! What the usage page is told, and who may be told it.

use std::fmt::Display;

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    id::KeyId,
    keys::list::{KeyQuery, list},
    role::Action,
    time::Timestamp,
    usage::{
        parts::{self, Part},
        report as engine_report,
    },
};

use crate::{
    chart::{Counts, Step},
    error::AppError,
    request::PageRequest,
    values::usage::Range,
};

/// Counts over a range, of an org or of one key.
#[derive(Debug, Clone)]
pub struct ReportText {
    /// From when to when: "Oct 23 – Nov 21, 2026".
    pub period: String,
    /// Every step, oldest first.
    pub steps: Vec<Step>,
    /// The sum of the steps.
    pub total: Counts,
    /// The sum over as long a time before.
    pub before: Counts,
    /// Why requests were rejected or limited, most frequent first.
    pub refusals: Vec<(String, i64)>,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct OrgUsage {
    /// The org's slug.
    pub org: String,
    /// The range that was asked for.
    pub range: Range,
    /// The org's totals.
    pub report: ReportText,
    /// Each key's part, for those who may see it.
    pub by_key: Option<UsageByKey>,
}

/// Each key's part in the org's requests.
#[derive(Debug, Clone)]
pub struct UsageByKey {
    /// The busiest keys, most requests first.
    pub rows: Vec<PartRow>,
    /// How many keys had requests in the range or before it, those without a row too.
    pub keys: i64,
    /// How many keys let a request pass, and how many the org has.
    pub in_use: (i64, i64),
    /// The busiest agents whose public ID was sent in place of a key.
    pub agents: Vec<PartRow>,
}

/// One key's or agent's part.
#[derive(Debug, Clone)]
pub struct PartRow {
    /// Its page.
    pub href: String,
    pub name: String,
    /// In the range.
    pub counts: Counts,
    /// Over as long a time before.
    pub before: Counts,
}

/// Rows of the table by key: beyond these, a table tells no more than the list of keys does.
const ROWS: usize = 50;

/// The requests of `org`, a slug, in a range, for everyone in the org.
///
/// # Errors
/// When no one is signed in, the person is not in the org, or the database does not answer.
pub async fn usage(request: &PageRequest, org: &str, range: Range) -> Result<OrgUsage, AppError> {
    let membership = request.membership_of(org).await?;
    let engine = request.engine();
    let report = engine_report::of_org(engine, &membership.permit()?, range.into()).await?;
    let by_key = if membership.role().may(Action::SeeUsageDetails) {
        Some(by_key(engine, &membership, range).await?)
    } else {
        None
    };
    Ok(OrgUsage {
        org: org.to_owned(),
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
    let keys = parts::of_keys(engine, &membership.permit()?, range.into()).await?;
    let agents = parts::of_agents(engine, &membership.permit()?, range.into()).await?;
    let base = format!("/orgs/{}", membership.org().slug);
    let in_use = keys.iter().filter(|key| key.counts.passed > 0).count();
    let one = KeyQuery {
        page_size: 1,
        ..KeyQuery::default()
    };
    let all = list(engine, &membership.permit()?, &one).await?.matching;
    Ok(UsageByKey {
        rows: rows(&keys, &format!("{base}/keys")),
        agents: rows(&agents, &format!("{base}/agents")),
        keys: count(keys.len()),
        in_use: (count(in_use), all),
    })
}

/// The busiest, with their pages below `base`.
fn rows<I: Display, N: Display>(parts: &[Part<I, N>], base: &str) -> Vec<PartRow> {
    let row = |part: &Part<I, N>| PartRow {
        href: format!("{base}/{}", part.id),
        name: part.name.to_string(),
        counts: part.counts.into(),
        before: part.before.into(),
    };
    parts.iter().take(ROWS).map(row).collect()
}

/// One key's counts over a range.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key: KeyId,
    range: Range,
) -> Result<ReportText, AppError> {
    Ok(ReportText::new(
        engine_report::of_key(engine, permit, key, range.into()).await?,
        range,
    ))
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

impl From<Range> for engine_report::Range {
    fn from(range: Range) -> Self {
        match range {
            Range::Hours24 => Self::Hours24,
            Range::Days7 => Self::Days7,
            Range::Days30 => Self::Days30,
            Range::Months12 => Self::Months12,
        }
    }
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
        // A year once is enough, unless the range crosses one.
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
            before: report.total_before.into(),
            refusals: report
                .refusals
                .into_iter()
                .map(|(outcome, count)| (outcome.title().to_owned(), count))
                .collect(),
        }
    }
}

/// A time in UTC.
fn written(time: Timestamp, format: &str) -> String {
    time.utc().strftime(format).to_string()
}

#[cfg(test)]
mod tests {
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
            total_before: engine_report::Counts::default(),
            refusals: Vec::new(),
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
