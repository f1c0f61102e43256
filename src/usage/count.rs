//! Sums of stored counts over any time, each part of it at the coarsest resolution that fits.

use crate::{
    db::{StorageError, Tx, on},
    outcome::Outcome,
    time::Timestamp,
};

use super::resolution::Resolution;

/// Subjects per statement.
const SUBJECTS_AT_ONCE: usize = 500;

/// A part of a time, and the table whose whole steps fill it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) resolution: Resolution,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// Divides a time into pieces, none of them coarser than `coarsest`. Both ends are full minutes.
pub(super) fn pieces(from: Timestamp, to: Timestamp, coarsest: Resolution) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let all = Resolution::ALL;
    let usable = all.iter().filter(|other| other.width <= coarsest.width);
    split(from, to, &all[..usable.count()], &mut pieces);
    pieces
}

fn split(from: Timestamp, to: Timestamp, usable: &[Resolution], pieces: &mut Vec<Piece>) {
    let Some((resolution, finer)) = usable.split_last() else {
        return;
    };
    let (first, end) = (from.ceil(resolution.width), to.floor(resolution.width));
    if first >= end {
        return split(from, to, finer, pieces);
    }
    split(from, first, finer, pieces);
    pieces.push(Piece {
        resolution: *resolution,
        from: first,
        to: end,
    });
    split(end, to, finer, pieces);
}

/// The part of the previous period that corresponds to the part of the current one that has passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Before {
    /// Its whole minutes, hours and days.
    pub(super) whole: Vec<Piece>,
    /// The steps at its ends, of which it has only a part.
    pub(super) parts: Vec<Part>,
}

/// A step of which only a part of the time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) step: Piece,
    /// The length of the part in milliseconds.
    pub(super) length: i64,
}

impl Part {
    /// The requests of the step that count: a proportional share.
    pub(super) fn share(&self, count: i64) -> i64 {
        let width = i128::from(self.step.resolution.width);
        let share = i128::from(count) * i128::from(self.length) / width;
        i64::try_from(share).unwrap_or(count)
    }
}

/// The classes and outcomes that are counted; `None` for all.
#[derive(Debug, Clone, Default)]
pub(super) struct Narrow {
    pub(super) classes: Option<Vec<i64>>,
    pub(super) outcomes: Option<Vec<i64>>,
}

impl Narrow {
    /// The condition on the columns `class` and `outcome`, which begins with `AND` unless it is empty.
    pub(super) fn condition(&self) -> String {
        let mut condition = String::new();
        for (column, numbers) in [("class", &self.classes), ("outcome", &self.outcomes)] {
            if let Some(numbers) = numbers {
                condition += &format!(" AND {column} IN ({})", listed(numbers));
            }
        }
        condition
    }
}

/// Numbers as a list in SQL; one that matches nothing if there are none.
pub(super) fn listed(numbers: &[i64]) -> String {
    if numbers.is_empty() {
        return "NULL".to_owned();
    }
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    numbers.join(", ")
}

/// By what counts are summed, besides class and outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Step,
    Subject,
}

/// A sum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    /// The number of the step, or the subject.
    pub(super) of: i64,
    pub(super) class: i64,
    pub(super) outcome: Outcome,
    pub(super) count: i64,
}

/// The sums of subjects in a piece.
pub(super) async fn sums(
    tx: &mut Tx,
    subjects: &[i64],
    narrow: &Narrow,
    piece: Piece,
    by: By,
) -> Result<Vec<Sum>, StorageError> {
    let Piece {
        resolution,
        from,
        to,
    } = piece;
    let mut sums = Vec::new();
    for subjects in subjects.chunks(SUBJECTS_AT_ONCE) {
        // The numbers are from the database, and one statement per set of them would not be used again.
        let sql = format!(
            "SELECT CAST({of} AS BIGINT), CAST(class AS BIGINT), CAST(outcome AS BIGINT), CAST(SUM(count) AS BIGINT) \
             FROM {table} WHERE subject IN ({subjects}) AND starts_at >= $1 AND starts_at < $2{narrow} \
             GROUP BY {of}, class, outcome",
            of = match by {
                By::Step => "starts_at",
                By::Subject => "subject",
            },
            table = resolution.table,
            subjects = listed(subjects),
            narrow = narrow.condition(),
        );
        let is_one = subjects.len() == 1;
        let rows: Vec<(i64, i64, i64, i64)> = on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .persistent(is_one).bind(resolution.step(from)).bind(resolution.first_step(to)).fetch_all(c).await)?;
        for (of, class, outcome, count) in rows {
            let outcome = Outcome::of_number(outcome)?;
            sums.push(Sum {
                of,
                class,
                outcome,
                count,
            });
        }
    }
    Ok(sums)
}

/// The sums of subjects in the time to compare with, each with the requests that count.
pub(super) async fn before_sums(
    tx: &mut Tx,
    subjects: &[i64],
    narrow: &Narrow,
    before: Option<&Before>,
) -> Result<Vec<(Sum, i64)>, StorageError> {
    let mut all = Vec::new();
    let Some(before) = before else {
        return Ok(all);
    };
    for piece in &before.whole {
        let whole = sums(tx, subjects, narrow, *piece, By::Subject).await?;
        all.extend(whole.into_iter().map(|sum| (sum, sum.count)));
    }
    for part in &before.parts {
        let sums = sums(tx, subjects, narrow, part.step, By::Subject).await?;
        all.extend(sums.into_iter().map(|sum| (sum, part.share(sum.count))));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        time::{DAY, HOUR, MINUTE},
        usage::resolution::{DAYS, HOURS},
    };

    #[test]
    fn a_time_is_divided_into_whole_days_with_hours_and_minutes_around_them() {
        let of = |from, to, coarsest| {
            let (from, to) = (Timestamp::from_millis(from), Timestamp::from_millis(to));
            let pieces = pieces(from, to, coarsest).into_iter();
            let text = pieces.map(|piece| {
                let table = piece.resolution.table.trim_start_matches("usage_");
                let (from, to) = (
                    piece.from.as_millis() / MINUTE,
                    piece.to.as_millis() / MINUTE,
                );
                format!("{table} {from}-{to}")
            });
            text.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(of(0, 2 * DAY, DAYS), "days 0-2880");
        assert_eq!(of(0, 2 * DAY, HOURS), "hours 0-2880");
        assert_eq!(
            of(22 * HOUR, 2 * DAY + HOUR + MINUTE, DAYS),
            "hours 1320-1440, days 1440-2880, hours 2880-2940, minutes 2940-2941"
        );
        assert_eq!(of(MINUTE, 3 * MINUTE, DAYS), "minutes 1-3");
        assert_eq!(of(MINUTE, MINUTE, DAYS), "");
    }
}
