//! Usage by key, and by agent for agents whose public ID was sent instead of a key.

use std::{collections::HashMap, fmt::Display, hash::Hash};

use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    Engine,
    access::{Permit, to},
    agents::PublicId,
    db::{StorageError, on, places},
    id::{AgentId, KeyId, OrgId},
    name::{DisplayName, KeyName},
    outcome::Outcome,
    time::{Timestamp, Zone},
};

use super::{
    count::{By, Narrow, before_sums, pieces, sums},
    counts::Counts,
    ids::{self, Named, kind},
    range::Range,
    resolution::DAYS,
    totals,
    window::Standard,
};

/// The usage of one key or agent.
#[derive(Debug, Clone)]
pub struct Part<I, N> {
    /// The ID of the key or agent.
    pub id: I,
    /// The display name.
    pub name: N,
    /// The counts in the range.
    pub counts: Counts,
    /// The sum over the same part of the previous period.
    pub before: Counts,
}

/// The busiest keys or agents.
#[derive(Debug, Clone)]
pub struct Parts<I, N> {
    /// Most requests first.
    pub busiest: Vec<Part<I, N>>,
    /// The number of all keys or agents with requests in the range or in the preceding period.
    pub all: i64,
}

/// How a table of keys or agents is read.
struct Table {
    kind: i64,
    name: &'static str,
    id: &'static str,
    /// Whether rows can be deleted while their counts are still stored.
    is_deletable: bool,
}

const KEYS: Table = Table {
    kind: kind::KEY,
    name: "keys",
    id: "keys.id",
    is_deletable: false,
};
const AGENTS: Table = Table {
    kind: kind::AGENT,
    name: "agents",
    id: "agents.public_id",
    is_deletable: true,
};

/// Subject, ID, name, outcome and count.
type Row<I, N> = (i64, I, N, i64, i64);

/// Up to this number of keys or agents, each is counted to the minute. Of more, only the range is counted, which does not
/// include the last hour's end until its sums are computed again, within a minute.
const MOST_EXACT: i64 = 200;

/// Returns the `limit` busiest keys among those that were verified in the range or the previous period. The previous period
/// is counted only up to a limit of 200.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_keys(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
    limit: i64,
) -> Result<Parts<KeyId, KeyName>, StorageError> {
    of_table(engine, permit.org_id(), &KEYS, range, limit).await
}

/// Like [`of_keys`], for agents whose public ID was sent instead of a key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_agents(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
    limit: i64,
) -> Result<Parts<PublicId, DisplayName>, StorageError> {
    of_table(engine, permit.org_id(), &AGENTS, range, limit).await
}

async fn of_table<I, N>(
    engine: &Engine,
    org_id: OrgId,
    table: &Table,
    range: Range,
    limit: i64,
) -> Result<Parts<I, N>, StorageError>
where
    Row<I, N>: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let Some(org) = ids::of_subject(engine, org_id, Named::Org).await? else {
        return Ok(Parts {
            busiest: Vec::new(),
            all: 0,
        });
    };
    let (within, with_before) = totals::columns(range);
    let exists = if table.is_deletable {
        format!(
            "AND subject IN (SELECT usage_subjects.id FROM usage_subjects JOIN {0} ON {0}.id = usage_subjects.ref_id \
             WHERE {0}.org_id = $3 AND usage_subjects.org_id = $3 AND usage_subjects.kind = $2)",
            table.name
        )
    } else {
        "AND $3 = $3".to_owned()
    };
    let rows = format!(
        "SELECT subject, SUM({within}) AS within FROM usage_totals WHERE org = $1 AND kind = $2 AND {with_before} > 0 \
         {exists} GROUP BY subject"
    );
    let count = format!("SELECT COUNT(*) FROM ({rows}) AS ranked");
    let all: i64 = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(count))
        .bind(org).bind(table.kind).bind(org_id).fetch_one(c).await)?;

    // The outcomes of the busiest, with the names of those that have not been deleted.
    let busiest = format!(
        "SELECT CAST(ranked.subject AS BIGINT), {id}, {name}.name, CAST(usage_totals.outcome AS BIGINT), \
         CAST(SUM(usage_totals.{within}) AS BIGINT) \
         FROM ({rows} ORDER BY 2 DESC, 1 LIMIT $4) AS ranked \
         JOIN usage_totals ON usage_totals.org = $1 AND usage_totals.kind = $2 AND usage_totals.subject = ranked.subject \
         JOIN usage_subjects ON usage_subjects.id = ranked.subject \
         JOIN {name} ON {name}.id = usage_subjects.ref_id AND {name}.org_id = $3 \
         GROUP BY 1, 2, 3, 4",
        id = table.id,
        name = table.name,
    );
    let rows: Vec<Row<I, N>> = on!(engine.db.read(), c => {
        sqlx::query_as(sqlx::AssertSqlSafe(busiest)).bind(org).bind(table.kind).bind(org_id).bind(limit)
            .fetch_all(c).await
    })?;
    let mut parts: HashMap<i64, Part<I, N>> = HashMap::new();
    for (subject, id, name, outcome, count) in rows {
        let part = parts.entry(subject).or_insert_with(|| Part {
            id,
            name,
            counts: Counts::default(),
            before: Counts::default(),
        });
        part.counts.add(Outcome::of_number(outcome)?.group(), count);
    }
    if limit <= MOST_EXACT {
        count_exactly(engine, &mut parts, range).await?;
    }
    let mut busiest: Vec<_> = parts.into_iter().collect();
    busiest.sort_by_key(|(subject, part)| (-part.counts.all(), *subject));
    Ok(Parts {
        busiest: busiest.into_iter().map(|(_, part)| part).collect(),
        all,
    })
}

/// Counts these keys or agents again from the steps, with the previous period. Those without requests in either are
/// dropped.
async fn count_exactly<I, N>(
    engine: &Engine,
    parts: &mut HashMap<i64, Part<I, N>>,
    range: Range,
) -> Result<(), StorageError> {
    for part in parts.values_mut() {
        (part.counts, part.before) = Default::default();
    }
    let subjects: Vec<i64> = parts.keys().copied().collect();
    let standard = Standard::new(range, &Zone::UTC, engine.clock.now());
    let before = standard.before(engine.clock.now(), &engine.usage_kept);
    let (mut tx, all) = (engine.db.begin_snapshot().await?, Narrow::default());
    for piece in pieces(standard.from, standard.to, DAYS) {
        for sum in sums(&mut tx, &subjects, &all, piece, By::Subject).await? {
            if let Some(part) = parts.get_mut(&sum.of) {
                part.counts.add(sum.outcome.group(), sum.count);
            }
        }
    }
    for (sum, count) in before_sums(&mut tx, &subjects, &all, before.as_ref()).await? {
        if let Some(part) = parts.get_mut(&sum.of) {
            part.before.add(sum.outcome.group(), count);
        }
    }
    parts.retain(|_, part| part.counts.all() + part.before.all() > 0);
    Ok(())
}

/// Returns the number of requests in the last 30 days for each of the keys. Keys without requests are omitted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn requests_of_keys(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    keys: &[KeyId],
) -> Result<HashMap<KeyId, i64>, StorageError> {
    requests_of(engine, permit.org_id(), kind::KEY, keys).await
}

/// Like [`requests_of_keys`], for agents whose public ID was sent instead of a key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn requests_of_agents(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    agents: &[AgentId],
) -> Result<HashMap<AgentId, i64>, StorageError> {
    requests_of(engine, permit.org_id(), kind::AGENT, agents).await
}

async fn requests_of<I: Copy + Eq + Hash + Display>(
    engine: &Engine,
    org_id: OrgId,
    kind: i64,
    ids: &[I],
) -> Result<HashMap<I, i64>, StorageError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let standard = Standard::new(Range::Days30, &Zone::UTC, engine.clock.now());
    let sql = format!(
        "SELECT usage_subjects.ref_id, CAST(SUM(usage_days.count) AS BIGINT) FROM usage_subjects \
         JOIN usage_days ON usage_days.subject = usage_subjects.id AND usage_days.starts_at >= $3 \
         WHERE usage_subjects.org_id = $1 AND usage_subjects.kind = $2 AND usage_subjects.ref_id IN ({}) \
         GROUP BY usage_subjects.ref_id",
        places(4, ids.len())
    );
    let rows: Vec<(String, i64)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(org_id).bind(kind)
            .bind(DAYS.first_step(standard.from));
        for id in ids {
            query = query.bind(id.to_string());
        }
        query.fetch_all(c).await
    })?;
    let counts: HashMap<String, i64> = rows.into_iter().collect();
    let count = |id: &I| Some((*id, *counts.get(&id.to_string())?));
    Ok(ids.iter().filter_map(count).collect())
}

/// The number of active keys, and how many of them had a valid request in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct KeysInUse {
    /// The number of active keys.
    pub active: i64,
    /// How many of them were used.
    pub used: i64,
}

/// Returns how many of the org's active keys were used from a time until another one, which is that of a report: its ends are
/// those of steps that are kept. Revoked, expired and disabled keys do not count, nor do those that were created later.
///
/// # Errors
/// If the database cannot be reached.
pub async fn keys_in_use(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    (from, until): (Timestamp, Timestamp),
) -> Result<KeysInUse, StorageError> {
    let now = engine.clock.now();
    // The last use of a key is that of its last valid request, so counts are read only of keys that were used later. A look-up
    // ends with the first count, and is not one of `EXISTS`, for which Postgres can read all counts of the period at once.
    let counted = match until <= now {
        true => pieces(from, until, DAYS),
        false => Vec::new(),
    };
    let found = counted.into_iter().map(|piece| {
        format!(
            "(SELECT 1 FROM {table} WHERE {table}.subject = counted.id AND {table}.starts_at >= {} \
             AND {table}.starts_at < {} AND {table}.outcome = {} LIMIT 1)",
            piece.resolution.step(piece.from),
            piece.resolution.first_step(piece.to),
            Outcome::Valid.number(),
            table = piece.resolution.table,
        )
    });
    let found: Vec<String> = found
        .chain(["NULL".to_owned(), "NULL".to_owned()])
        .collect();
    let sql = format!(
        "SELECT COUNT(*) AS active, CAST(COALESCE(SUM(CASE WHEN COALESCE(keys.last_used_at < $3, TRUE) THEN 0 \
         WHEN keys.last_used_at < $4 THEN 1 WHEN COALESCE({}) IS NULL THEN 0 ELSE 1 END), 0) AS BIGINT) AS used \
         FROM keys LEFT JOIN usage_subjects AS counted ON counted.org_id = keys.org_id AND counted.kind = $5 \
         AND counted.ref_id = keys.id WHERE keys.org_id = $1 AND keys.revoked_at IS NULL AND keys.disabled_at IS NULL \
         AND COALESCE(keys.expires_at > $2, TRUE) AND keys.created_at < $4",
        found.join(", ")
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(false)
        .bind(permit.org_id()).bind(now).bind(from).bind(until).bind(kind::KEY).fetch_one(c).await)?,
    )
}
