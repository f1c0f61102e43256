//! The findings of an org, page by page, and how many keys need attention.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::{KeyId, OrgId},
    name::KeyName,
    orgs::policies,
    time::{SECOND, Timestamp},
};

pub use super::condition::Which;
use super::{Code, Finding, Policy, Severity, condition, of_keys};

/// Which findings to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FindingsQuery {
    /// Only findings with this code.
    pub code: Option<Code>,
    /// Only findings of this severity.
    pub severity: Option<Severity>,
    /// Only findings of this key.
    pub key: Option<KeyId>,
    /// The last finding of the previous page.
    pub after: Option<(KeyId, Code)>,
    /// The number of findings per page; at least 1.
    pub limit: u16,
}

/// A finding and its key.
#[derive(Debug, Clone)]
pub struct Found {
    /// The key's ID.
    pub key_id: KeyId,
    /// The key's display name.
    pub key_name: KeyName,
    /// The finding.
    pub finding: Finding,
}

/// A page of findings.
#[derive(Debug, Clone)]
pub struct FindingsPage {
    /// By key, oldest first, and by urgency.
    pub found: Vec<Found>,
    /// The last one, if more follow.
    pub next: Option<(KeyId, Code)>,
}

/// Returns a page of the org's findings.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    usage: &Permit<to::SeeUsageDetails>,
    query: &FindingsQuery,
) -> Result<FindingsPage, StorageError> {
    let limit = usize::from(query.limit.max(1));
    let keys = policies::of_org(engine, permit.org_id()).await?;
    let condition = condition::of(
        Which::Of(query.code, query.severity),
        &Policy::of(&engine.convention, keys),
        "$2",
    );
    let sql = format!(
        "SELECT keys.id FROM keys WHERE keys.org_id = $1 AND {condition} AND ($3 = '' OR keys.id = $3) AND keys.id >= $4 \
         ORDER BY keys.id LIMIT $5"
    );
    let key = query.key.map_or_else(String::new, |key| key.to_string());
    let from = query
        .after
        .map_or_else(String::new, |(id, _)| id.to_string());
    // Each key has at least one finding, except for the first, whose findings can all be on the previous page; one more
    // tells whether another page follows.
    let ids: Vec<KeyId> = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).bind(key).bind(from).bind(limit as i64 + 2)
        .fetch_all(c).await)?;
    let keys = of_keys(engine, permit, usage, &ids).await?;
    let mut found: Vec<Found> = Vec::new();
    for key in keys {
        let of_key = key.findings.into_iter().filter(|finding| {
            query.code.is_none_or(|code| code == finding.code)
                && query
                    .severity
                    .is_none_or(|severity| severity == finding.severity)
        });
        let mut of_key: Vec<Finding> = of_key.collect();
        if let Some((id, code)) = query.after
            && id == key.id
        {
            // Those up to the last one are on the previous page. If it no longer applies, the key's findings are repeated.
            let last = of_key.iter().position(|finding| finding.code == code);
            of_key.drain(..last.map_or(0, |last| last + 1));
        }
        found.extend(of_key.into_iter().map(|finding| Found {
            key_id: key.id,
            key_name: key.name.clone(),
            finding,
        }));
    }
    let is_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| is_more);
    Ok(FindingsPage {
        next: last.map(|last| (last.key_id, last.finding.code)),
        found,
    })
}

/// How long a count is remembered, in milliseconds. Use of keys and the passing of time change it without an event.
const REMEMBERED_FOR: i64 = 10 * SECOND;
/// The maximum number of organizations whose counts are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// The numbers of keys that need attention, by org. Every page shows one, and with 10,000 keys it takes milliseconds.
#[derive(Debug, Default)]
pub(crate) struct AttentionCounts(Mutex<HashMap<OrgId, (i64, Timestamp)>>);

impl AttentionCounts {
    fn counts(&self) -> MutexGuard<'_, HashMap<OrgId, (i64, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the count of an org, whose keys or members have changed.
    pub(crate) fn forget(&self, org_id: OrgId) {
        self.counts().remove(&org_id);
    }

    fn get(&self, org_id: OrgId, now: Timestamp) -> Option<i64> {
        let counted = self.counts().get(&org_id).copied();
        let (count, at) = counted?;
        (0..REMEMBERED_FOR)
            .contains(&now.since(at))
            .then_some(count)
    }

    fn remember(&self, org_id: OrgId, count: i64, now: Timestamp) {
        let mut counts = self.counts();
        if counts.len() >= MAX_REMEMBERED {
            counts.clear();
        }
        counts.insert(org_id, (count, now));
    }
}

/// Returns the number of keys with a finding of high or medium severity. It can be up to ten seconds old, unless the org's
/// data was changed on this instance since.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_attention(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
) -> Result<i64, StorageError> {
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    if let Some(count) = engine.attention.get(org_id, now) {
        return Ok(count);
    }
    let keys = policies::of_org(engine, org_id).await?;
    let policy = Policy::of(&engine.convention, keys);
    let condition = condition::of(Which::Attention, &policy, "$2");
    let sql = format!("SELECT COUNT(*) FROM keys WHERE keys.org_id = $1 AND {condition}");
    let count = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(org_id).bind(now).fetch_one(c).await)?;
    engine.attention.remember(org_id, count, now);
    Ok(count)
}
