//! What requests came with in the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, Tx, on, places},
    id::KeyId,
    time::{DAY, Timestamp},
};

use super::{
    Facet,
    memory::{Seen, Times, add_to},
};
use crate::usage::ids::{self, Name, Named};

/// How long a value must not have been seen before a new one can take its place, in milliseconds.
const STALE_AFTER: i64 = DAY;
/// Subjects per statement that reads, and rows per statement that writes.
const SUBJECTS_AT_ONCE: usize = 100;
const ROWS_AT_ONCE: usize = 500;

/// Subject, kind and value: the primary key of the table.
type Place = (i64, i64, String);

/// Adds values to the stored ones, within the transaction of the batch.
pub(in crate::usage) async fn store(
    tx: &mut Tx,
    ids: &HashMap<Name, i64>,
    seen: &[(Name, Seen)],
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut new: BTreeMap<i64, BTreeMap<(i64, String), Times>> = BTreeMap::new();
    for (name, seen) in seen {
        if let Some(id) = ids.get(name) {
            new.insert(*id, seen.values());
        }
    }
    let subjects: Vec<i64> = new.keys().copied().collect();
    for subjects in subjects.chunks(SUBJECTS_AT_ONCE) {
        let mut stored = stored(tx, subjects).await?;
        let (mut rows, mut replaced) = (BTreeMap::new(), Vec::new());
        for subject in subjects {
            let values = new.remove(subject).unwrap_or_default();
            for facet in Facet::ALL {
                let of_facet = |(kind, _): &(i64, String)| *kind == facet.number();
                let values = values.iter().filter(|(place, _)| of_facet(place));
                let values = values
                    .map(|((_, value), times)| (value.clone(), *times))
                    .collect();
                let there = stored
                    .remove(&(*subject, facet.number()))
                    .unwrap_or_default();
                let plan = plan(facet.limit(), there, values, now);
                let place = |value: String| (*subject, facet.number(), value);
                rows.extend(
                    plan.add
                        .into_iter()
                        .map(|(value, times)| (place(value), times)),
                );
                replaced.extend(plan.replaced.into_iter().map(place));
            }
        }
        upsert(tx, rows).await?;
        for (subject, kind, value) in replaced {
            const DELETE: &str =
                "DELETE FROM usage_seen WHERE subject = $1 AND kind = $2 AND value = $3";
            on!(tx.on(), c => sqlx::query(DELETE)
                .bind(subject).bind(kind).bind(value).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// What to write for one kind of value of a key.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    add: BTreeMap<String, Times>,
    replaced: BTreeSet<String>,
}

/// Decides which new values get a place: those that were seen most, as long as there is room or a stored value that was not
/// seen for a while. All else is part of the sum of others.
fn plan(
    limit: usize,
    stored: BTreeMap<String, Times>,
    values: BTreeMap<String, Times>,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    let mut others = None;
    let (known, mut new): (Vec<_>, Vec<_>) = values
        .into_iter()
        .partition(|(value, _)| stored.contains_key(value));
    let mut room = limit.saturating_sub(stored.keys().filter(|value| !value.is_empty()).count());
    let mut stale: Vec<_> = stored
        .into_iter()
        .filter(|(value, times)| {
            let is_seen = known.iter().any(|(known, _)| known == value);
            !value.is_empty() && !is_seen && now.since(times.last_at) > STALE_AFTER
        })
        .collect();
    stale.sort_by_key(|(_, times)| std::cmp::Reverse(times.last_at));
    plan.add.extend(known);
    new.sort_by_key(|(_, times)| std::cmp::Reverse(times.count));
    for (value, times) in new {
        if value.is_empty() {
            add_to(&mut others, times);
        } else if room > 0 {
            room -= 1;
            plan.add.insert(value, times);
        } else if let Some((old, old_times)) = stale.pop() {
            add_to(&mut others, old_times);
            plan.replaced.insert(old);
            plan.add.insert(value, times);
        } else {
            add_to(&mut others, times);
        }
    }
    if let Some(others) = others {
        match plan.add.get_mut("") {
            Some(sum) => sum.add(others),
            None => {
                plan.add.insert(String::new(), others);
            }
        }
    }
    plan
}

/// The stored values of these subjects, by subject and kind.
async fn stored(
    tx: &mut Tx,
    subjects: &[i64],
) -> Result<BTreeMap<(i64, i64), BTreeMap<String, Times>>, StorageError> {
    let sql = format!(
        "SELECT CAST(subject AS BIGINT), CAST(kind AS BIGINT), value, count, first_at, last_at FROM usage_seen WHERE subject IN ({})",
        places(1, subjects.len())
    );
    let rows: Vec<(i64, i64, String, i64, Option<Timestamp>, Timestamp)> = on!(tx.on(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(subjects.len() == SUBJECTS_AT_ONCE);
        for subject in subjects {
            query = query.bind(*subject);
        }
        query.fetch_all(c).await
    })?;
    let mut stored: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (subject, kind, value, count, first_at, last_at) in rows {
        let values = stored.entry((subject, kind)).or_default();
        let times = Times {
            count,
            first_at,
            last_at,
        };
        values.insert(value, times);
    }
    Ok(stored)
}

async fn upsert(tx: &mut Tx, rows: BTreeMap<Place, Times>) -> Result<(), StorageError> {
    let rows: Vec<_> = rows.into_iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO usage_seen (subject, kind, value, count, first_at, last_at) VALUES {} \
             ON CONFLICT (subject, kind, value) DO UPDATE SET count = usage_seen.count + excluded.count, first_at = \
             CASE WHEN usage_seen.first_at IS NULL OR excluded.first_at >= usage_seen.first_at THEN usage_seen.first_at \
             ELSE excluded.first_at END, last_at = \
             CASE WHEN excluded.last_at < usage_seen.last_at THEN usage_seen.last_at ELSE excluded.last_at END",
            tx.places_of_rows(rows.len(), 6)
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(rows.len() == ROWS_AT_ONCE);
            for ((subject, kind, value), times) in rows {
                query = query.bind(subject).bind(kind).bind(value).bind(times.count).bind(times.first_at).bind(times.last_at);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// How often the valid requests of a key came with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenValue {
    /// The kind of value.
    pub facet: Facet,
    /// The value. Empty for the sum of all values beyond [`Facet::limit`].
    pub value: String,
    /// The number of requests since the value was first seen. A value that was not seen for [`KEPT_FOR`](super::KEPT_FOR) is forgotten.
    pub count: i64,
    /// When it was first seen. `None` if that was before this was recorded.
    pub first_at: Option<Timestamp>,
    /// When it was last seen.
    pub last_at: Timestamp,
}

/// Returns what the valid requests of a key came with, by kind, the most frequent first and the sum of others last. Empty
/// if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key_id: KeyId,
) -> Result<Vec<SeenValue>, StorageError> {
    const SQL: &str = "SELECT CAST(kind AS BIGINT), value, count, first_at, last_at FROM usage_seen WHERE subject = $1 \
         ORDER BY kind, value = '', count DESC, value";
    let Some(subject) = ids::of_subject(engine, permit.org_id(), Named::Key(key_id)).await? else {
        return Ok(Vec::new());
    };
    let rows: Vec<(i64, String, i64, Option<Timestamp>, Timestamp)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(subject).fetch_all(c).await)?;
    let value = |(kind, value, count, first_at, last_at)| {
        let facet = Facet::ALL
            .into_iter()
            .find(|facet| facet.number() == kind)?;
        Some(SeenValue {
            facet,
            value,
            count,
            first_at,
            last_at,
        })
    };
    Ok(rows.into_iter().filter_map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(count: i64, day: i64) -> Times {
        let at = Timestamp::from_millis(day * DAY);
        Times {
            count,
            first_at: Some(at),
            last_at: at,
        }
    }

    fn values(values: &[(&str, i64, i64)]) -> BTreeMap<String, Times> {
        let values = values.iter();
        values
            .map(|(value, count, day)| ((*value).to_owned(), times(*count, *day)))
            .collect()
    }

    #[test]
    fn a_new_value_takes_a_free_place_or_that_of_one_that_is_no_longer_seen() {
        let stored = values(&[("", 1, 8), ("old", 5, 7), ("recent", 1, 9), ("used", 9, 1)]);
        let now = Timestamp::from_millis(9 * DAY);
        let seen = values(&[("", 1, 9), ("a", 1, 9), ("b", 3, 9), ("used", 1, 9)]);
        let planned = plan(3, stored.clone(), seen.clone(), now);
        // `b` was seen more than `a`, and there is one stale value, whose times are part of the sum.
        let mut expected = values(&[("b", 3, 9), ("used", 1, 9)]);
        let mut sum = times(7, 9);
        sum.first_at = Some(Timestamp::from_millis(7 * DAY));
        expected.insert(String::new(), sum);
        assert_eq!(planned.add, expected);
        assert_eq!(planned.replaced, BTreeSet::from(["old".to_owned()]));
        let planned = plan(5, stored, seen, now);
        let expected = values(&[("", 1, 9), ("a", 1, 9), ("b", 3, 9), ("used", 1, 9)]);
        assert_eq!((planned.add, planned.replaced.len()), (expected, 0));
    }
}
