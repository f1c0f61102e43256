//! Use by domain: which allowed pattern let a page's requests pass, and which hosts were refused.

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

/// How many refused hosts are told apart between two flushes, per key. Anyone can send any origin.
const REFUSED_AT_ONCE: usize = 20;
/// How many refused hosts are stored, per key and day.
const REFUSED_A_DAY: usize = 200;

/// What decided where sites are allowed or not.
#[derive(Debug, Clone, Copy)]
pub enum Site<'a> {
    /// A pattern on the list.
    Listed(&'a DomainPattern),
    /// The convention, which always allows localhost.
    Localhost,
    /// Nothing allowed it. `None` for a request without an origin that could be read.
    Refused(Option<Origin<'a>>),
}

impl Site<'_> {
    /// Whether nothing allowed it.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// Whose sites, and the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day {
    pub org_id: OrgId,
    pub subject: Subject,
    pub starts_at: Timestamp,
}

/// One day's counts by site.
#[derive(Debug, Default)]
pub(super) struct Sites {
    listed: HashMap<DomainPattern, i64>,
    localhost: i64,
    refused: HashMap<Box<str>, i64>,
    /// Refused without a host that could be read, or beyond those that are told apart.
    other: i64,
}

impl Sites {
    pub(super) fn count(&mut self, site: &Site<'_>) {
        match site {
            // Two look-ups the first time only: an entry would want a pattern of its own every time.
            Site::Listed(pattern) => match self.listed.get_mut(*pattern) {
                Some(count) => *count += 1,
                None => {
                    self.listed.insert((*pattern).clone(), 1);
                }
            },
            Site::Localhost => self.localhost += 1,
            Site::Refused(Some(origin)) => self.refuse(origin.host_text().into(), 1),
            Site::Refused(None) => self.other += 1,
        }
    }

    fn refuse(&mut self, host: Box<str>, count: i64) {
        if self.refused.len() < REFUSED_AT_ONCE || self.refused.contains_key(&host) {
            *self.refused.entry(host).or_default() += count;
        } else {
            self.other += count;
        }
    }

    /// Adds what another thread counted.
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

    /// The counts as rows: whether it passed, the domain, how often.
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

/// Adds counts to those stored, in the transaction of their batch.
pub(super) async fn store(tx: &mut Tx, days: &BTreeMap<Day, Sites>) -> Result<(), StorageError> {
    for (day, sites) in days {
        let mut rows = sites.rows();
        if !sites.refused.is_empty() {
            limit(tx, day, &mut rows).await?;
        }
        const UPSERT: &str = "INSERT INTO usage_domains (org_id, subject_id, starts_at, passed, domain, count) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org_id, subject_id, starts_at, passed, domain) \
             DO UPDATE SET count = usage_domains.count + excluded.count";
        for ((passed, domain), count) in rows {
            on!(tx.on(), c => sqlx::query(UPSERT)
                .bind(day.org_id).bind(day.subject.to_string()).bind(day.starts_at).bind(passed).bind(domain)
                .bind(count).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// Takes the names from refused hosts that would be one too many for the day.
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

/// How often one domain was used.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DomainUse {
    /// The allowed pattern that let requests pass, or the host that was refused. Empty for requests whose origin could
    /// not be read, and for refused hosts beyond those that are told apart.
    pub domain: String,
    /// Whether they passed.
    pub passed: bool,
    /// How many requests.
    pub count: i64,
}

/// A key's requests by domain, from the day (UTC) of `since` on: those that passed first, each most frequent first. None
/// when the org has no such key.
///
/// # Errors
/// When the database cannot be asked.
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
