//! Usage by key, and by agent for agents whose public ID was sent instead of a key.

use std::{collections::HashMap, hash::Hash};

use crate::{
    Engine,
    access::{Permit, to},
    agents::PublicId,
    db::{StorageError, on},
    id::KeyId,
    name::{DisplayName, KeyName},
    outcome::Outcome,
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
    /// The counts in the preceding period of the same length.
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
             AND usage_counts.starts_at < $5 GROUP BY ", $id, ", ", $name, ", usage_counts.outcome, within"
        )
    };
}

/// Returns every key with requests in the range or in the preceding period, the most requests first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_keys(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
) -> Result<Vec<Part<KeyId, KeyName>>, StorageError> {
    const SQL: &str = parts_of!("keys.id", "keys.name", "keys");
    let window = Window::new(range, engine.clock.now());
    let rows: Vec<Row<KeyId, KeyName>> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(window.resolution).bind(window.start_before()).bind(window.start())
        .bind(window.end()).fetch_all(c).await)?;
    Ok(gathered(rows))
}

/// Returns every agent whose public ID was sent instead of a key in the range or in the preceding period, the most
/// requests first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_agents(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
) -> Result<Vec<Part<PublicId, DisplayName>>, StorageError> {
    const SQL: &str = parts_of!("agents.public_id", "agents.name", "agents");
    let window = Window::new(range, engine.clock.now());
    let rows: Vec<Row<PublicId, DisplayName>> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(window.resolution).bind(window.start_before()).bind(window.start())
        .bind(window.end()).fetch_all(c).await)?;
    Ok(gathered(rows))
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
