//! Usage by domain: which allowed patterns matched, and which hosts were rejected.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, Tx, on},
    domain::{DomainPattern, Origin},
    id::{KeyId, OrgId},
    time::{DAY, Timestamp},
};

use super::subject::Subject;

/// The maximum number of distinct rejected hosts counted between two flushes, per key. Anyone can send any origin.
const REFUSED_AT_ONCE: usize = 20;
/// The maximum number of distinct rejected hosts stored, per key and day.
const REFUSED_A_DAY: usize = 200;

/// The result of the check against the allowed domains.
#[derive(Debug, Clone, Copy)]
pub enum Site<'a> {
    /// A pattern on the list matched.
    Listed(&'a DomainPattern),
    /// Localhost, which the convention always allows.
    Localhost,
    /// Nothing matched. `None` if the request had no valid origin.
    Refused(Option<Origin<'a>>),
}

impl Site<'_> {
    /// Whether nothing matched.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// Rows per statement.
const ROWS_AT_ONCE: usize = 500;

/// The subject and the day of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day {
    pub org_id: OrgId,
    pub subject: Subject,
    pub starts_at: Timestamp,
}

/// The counts of one day, by site.
#[derive(Debug, Default)]
pub(super) struct Sites {
    listed: HashMap<DomainPattern, i64>,
    localhost: i64,
    refused: HashMap<Box<str>, i64>,
    /// Rejected requests without a valid host, or beyond the limit of distinct hosts.
    other: i64,
}

impl Sites {
    pub(super) fn count(&mut self, site: &Site<'_>, count: i64) {
        match site {
            // A second lookup is needed only the first time, while `entry` would clone the pattern every time.
            Site::Listed(pattern) => match self.listed.get_mut(*pattern) {
                Some(counted) => *counted += count,
                None => {
                    self.listed.insert((*pattern).clone(), count);
                }
            },
            Site::Localhost => self.localhost += count,
            Site::Refused(Some(origin)) => self.refuse(origin.host_text().into(), count),
            Site::Refused(None) => self.other += count,
        }
    }

    fn refuse(&mut self, host: Box<str>, count: i64) {
        if self.refused.len() < REFUSED_AT_ONCE || self.refused.contains_key(&host) {
            *self.refused.entry(host).or_default() += count;
        } else {
            self.other += count;
        }
    }

    /// Adds the counts of another shard.
    pub(super) fn absorb(&mut self, sites: Self) {
        for (pattern, count) in sites.listed {
            *self.listed.entry(pattern).or_default() += count;
        }
        self.localhost += sites.localhost;
        for (host, count) in sites.refused {
            self.refuse(host, count);
        }
        self.other += sites.other;
    }

    /// Counts by result (whether the requests passed) and domain.
    fn rows(&self) -> BTreeMap<(bool, String), i64> {
        let mut rows = BTreeMap::new();
        for (pattern, count) in &self.listed {
            *rows.entry((true, pattern.to_string())).or_default() += count;
        }
        for (host, count) in &self.refused {
            *rows.entry((false, host.to_string())).or_default() += count;
        }
        *rows.entry((true, "localhost".to_owned())).or_default() += self.localhost;
        *rows.entry((false, String::new())).or_default() += self.other;
        rows.retain(|_, count| *count > 0);
        rows
    }
}

/// Adds counts to the stored ones, within the transaction of the batch.
pub(super) async fn store(tx: &mut Tx, days: &[(Day, Sites)]) -> Result<(), StorageError> {
    // By ID: the same key can be in the batch with two secrets.
    let mut all: BTreeMap<(OrgId, String, Timestamp, bool, String), i64> = BTreeMap::new();
    for (day, sites) in days {
        let mut rows = sites.rows();
        if !sites.refused.is_empty() {
            limit(tx, day, &mut rows).await?;
        }
        for ((passed, domain), count) in rows {
            let subject = day.subject.to_string();
            let row = (day.org_id, subject, day.starts_at, passed, domain);
            *all.entry(row).or_default() += count;
        }
    }
    let all: Vec<_> = all.into_iter().collect();
    for rows in all.chunks(ROWS_AT_ONCE) {
        let sql = format!(
            "INSERT INTO usage_domains (org_id, subject_id, starts_at, passed, domain, count) VALUES {} \
             ON CONFLICT (org_id, subject_id, starts_at, passed, domain) \
             DO UPDATE SET count = usage_domains.count + excluded.count",
            tx.places_of_rows(rows.len(), 6)
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(rows.len() == ROWS_AT_ONCE);
            for ((org_id, subject_id, starts_at, passed, domain), count) in rows {
                query = query.bind(org_id).bind(subject_id).bind(starts_at).bind(passed).bind(domain).bind(*count);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Merges rejected hosts beyond the daily limit into the count without a name.
async fn limit(
    tx: &mut Tx,
    day: &Day,
    rows: &mut BTreeMap<(bool, String), i64>,
) -> Result<(), StorageError> {
    const SQL: &str = "SELECT domain FROM usage_domains \
         WHERE org_id = $1 AND subject_id = $2 AND starts_at = $3 AND passed = FALSE AND domain <> ''";
    let stored: Vec<String> = on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(day.org_id).bind(day.subject.to_string()).bind(day.starts_at).fetch_all(c).await)?;
    let mut named: HashSet<String> = stored.into_iter().collect();
    let mut nameless = 0;
    rows.retain(|(passed, domain), count| {
        let keep = *passed
            || domain.is_empty()
            || named.contains(domain)
            || (named.len() < REFUSED_A_DAY && named.insert(domain.clone()));
        if !keep {
            nameless += *count;
        }
        keep
    });
    if nameless > 0 {
        *rows.entry((false, String::new())).or_default() += nameless;
    }
    Ok(())
}

/// Marks the hosts of a key that were rejected and that a change of its list allows, and unmarks those that it no longer
/// allows, in the transaction of the change. A day has at most [`REFUSED_A_DAY`] hosts.
pub(crate) async fn note_allowed(
    tx: &mut Tx,
    org_id: OrgId,
    key_id: KeyId,
    was: impl Fn(&str) -> bool,
    is: impl Fn(&str) -> bool,
    since: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "SELECT starts_at, domain FROM usage_domains WHERE org_id = $1 AND subject_id = $2 \
         AND starts_at >= $3 AND passed = FALSE AND domain <> ''";
    let mut hosts: Vec<(Timestamp, String)> = on!(tx.on(), c => sqlx::query_as(SQL)
        .bind(org_id).bind(key_id).bind(since).fetch_all(c).await)?;
    // One by one, in the order in which counts are stored, so that neither waits for the other.
    hosts.sort();
    for (day, host) in hosts {
        let is = is(&host);
        if is == was(&host) {
            continue;
        }
        const MARK: &str = "UPDATE usage_domains SET now_allowed = $1 WHERE org_id = $2 AND subject_id = $3 \
             AND starts_at = $4 AND passed = FALSE AND domain = $5";
        on!(tx.on(), c => sqlx::query(MARK)
            .bind(is).bind(org_id).bind(key_id).bind(day).bind(host).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Usage of one domain.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DomainUse {
    /// The matching pattern, or the rejected host. Empty for requests without a valid origin, and for rejected hosts
    /// beyond the limit.
    pub domain: String,
    /// Whether the requests passed.
    pub passed: bool,
    /// The number of requests.
    pub count: i64,
}

/// Returns a key's requests by domain, starting with the day (UTC) of `since`. Allowed domains come first, and each
/// group is sorted by descending count. Empty if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn by_domain(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key_id: KeyId,
    since: Timestamp,
) -> Result<Vec<DomainUse>, StorageError> {
    const SQL: &str = "SELECT domain, passed, CAST(SUM(count) AS BIGINT) AS count FROM usage_domains \
         WHERE org_id = $1 AND subject_id = $2 AND starts_at >= $3 GROUP BY domain, passed \
         ORDER BY passed DESC, 3 DESC, domain";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(key_id).bind(since.floor(DAY)).fetch_all(c).await)?)
}
