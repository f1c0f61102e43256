//! The three tables of counts, which have one shape, and how counts are added to them.

use std::collections::BTreeMap;

use crate::{
    db::{StorageError, Tx, on},
    time::{DAY, HOUR, MINUTE, Timestamp},
};

/// A length of time in which counts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resolution {
    /// The table.
    pub(crate) table: &'static str,
    /// The length of a step, in milliseconds.
    pub(crate) width: i64,
}

pub(crate) const MINUTES: Resolution = Resolution {
    table: "usage_minutes",
    width: MINUTE,
};
pub(crate) const HOURS: Resolution = Resolution {
    table: "usage_hours",
    width: HOUR,
};
pub(crate) const DAYS: Resolution = Resolution {
    table: "usage_days",
    width: DAY,
};

impl Resolution {
    pub(crate) const ALL: [Self; 3] = [MINUTES, HOURS, DAYS];

    /// The number of the step that contains a time, counted from 1970.
    pub(crate) const fn step(self, at: Timestamp) -> i64 {
        at.as_millis().div_euclid(self.width)
    }

    /// The number of the first step that starts at a time or later.
    pub(crate) const fn first_step(self, at: Timestamp) -> i64 {
        self.step(at.plus(self.width - 1))
    }

    /// The start of a step.
    pub(crate) const fn start(self, step: i64) -> Timestamp {
        Timestamp::from_millis(step.saturating_mul(self.width))
    }
}

/// Subject, step, class and outcome: the primary key of the tables. Sorted, so that instances that store concurrently
/// acquire row locks in the same order.
pub(super) type Place = (i64, i64, i64, i64);

/// Rows per statement: with five values a row, far below the parameter limit of both databases.
pub(super) const ROWS_AT_ONCE: usize = 500;

/// Adds counts to the stored ones.
pub(super) async fn add(
    tx: &mut Tx,
    resolution: Resolution,
    counts: &BTreeMap<Place, i64>,
) -> Result<(), StorageError> {
    let rows: Vec<_> = counts.iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let table = resolution.table;
        let sql = format!(
            "INSERT INTO {table} (subject, starts_at, class, outcome, count) VALUES {} \
             ON CONFLICT (subject, starts_at, class, outcome) DO UPDATE SET count = {table}.count + excluded.count",
            tx.places_of_rows(rows.len(), 5)
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(rows.len() == ROWS_AT_ONCE);
            for ((subject, step, class, outcome), count) in rows {
                query = query.bind(subject).bind(step).bind(class).bind(outcome).bind(*count);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
