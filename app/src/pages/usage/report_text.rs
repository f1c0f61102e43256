//! A report as text: what it covers, its steps, and what it is compared with.

use latchkey::{
    time::{Timestamp, Zone},
    usage::{
        Range,
        question::{Period, Question, StepLength},
        report::{self, Report},
    },
};

use super::{address::Address, unusual::stood_out};
use crate::chart::{Counts, Step};

/// The requests of an organization or a key in a period.
#[derive(Debug, Clone)]
pub struct ReportText {
    /// The dates of the period: "Oct 23 – Nov 21, 2026".
    pub period: String,
    /// The zone in which the steps are cut.
    pub zone: String,
    /// Whether that is UTC although another zone was asked for.
    pub is_other_zone: bool,
    /// The length of a step: "Day".
    pub step_name: &'static str,
    /// The steps, oldest first.
    pub steps: Vec<Step>,
    /// How many of them are over.
    pub over: usize,
    /// The sum of the steps.
    pub total: Counts,
    /// The sum over the same part of the previous period; zero if that is not known.
    pub before: Counts,
    /// What it is compared with: "previous 30 days".
    pub before_name: &'static str,
    /// Why requests were rejected or limited, most frequent first.
    pub refusals: Vec<(String, i64)>,
}

impl From<report::Counts> for Counts {
    fn from(counts: report::Counts) -> Self {
        let report::Counts {
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
    /// `address` is that of the page, from which the steps lead to pages about themselves.
    pub fn new(report: &Report, question: &Question, address: &Address, now: Timestamp) -> Self {
        let zone = &report.zone;
        let (start, last) = (report.starts_at(), report.ends_at.plus(-1));
        let ends = report.steps.iter().skip(1).map(|step| step.starts_at);
        let ends = ends.chain([report.ends_at]);
        let is_long = last.since(start) > latchkey::time::DAY;
        let label = match report.step {
            StepLength::Minute | StepLength::Hour if is_long => "%b %-d, %H:%M",
            StepLength::Minute | StepLength::Hour => "%H:%M",
            StepLength::Day => "%b %-d",
            StepLength::Month => "%b %Y",
        };
        // Of minutes there is nothing more to show.
        let is_divisible = matches!(report.step, StepLength::Day | StepLength::Month);
        let steps: Vec<Step> = report
            .steps
            .iter()
            .zip(ends)
            .map(|(step, end)| {
                let (from, to) = (
                    step.starts_at.rfc3339().to_string(),
                    end.rfc3339().to_string(),
                );
                Step {
                    label: written(step.starts_at, zone, label),
                    href: is_divisible.then(|| address.zoomed(&from, &to).href()),
                    from,
                    to,
                    counts: step.counts.into(),
                    stood_out: stood_out(report, step.starts_at),
                }
            })
            .collect();
        let starts = report.steps.iter().skip(1).map(|step| step.starts_at);
        let over = starts
            .chain([report.ends_at])
            .take_while(|end| *end <= now)
            .count();
        Self {
            period: period(start, last, report.step, zone),
            zone: zone.to_string(),
            is_other_zone: *zone != question.zone,
            step_name: match report.step {
                StepLength::Minute => "Minute",
                StepLength::Hour => "Hour",
                StepLength::Day => "Day",
                StepLength::Month => "Month",
            },
            steps,
            over,
            total: report.total.into(),
            before: report.total_before.unwrap_or_default().into(),
            before_name: match question.period {
                Period::Range(Range::Hours24) => "previous 24 hours",
                Period::Range(Range::Days7) => "previous 7 days",
                Period::Range(Range::Days30) => "previous 30 days",
                Period::Range(Range::Months12) => "previous 12 months",
                Period::Between { .. } => "time before",
            },
            refusals: report
                .refusals
                .iter()
                .map(|(outcome, count)| (outcome.title().to_owned(), *count))
                .collect(),
        }
    }
}

/// The first and the last step of a period. The first has no year if the last one has the same.
fn period(start: Timestamp, last: Timestamp, step: StepLength, zone: &Zone) -> String {
    let of = |at, format| written(at, zone, format);
    let is_same = |format| of(start, format) == of(last, format);
    let midnight = |at: Timestamp| of(at, "%H:%M") == "00:00";
    match step {
        StepLength::Month => format!("{} – {}", of(start, "%b %Y"), of(last, "%b %Y")),
        StepLength::Day if midnight(start) && midnight(last.plus(1)) => {
            if is_same("%F") {
                return of(last, "%b %-d, %Y");
            }
            let first = if is_same("%Y") {
                "%b %-d"
            } else {
                "%b %-d, %Y"
            };
            format!("{} – {}", of(start, first), of(last, "%b %-d, %Y"))
        }
        _ => {
            let last_format = if is_same("%F") {
                "%H:%M"
            } else {
                "%b %-d, %H:%M"
            };
            format!("{} – {}", of(start, "%b %-d, %H:%M"), of(last, last_format))
        }
    }
}

fn written(at: Timestamp, zone: &Zone, format: &str) -> String {
    zone.local(at).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use latchkey::time::SentInstant;

    use super::*;

    fn period_of(from: &str, to: &str, step: StepLength, zone: &str) -> String {
        let at = |text: &str| text.parse::<SentInstant>().unwrap().timestamp();
        period(at(from), at(to).plus(-1), step, &zone.parse().unwrap())
    }

    #[test]
    fn a_period_names_its_first_and_last_step() {
        let days = |from: &str, to: &str| period_of(from, to, StepLength::Day, "UTC");
        assert_eq!(
            days("2026-10-23T00:00:00Z", "2026-11-22T00:00:00Z"),
            "Oct 23 – Nov 21, 2026"
        );
        assert_eq!(
            days("2026-12-20T00:00:00Z", "2027-01-02T00:00:00Z"),
            "Dec 20, 2026 – Jan 1, 2027"
        );
        assert_eq!(
            days("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            "Nov 21, 2026"
        );
        assert_eq!(
            days("2026-11-20T10:00:00Z", "2026-11-22T00:00:00Z"),
            "Nov 20, 10:00 – Nov 21, 23:59"
        );
        let berlin = period_of(
            "2026-11-20T23:00:00Z",
            "2026-11-22T23:00:00Z",
            StepLength::Day,
            "Europe/Berlin",
        );
        assert_eq!(berlin, "Nov 21 – Nov 22, 2026");
        let hours = period_of(
            "2026-11-20T13:00:00Z",
            "2026-11-21T13:00:00Z",
            StepLength::Hour,
            "UTC",
        );
        assert_eq!(hours, "Nov 20, 13:00 – Nov 21, 12:59");
        let months = period_of(
            "2025-12-01T00:00:00Z",
            "2026-12-01T00:00:00Z",
            StepLength::Month,
            "UTC",
        );
        assert_eq!(months, "Dec 2025 – Nov 2026");
    }
}
