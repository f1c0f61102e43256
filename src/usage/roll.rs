//! Moves the periods of the sums in `usage_totals` when an hour, a day or a month has ended.
//!
//! The sums of a row are computed again from the stored counts, not corrected by what left its periods: whatever kept a row
//! from being moved, such as an instance that was stopped or a clock that was set back, the result is exact.
//!
//! On Postgres, one statement locks the rows and a later one reads the counts. A flush that stores a count for a locked row
//! waits for the lock, because it writes the counts before the sums. Its counts are not committed when they are read here,
//! and it adds them to the computed sums. A flush that held the lock before has committed its counts, which are read.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    Engine,
    db::{On, StorageError, Tx, on, places},
    time::Timestamp,
};

use super::{
    resolution::{DAYS, HOURS, Resolution},
    totals::{COLUMNS, OF_HOURS, Periods, Place, Sums},
};

/// Rows that one transaction moves. At the end of a month, the counts of two years are read for each.
const ROWS_AT_ONCE: i64 = 100;
/// The pause between two transactions, in which others write.
const PAUSE: Duration = Duration::from_millis(5);

/// Moves the periods of all rows that are not those of the current hour. A row of the next hour is left alone: the clock of
/// another instance is a little ahead.
///
/// # Errors
/// If the database cannot be reached. The next call continues.
pub async fn roll(engine: &Engine) -> Result<(), StorageError> {
    let periods = Periods::at(engine.clock.now());
    let mut after = (0, 0, 0, 0, 0);
    loop {
        // First without a lock: there is rarely anything to move.
        let mut reading = engine.db.begin_snapshot().await?;
        let found = outdated(&mut reading, after, periods.hour, false).await?;
        drop(reading);
        let Some(first) = found.first() else {
            return Ok(());
        };
        // Skips what is up to date.
        after = just_before(first.place());
        let mut tx = engine.db.begin_unrecorded().await?;
        let rows = outdated(&mut tx, after, periods.hour, true).await?;
        if let Some(last) = rows.last() {
            after = last.place();
            move_rows(&mut tx, rows, &periods).await?;
        }
        tx.commit().await?;
        sleep(PAUSE).await;
    }
}

/// The largest place before another with the same subject and class, since outcomes are small numbers.
fn just_before((org, kind, subject, class, outcome): Place) -> Place {
    (org, kind, subject, class, outcome - 1)
}

/// A row of the table.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    org: i64,
    kind: i64,
    subject: i64,
    class: i64,
    outcome: i64,
    rolled_to: i64,
    h24: i64,
    h48: i64,
    d7: i64,
    d14: i64,
    d30: i64,
    d60: i64,
    m12: i64,
    m24: i64,
}

impl Row {
    fn place(&self) -> Place {
        (self.org, self.kind, self.subject, self.class, self.outcome)
    }

    fn sums(&self) -> Sums {
        [
            self.h24, self.h48, self.d7, self.d14, self.d30, self.d60, self.m12, self.m24,
        ]
    }
}

/// The next rows after a place whose periods are not those of `hour` or the next hour.
async fn outdated(
    tx: &mut Tx,
    after: Place,
    hour: i64,
    for_update: bool,
) -> Result<Vec<Row>, StorageError> {
    let mut sql = format!(
        "SELECT CAST(org AS BIGINT) AS org, CAST(kind AS BIGINT) AS kind, CAST(subject AS BIGINT) AS subject, \
         CAST(class AS BIGINT) AS class, CAST(outcome AS BIGINT) AS outcome, CAST(rolled_to AS BIGINT) AS rolled_to, {} \
         FROM usage_totals WHERE (org, kind, subject, class, outcome) > ($1, $2, $3, $4, $5) \
         AND (rolled_to < $6 OR rolled_to > $6 + 1) \
         ORDER BY usage_totals.org, usage_totals.kind, usage_totals.subject, usage_totals.class, usage_totals.outcome \
         LIMIT {ROWS_AT_ONCE}",
        COLUMNS.join(", ")
    );
    // SQLite's transaction already excludes all other writers.
    if for_update && matches!(tx.on(), On::Postgres(_)) {
        sql.push_str(" FOR UPDATE");
    }
    let (org, kind, subject, class, outcome) = after;
    Ok(on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(org).bind(kind).bind(subject).bind(class).bind(outcome).bind(hour).fetch_all(c).await)?)
}

/// Computes the sums of locked rows for these periods.
async fn move_rows(tx: &mut Tx, mut rows: Vec<Row>, periods: &Periods) -> Result<(), StorageError> {
    // The periods that differ for any of the rows.
    let hours: BTreeSet<i64> = rows.iter().map(|row| row.rolled_to).collect();
    let mut differs = [false; COLUMNS.len()];
    for hour in hours {
        // A row that was never moved, or by a clock that was set back since, has nothing to keep.
        let starts =
            (0 < hour && hour < periods.hour).then(|| Periods::at(HOURS.start(hour)).starts);
        for (place, differs) in differs.iter_mut().enumerate() {
            *differs |= starts.is_none_or(|starts| starts[place] != periods.starts[place]);
        }
    }
    let mut moved: Vec<(Place, Sums)> = rows
        .drain(..)
        .map(|row| (row.place(), row.sums()))
        .collect();
    for (resolution, first, end) in [(HOURS, 0, OF_HOURS), (DAYS, OF_HOURS, COLUMNS.len())] {
        // The longest period that differs includes the shorter ones, which cost nothing more.
        let Some(last) = (first..end).rev().find(|place| differs[*place]) else {
            continue;
        };
        let starts = &periods.starts[first..=last];
        let sums = sums(tx, &moved, resolution, starts).await?;
        for ((.., subject, class, outcome), row) in &mut moved {
            let of_row = sums.get(&(*subject, *class, *outcome));
            for place in first..=last {
                row[place] = of_row.map_or(0, |sums| sums[place - first]);
            }
        }
    }
    let (empty, moved): (Vec<_>, Vec<_>) = moved
        .into_iter()
        .partition(|(_, sums)| sums.iter().all(|sum| *sum == 0));
    store(tx, &moved, periods.hour).await?;
    delete(tx, &empty).await
}

/// The maximum number of starts that [`sums`] computes.
const STARTS: usize = COLUMNS.len() - OF_HOURS;

/// The sums of stored counts since each of the times, by subject, class and outcome.
async fn sums(
    tx: &mut Tx,
    rows: &[(Place, Sums)],
    resolution: Resolution,
    starts: &[Timestamp],
) -> Result<HashMap<(i64, i64, i64), [i64; STARTS]>, StorageError> {
    let subjects: BTreeSet<i64> = rows
        .iter()
        .map(|((_, _, subject, ..), _)| *subject)
        .collect();
    let steps: Vec<i64> = starts
        .iter()
        .map(|start| resolution.first_step(*start))
        .collect();
    // Always as many columns, whose rest repeats the last start.
    let step = |place: usize| {
        steps
            .get(place)
            .or(steps.last())
            .copied()
            .unwrap_or_default()
    };
    let columns: Vec<String> = (0..STARTS)
        .map(|place| {
            format!(
                "CAST(SUM(CASE WHEN starts_at >= {} THEN count ELSE 0 END) AS BIGINT)",
                step(place)
            )
        })
        .collect();
    let sql = format!(
        "SELECT CAST(subject AS BIGINT), CAST(class AS BIGINT), CAST(outcome AS BIGINT), {} FROM {} \
         WHERE subject IN ({}) AND starts_at >= {} GROUP BY subject, class, outcome",
        columns.join(", "),
        resolution.table,
        places(1, subjects.len()),
        steps.iter().min().copied().unwrap_or_default(),
    );
    type Columns = (i64, i64, i64, i64, i64, i64, i64, i64, i64);
    let found: Vec<Columns> = on!(tx.on(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(false);
        for subject in &subjects {
            query = query.bind(*subject);
        }
        query.fetch_all(c).await
    })?;
    let of_row = |(subject, class, outcome, a, b, c, d, e, f): Columns| {
        ((subject, class, outcome), [a, b, c, d, e, f])
    };
    Ok(found.into_iter().map(of_row).collect())
}

async fn store(tx: &mut Tx, rows: &[(Place, Sums)], hour: i64) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    let set: Vec<String> = COLUMNS
        .iter()
        .enumerate()
        .map(|(place, column)| format!("{column} = moved.column{}", place + 6))
        .collect();
    let sql = format!(
        "UPDATE usage_totals SET rolled_to = {hour}, {} FROM (VALUES {}) AS moved \
         WHERE usage_totals.org = moved.column1 AND usage_totals.kind = moved.column2 \
         AND usage_totals.subject = moved.column3 AND usage_totals.class = moved.column4 \
         AND usage_totals.outcome = moved.column5",
        set.join(", "),
        tx.places_of_rows(rows.len(), 5 + COLUMNS.len())
    );
    on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        for ((org, kind, subject, class, outcome), sums) in rows {
            query = query.bind(org).bind(kind).bind(subject).bind(class).bind(outcome);
            for sum in sums {
                query = query.bind(sum);
            }
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

async fn delete(tx: &mut Tx, rows: &[(Place, Sums)]) -> Result<(), StorageError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM usage_totals WHERE (org, kind, subject, class, outcome) IN (VALUES {})",
        tx.places_of_rows(rows.len(), 5)
    );
    on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        for ((org, kind, subject, class, outcome), _) in rows {
            query = query.bind(org).bind(kind).bind(subject).bind(class).bind(outcome);
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}
