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
    pub before_name: String,
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
        let tick = |at| is_tick(at, report.step, report.steps.len(), zone);
        let by_days = report.step == StepLength::Hour && report.steps.len() > HOURS_WITH_TIMES;
        // Days and months are asked for by their dates, so that the form shows dates.
        let edge = |at: Timestamp| match report.step {
            StepLength::Day | StepLength::Month if zone.is_start_of_day(at) => {
                written(at, zone, "%F")
            }
            _ => at.rfc3339().to_string(),
        };
        // Of minutes there is nothing more to show.
        let is_divisible = matches!(report.step, StepLength::Day | StepLength::Month);
        let steps: Vec<Step> = report
            .steps
            .iter()
            .zip(ends)
            .map(|(step, end)| {
                let (from, to) = (edge(step.starts_at), edge(end));
                Step {
                    label: written(step.starts_at, zone, label),
                    tick: tick(step.starts_at).then(|| {
                        written(step.starts_at, zone, if by_days { "%b %-d" } else { label })
                    }),
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
            period: period(start, (last, now), report.step, zone),
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
                Period::Range(Range::Hours24) => "previous 24 hours".to_owned(),
                Period::Range(Range::Days7) => "previous 7 days".to_owned(),
                Period::Range(Range::Days30) => "previous 30 days".to_owned(),
                Period::Range(Range::Months12) => "previous 12 months".to_owned(),
                Period::Between { .. } => before_name(start, report.ends_at, zone),
            },
            refusals: report
                .refusals
                .iter()
                .map(|(outcome, count)| (outcome.title().to_owned(), *count))
                .collect(),
        }
    }
}

/// The most steps of an hour whose axis has times.
const HOURS_WITH_TIMES: usize = 72;

/// Whether a step can have a label below the chart: of hours and minutes only those at round times.
fn is_tick(at: Timestamp, step: StepLength, steps: usize, zone: &Zone) -> bool {
    let local = zone.local(at);
    match step {
        StepLength::Minute => {
            let every = [1, 2, 5, 10, 15, 30, 60];
            let fits = |every: &&i8| steps <= 12 * usize::from(every.unsigned_abs());
            let every = every.iter().find(fits).unwrap_or(&60);
            local.minute() % every == 0
        }
        StepLength::Hour if steps > HOURS_WITH_TIMES => zone.is_start_of_day(at),
        StepLength::Hour if steps > 25 => local.hour() % 6 == 0,
        StepLength::Hour | StepLength::Day | StepLength::Month => true,
    }
}

/// What a custom period is compared with.
fn before_name(start: Timestamp, end: Timestamp, zone: &Zone) -> String {
    if !zone.is_start_of_day(start) || !zone.is_start_of_day(end) {
        return "previous period".to_owned();
    }
    let days = zone.day_of(start).until(zone.day_of(end));
    match days.map(|days| days.get_days()) {
        Ok(1) => "previous day".to_owned(),
        Ok(days) => format!("previous {days} days"),
        Err(_) => "previous period".to_owned(),
    }
}

/// The first and the last step of a period, which ends now if its last step is under way and has a time. The first has no
/// year if the last one has the same.
fn period(
    start: Timestamp,
    (last, now): (Timestamp, Timestamp),
    step: StepLength,
    zone: &Zone,
) -> String {
    let of = |at, format| written(at, zone, format);
    let is_same = |format| of(start, format) == of(last, format);
    let is_of_days = zone.is_start_of_day(start) && zone.is_start_of_day(last.plus(1));
    match step {
        StepLength::Month => format!("{} – {}", of(start, "%b %Y"), of(last, "%b %Y")),
        _ if is_of_days => {
            let (start, last) = (zone.day_of(start), zone.day_of(last));
            let end = last.strftime("%b %-d, %Y");
            if start == last {
                return end.to_string();
            }
            let first = if start.year() == last.year() {
                "%b %-d"
            } else {
                "%b %-d, %Y"
            };
            format!("{} – {end}", start.strftime(first))
        }
        _ if last >= now => format!("{} – now", of(start, "%b %-d, %H:%M")),
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
    use latchkey::time::{HOUR, MINUTE, SentInstant};

    use super::*;

    #[test]
    fn a_custom_period_is_compared_with_as_many_days() {
        let name = |from: &str, to: &str| {
            let at = |text: &str| text.parse::<SentInstant>().unwrap().timestamp();
            before_name(at(from), at(to), &"Europe/Berlin".parse().unwrap())
        };
        assert_eq!(
            name("2026-11-06T23:00:00Z", "2026-11-13T23:00:00Z"),
            "previous 7 days"
        );
        // Clocks go back in between.
        assert_eq!(
            name("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            "previous day"
        );
        assert_eq!(
            name("2026-11-06T23:00:00Z", "2026-11-07T12:00:00Z"),
            "previous period"
        );
    }

    #[test]
    fn hours_and_minutes_have_labels_at_round_times() {
        let ticks = |from: &str, step: StepLength, steps: usize, length: i64| {
            let zone: Zone = "Europe/Berlin".parse().unwrap();
            let start = from.parse::<SentInstant>().unwrap().timestamp();
            let starts = (0..steps as i64).map(|place| start.plus(place * length));
            let ticks = starts.filter(|at| is_tick(*at, step, steps, &zone));
            let labels = ticks.map(|at| written(at, &zone, "%-d %H:%M"));
            labels.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(
            ticks("2026-11-07T05:00:00Z", StepLength::Hour, 168, HOUR),
            "8 00:00, 9 00:00, 10 00:00, 11 00:00, 12 00:00, 13 00:00, 14 00:00"
        );
        assert_eq!(
            ticks("2026-11-07T05:00:00Z", StepLength::Hour, 48, HOUR),
            "7 06:00, 7 12:00, 7 18:00, 8 00:00, 8 06:00, 8 12:00, 8 18:00, 9 00:00"
        );
        assert_eq!(
            ticks("2026-11-07T05:07:00Z", StepLength::Minute, 90, MINUTE),
            "7 06:10, 7 06:20, 7 06:30, 7 06:40, 7 06:50, 7 07:00, 7 07:10, 7 07:20, 7 07:30"
        );
    }

    fn period_of(from: &str, to: &str, step: StepLength, zone: &str) -> String {
        let at = |text: &str| text.parse::<SentInstant>().unwrap().timestamp();
        let (last, now) = (at(to).plus(-1), at("2027-06-01T00:00:00Z"));
        period(at(from), (last, now), step, &zone.parse().unwrap())
    }

    #[test]
    fn a_period_whose_last_hour_is_under_way_ends_now() {
        let at = |text: &str| text.parse::<SentInstant>().unwrap().timestamp();
        let (from, to) = (at("2026-11-20T14:00:00Z"), at("2026-11-21T14:00:00Z"));
        let seen = |now: &str, step| period(from, (to.plus(-1), at(now)), step, &Zone::UTC);
        let under_way = "Nov 20, 14:00 – now";
        assert_eq!(seen("2026-11-21T13:20:00Z", StepLength::Hour), under_way);
        assert_eq!(seen("2026-11-21T13:20:00Z", StepLength::Day), under_way);
        let over = "Nov 20, 14:00 – Nov 21, 13:59";
        assert_eq!(seen("2026-11-21T14:00:00Z", StepLength::Hour), over);
        // A day is named, whether or not it is over.
        let day = (at("2026-11-21T00:00:00Z"), at("2026-11-22T00:00:00Z"));
        let now = at("2026-11-21T13:20:00Z");
        let days = period(day.0, (day.1.plus(-1), now), StepLength::Hour, &Zone::UTC);
        assert_eq!(days, "Nov 21, 2026");
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
        let whole = period_of(
            "2026-11-19T18:30:00Z",
            "2026-11-20T19:00:00Z",
            StepLength::Hour,
            "Asia/Kolkata",
        );
        assert_eq!(whole, "Nov 20, 00:00 – Nov 21, 00:29");
        let whole = period_of(
            "2026-11-19T19:00:00Z",
            "2026-11-20T19:00:00Z",
            StepLength::Hour,
            "Asia/Kolkata",
        );
        assert_eq!(
            whole, "Nov 20, 2026",
            "its days begin at a full hour of UTC"
        );
        let months = period_of(
            "2025-12-01T00:00:00Z",
            "2026-12-01T00:00:00Z",
            StepLength::Month,
            "UTC",
        );
        assert_eq!(months, "Dec 2025 – Nov 2026");
    }
}
