//! Usage by key, and by agent for agents whose public ID was sent instead of a key.

use std::{collections::HashMap, hash::Hash};

use crate::{
    Engine,
    access::{Permit, to},
    agents::PublicId,
    db::{StorageError, on, places},
    id::KeyId,
    name::{DisplayName, KeyName},
    outcome::Outcome,
    time::Timestamp,
};

use super::report::{Counts, Range, Window};

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

macro_rules! parts_of {
    ($id:literal, $name:literal, $table:literal) => {
        concat!(
            "SELECT ", $id, ", ", $name, ", usage_counts.outcome, \
             CASE WHEN usage_counts.starts_at >= $4 THEN TRUE ELSE FALSE END AS within, CAST(SUM(usage_counts.count) AS BIGINT) \
             FROM usage_counts JOIN ", $table, " ON ", $table, ".id = usage_counts.key_id \
             AND ", $table, ".org_id = usage_counts.org_id \
             WHERE usage_counts.org_id = $1 AND usage_counts.resolution = $2 AND usage_counts.starts_at >= $3 \
             AND usage_counts.starts_at < $5 AND (usage_counts.starts_at < $6 OR usage_counts.starts_at >= $4) GROUP BY ", $id, ", ", $name, ", usage_counts.outcome, within"
        )
    };
}

/// Returns every key that was verified in the range or the previous period, most requests first. Only for the first
/// `compared` keys is the previous period counted to the hour or minute.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_keys(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
    compared: usize,
) -> Result<Vec<Part<KeyId, KeyName>>, StorageError> {
    const SQL: &str = parts_of!("keys.id", "keys.name", "keys");
    let window = Window::new(range, engine.clock.now());
    let rows: Vec<Row<KeyId, KeyName>> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(window.resolution).bind(window.before.starts_at).bind(window.start())
        .bind(window.end()).bind(window.before.whole_until).fetch_all(c).await)?;
    let mut parts = gathered(rows);
    let listed = compared.min(parts.len());
    for (id, outcome, at, count) in
        rest(engine, permit, &window, "keys.id", "keys", &parts[..listed]).await?
    {
        if let Some(part) = parts.iter_mut().find(|part| part.id == id) {
            part.before
                .add(outcome.group(), window.before.share(at, count));
        }
    }
    Ok(parts)
}

/// Like [`of_keys`], for agents whose public ID was sent instead of a key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_agents(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
    compared: usize,
) -> Result<Vec<Part<PublicId, DisplayName>>, StorageError> {
    const SQL: &str = parts_of!("agents.public_id", "agents.name", "agents");
    let window = Window::new(range, engine.clock.now());
    let rows: Vec<Row<PublicId, DisplayName>> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(window.resolution).bind(window.before.starts_at).bind(window.start())
        .bind(window.end()).bind(window.before.whole_until).fetch_all(c).await)?;
    let mut parts = gathered(rows);
    let listed = compared.min(parts.len());
    for (id, outcome, at, count) in rest(
        engine,
        permit,
        &window,
        "agents.public_id",
        "agents",
        &parts[..listed],
    )
    .await?
    {
        if let Some(part) = parts.iter_mut().find(|part| part.id == id) {
            part.before
                .add(outcome.group(), window.before.share(at, count));
        }
    }
    Ok(parts)
}

/// Returns the requests of these parts in the last, incomplete step of the previous period, by outcome and finer step.
async fn rest<I, N>(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    window: &Window,
    id: &str,
    table: &str,
    parts: &[Part<I, N>],
) -> Result<Vec<(I, Outcome, Timestamp, i64)>, StorageError>
where
    I: Copy
        + for<'q> sqlx::Encode<'q, sqlx::Sqlite>
        + for<'q> sqlx::Encode<'q, sqlx::Postgres>
        + for<'r> sqlx::Decode<'r, sqlx::Sqlite>
        + for<'r> sqlx::Decode<'r, sqlx::Postgres>
        + sqlx::Type<sqlx::Sqlite>
        + sqlx::Type<sqlx::Postgres>
        + Send
        + Unpin
        + 'static,
{
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {id}, usage_counts.outcome, usage_counts.starts_at, CAST(SUM(usage_counts.count) AS BIGINT) \
         FROM {table} JOIN usage_counts ON usage_counts.key_id = {table}.id \
         WHERE {table}.org_id = $1 AND usage_counts.org_id = $1 AND usage_counts.resolution = $2 \
         AND usage_counts.starts_at >= $3 AND usage_counts.starts_at < $4 AND {id} IN ({}) \
         GROUP BY {id}, usage_counts.outcome, usage_counts.starts_at",
        places(5, parts.len())
    );
    let before = &window.before;
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id())
            .bind(before.rest.name).bind(before.whole_until).bind(before.ends_at);
        for part in parts {
            query = query.bind(part.id);
        }
        query.fetch_all(c).await
    })?)
}

/// The number of active keys, and how many of them had a valid request in the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct KeysInUse {
    /// The number of active keys.
    pub active: i64,
    /// How many of them were used.
    pub used: i64,
}

/// Returns how many of the org's active keys are in use. Revoked, expired and disabled keys do not count.
///
/// # Errors
/// If the database cannot be reached.
pub async fn keys_in_use(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
) -> Result<KeysInUse, StorageError> {
    const SQL: &str = "SELECT COUNT(*) AS active, CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM usage_counts \
             WHERE usage_counts.key_id = keys.id AND usage_counts.resolution = $3 AND usage_counts.starts_at >= $4 \
             AND usage_counts.outcome = $5) THEN 1 ELSE 0 END), 0) AS BIGINT) AS used \
         FROM keys WHERE keys.org_id = $1 AND keys.revoked_at IS NULL AND keys.disabled_at IS NULL \
         AND COALESCE(keys.expires_at > $2, TRUE)";
    let now = engine.clock.now();
    let window = Window::new(range, now);
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(now).bind(window.resolution).bind(window.start()).bind(Outcome::Valid)
        .fetch_one(c).await)?)
}

/// ID, name, outcome, whether it is within the range, and count.
type Row<I, N> = (I, N, Outcome, bool, i64);

fn gathered<I: Copy + Eq + Hash + Ord, N>(rows: Vec<Row<I, N>>) -> Vec<Part<I, N>> {
    let mut parts: HashMap<I, Part<I, N>> = HashMap::new();
    for (id, name, outcome, within, count) in rows {
        let part = parts.entry(id).or_insert_with(|| Part {
            id,
            name,
            counts: Counts::default(),
            before: Counts::default(),
        });
        let counts = if within {
            &mut part.counts
        } else {
            &mut part.before
        };
        counts.add(outcome.group(), count);
    }
    let mut parts: Vec<_> = parts.into_values().collect();
    parts.sort_by_key(|part| (-part.counts.all(), part.id));
    parts
}
