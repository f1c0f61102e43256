//! Sliding sums of each subject, by which the keys and agents of an org are ranked without reading every count of a range.
//!
//! A row has the sum of all counts since the starts of eight periods: the four ranges of reports, and each together with
//! as much time before. A flush adds to a row, whichever hour the row's periods belong to, and [`super::roll`] computes
//! its sums again when an hour, a day or a month has ended. Both hold the row's lock, so a row that was rolled in this
//! hour is exact.

use std::collections::BTreeMap;

use crate::{
    db::{StorageError, Tx, on},
    time::{Timestamp, Zone},
};

use super::{
    range::Range,
    resolution::{HOURS, ROWS_AT_ONCE},
    window::Standard,
};

/// The columns of the sums, from the shortest period to the longest: each period is part of the next.
pub(super) const COLUMNS: [&str; 8] = ["h24", "h48", "d7", "d14", "d30", "d60", "m12", "m24"];
/// How many of them begin at full hours. The others begin at the starts of days.
pub(super) const OF_HOURS: usize = 2;

/// The sums of a row, in the order of [`COLUMNS`].
pub(super) type Sums = [i64; COLUMNS.len()];

/// Org, kind, subject, class and outcome: the primary key of the table.
pub(super) type Place = (i64, i64, i64, i64, i64);

/// The columns with the sum of a range, and of the range together with the period before.
pub(crate) fn columns(range: Range) -> (&'static str, &'static str) {
    match range {
        Range::Hours24 => ("h24", "h48"),
        Range::Days7 => ("d7", "d14"),
        Range::Days30 => ("d30", "d60"),
        Range::Months12 => ("m12", "m24"),
    }
}

/// The starts of the periods at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Periods {
    pub(super) starts: [Timestamp; COLUMNS.len()],
    /// The hour, as [`rolled_to`](super::roll) counts it.
    pub(super) hour: i64,
}

impl Periods {
    pub(super) fn at(now: Timestamp) -> Self {
        let [day, week, month, year] = Range::ALL.map(|range| {
            let standard = Standard::new(range, &Zone::UTC, now);
            (standard.from, standard.before_from)
        });
        Self {
            starts: [
                day.0, day.1, week.0, week.1, month.0, month.1, year.0, year.1,
            ],
            hour: HOURS.step(now),
        }
    }

    /// Adds a count of this time to the sums of the periods that it belongs to.
    pub(super) fn add(&self, sums: &mut Sums, at: Timestamp, count: i64) {
        for (sum, start) in sums.iter_mut().zip(self.starts) {
            if at >= start {
                *sum += count;
            }
        }
    }
}

/// Adds to the stored sums. `hour` is the hour of the periods. A row whose periods are later was moved by an instance whose
/// clock is ahead, so what was added can be too much: its sums are marked to be computed again.
pub(super) async fn add(
    tx: &mut Tx,
    hour: i64,
    totals: &BTreeMap<Place, Sums>,
) -> Result<(), StorageError> {
    let rows: Vec<_> = totals
        .iter()
        .filter(|(_, sums)| sums.iter().any(|sum| *sum > 0))
        .collect();
    let sums =
        COLUMNS.map(|column| format!("{column} = usage_totals.{column} + excluded.{column}"));
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO usage_totals (org, kind, subject, class, outcome, rolled_to, {}) VALUES {} \
             ON CONFLICT (org, kind, subject, class, outcome) DO UPDATE SET rolled_to = \
             CASE WHEN excluded.rolled_to < usage_totals.rolled_to THEN 0 ELSE usage_totals.rolled_to END, {}",
            COLUMNS.join(", "),
            tx.places_of_rows(rows.len(), 6 + COLUMNS.len()),
            sums.join(", ")
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(rows.len() == ROWS_AT_ONCE);
            for ((org, kind, subject, class, outcome), sums) in rows {
                query = query.bind(org).bind(kind).bind(subject).bind(class).bind(outcome).bind(hour);
                for sum in *sums {
                    query = query.bind(sum);
                }
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
