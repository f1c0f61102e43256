//! A usage report as a CSV file: its steps, its groups and its total, each with the time that it covers.

use axum::{body::Bytes, response::Response};
use latchkey::{
    time::Timestamp,
    usage::report::{Counts, Report},
};
use latchkey_app::AppError;

use crate::{csv_cells::written, csv_file::attachment, file_stream::FileParts};

/// The columns. `row` is `step`, `group`, `other` or `total`. `id` and `name` are those of a group.
const COLUMNS: [&str; 10] = [
    "row", "from", "to", "step", "tz", "id", "name", "passed", "limited", "refused",
];

type Row = [String; COLUMNS.len()];

/// The file, which has at most a few hundred rows.
pub fn usage_file(org: &str, report: Report) -> Response {
    let day: String = report.ends_at.plus(-1).rfc3339().to_string();
    let day = day.get(.."2026-11-21".len()).unwrap_or_default();
    attachment(
        &format!("usage-{org}-{day}"),
        COLUMNS,
        UsageFile {
            report: Some(report),
        },
    )
}

struct UsageFile {
    report: Option<Report>,
}

impl FileParts for UsageFile {
    async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        self.report
            .take()
            .map(|report| written(&rows(&report)))
            .transpose()
    }
}

fn rows(report: &Report) -> Vec<Row> {
    let (start, end) = (report.starts_at(), report.ends_at);
    let row =
        |kind: &str, from: Timestamp, to: Timestamp, (id, name): (&str, &str), counts: Counts| {
            let Counts {
                passed,
                limited,
                refused,
            } = counts;
            [
                kind.to_owned(),
                from.rfc3339().to_string(),
                to.rfc3339().to_string(),
                report.step.as_str().to_owned(),
                report.zone.to_string(),
                id.to_owned(),
                name.to_owned(),
                passed.to_string(),
                limited.to_string(),
                refused.to_string(),
            ]
        };
    let ends = report.steps.iter().skip(1).map(|step| step.starts_at);
    let steps = report.steps.iter().zip(ends.chain([end]));
    let steps = steps.map(|(step, to)| row("step", step.starts_at, to, ("", ""), step.counts));
    let mut rows: Vec<Row> = steps.collect();
    if let Some(groups) = &report.groups {
        for group in &groups.largest {
            rows.push(row(
                "group",
                start,
                end,
                (&group.id, &group.name),
                group.counts,
            ));
        }
        rows.push(row("other", start, end, ("", ""), groups.other));
    }
    rows.push(row("total", start, end, ("", ""), report.total));
    rows
}
