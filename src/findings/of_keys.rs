//! Loads the facts that findings are computed from, for the keys of one page at a time.

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    convention::Scope,
    db::{StorageError, from_json, on, places},
    id::KeyId,
    key::{Environment, Kind, Lifecycle},
    keys::stored_domains,
    name::KeyName,
    orgs::policies,
    time::Timestamp,
};

use super::{
    Code, Facts, Finding, InBrowser, Kept, Policy, Refused, Reported,
    condition::{
        IP_RESTRICTED, LISTS_LOCALHOST, LISTS_LOOPBACK, MAKER_LEFT, SCOPES_SEEN, reported,
    },
    findings, refused_since,
};

/// The maximum number of rejected hosts that are loaded per key.
const MAX_HOSTS: i64 = 5;

/// A key with its findings.
#[derive(Debug, Clone)]
pub struct KeyFindings {
    /// The key.
    pub id: KeyId,
    /// The key's display name.
    pub name: KeyName,
    /// Most urgent first.
    pub findings: Vec<Finding>,
}

/// Returns the findings of the org's keys among `ids`, in the order of `ids`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_keys(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    usage: &Permit<to::SeeUsageDetails>,
    ids: &[KeyId],
) -> Result<Vec<KeyFindings>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let now = engine.clock.now();
    let keys = policies::of_org(engine, permit.org_id()).await?;
    let policy = Policy::of(&engine.convention, keys);
    let rows = rows(engine, permit, ids, now).await?;
    let mut refused = refused(engine, usage, &rows, now).await?;
    let mut scopes = scopes_seen(engine, usage, &rows).await?;
    let mut leaks = in_browser(engine, permit, &rows).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, name) = (row.id, row.name.clone());
        let refused = refused.remove(&id).unwrap_or_default();
        let scopes_seen = scopes.remove(&id).unwrap_or_default();
        let in_browser = leaks.remove(&id).unwrap_or_default();
        let facts = row.read(refused, scopes_seen, in_browser)?;
        keys.push(KeyFindings {
            id,
            name,
            findings: findings(&facts, &policy, now),
        });
    }
    keys.sort_by_key(|key| ids.iter().position(|id| *id == key.id));
    Ok(keys)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: KeyId,
    name: KeyName,
    kind: Kind,
    environment: Environment,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
    scopes: String,
    localhost_forbidden: bool,
    lists_localhost: bool,
    loopback_domains: String,
    has_ip_ranges: bool,
    secret_created_at: Option<Timestamp>,
    maker_left: bool,
    reported_at: Option<Timestamp>,
    reported_ends_at: Option<Timestamp>,
    kept_at: Option<Timestamp>,
    kept_until: Option<Timestamp>,
    kept_codes: Option<String>,
}

impl Row {
    fn read(
        self,
        refused: Refused,
        scopes_seen: Vec<Scope>,
        in_browser: Vec<InBrowser>,
    ) -> Result<Facts, StorageError> {
        Ok(Facts {
            kind: self.kind,
            environment: self.environment,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            lifecycle: self.lifecycle,
            scopes: from_json(&self.scopes)?,
            localhost_forbidden: self.localhost_forbidden,
            lists_localhost: self.lists_localhost,
            lists_loopback: stored_domains(&self.loopback_domains)?
                .iter()
                .filter(|domain| domain.is_other_loopback())
                .map(ToString::to_string)
                .collect(),
            has_ip_ranges: self.has_ip_ranges,
            secret_created_at: self.secret_created_at.unwrap_or(self.created_at),
            maker_left: self.maker_left,
            in_browser,
            reported: self.reported_at.map(|at| Reported {
                at,
                ends_at: self.reported_ends_at,
            }),
            refused,
            scopes_seen,
            kept: match (self.kept_at, self.kept_until, self.kept_codes) {
                (Some(at), Some(until), Some(codes)) => Some(Kept {
                    at,
                    until,
                    // A code that this version does not know is no finding of it either.
                    codes: codes
                        .split_whitespace()
                        .filter_map(|code| code.parse().ok())
                        .collect::<Vec<Code>>(),
                }),
                _ => None,
            },
        })
    }
}

async fn rows(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    ids: &[KeyId],
    now: Timestamp,
) -> Result<Vec<Row>, StorageError> {
    let reported = reported("$2");
    let sql = format!(
        "SELECT keys.id, keys.name, keys.kind, keys.environment, keys.created_at, keys.last_used_at, keys.expires_at, \
         keys.disabled_at, keys.revoked_at, keys.scopes, keys.localhost_forbidden, {LISTS_LOCALHOST} AS lists_localhost, \
         CASE WHEN {LISTS_LOOPBACK} THEN keys.domains ELSE '[]' END AS loopback_domains, \
         {IP_RESTRICTED} AS has_ip_ranges, \
         (SELECT MAX(key_secrets.created_at) FROM key_secrets WHERE key_secrets.key_id = keys.id \
         AND key_secrets.ends_at IS NULL) AS secret_created_at, {MAKER_LEFT} AS maker_left, \
         (SELECT MIN(reviews.at) FROM {reported} AND reviews.key_id = keys.id) AS reported_at, \
         (SELECT CASE WHEN COUNT(*) = COUNT(reviews.done_at) THEN MAX(reviews.done_at) END FROM {reported} \
         AND reviews.key_id = keys.id) AS reported_ends_at, \
         kept.at AS kept_at, kept.until AS kept_until, kept.codes AS kept_codes FROM keys \
         LEFT JOIN reviews AS kept ON kept.org_id = keys.org_id AND kept.key_id = keys.id \
         AND kept.superseded_at IS NULL AND kept.verdict = 'keep' \
         WHERE keys.org_id = $1 AND keys.id IN ({})",
        places(3, ids.len())
    );
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id()).bind(now);
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?)
}

#[derive(sqlx::FromRow)]
struct Leak {
    key_id: KeyId,
    secret_created_at: Timestamp,
    secret_ends_at: Option<Timestamp>,
    first_at: Timestamp,
    last_at: Timestamp,
    count: i64,
    origin: String,
}

/// The secrets that browsers sent, by key.
async fn in_browser(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    rows: &[Row],
) -> Result<HashMap<KeyId, Vec<InBrowser>>, StorageError> {
    let secret = rows.iter().filter(|row| row.kind == Kind::Secret);
    let ids: Vec<KeyId> = secret.map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT key_findings.key_id, key_secrets.created_at AS secret_created_at, key_secrets.ends_at AS secret_ends_at, \
         key_findings.first_at, key_findings.last_at, key_findings.count, key_findings.origin FROM key_findings \
         JOIN key_secrets ON key_secrets.id = key_findings.secret_id WHERE key_findings.org_id = $1 \
         AND key_findings.finding = 'secret_key_in_browser' AND key_findings.key_id IN ({})",
        places(2, ids.len())
    );
    let found: Vec<Leak> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in &ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let mut leaks: HashMap<KeyId, Vec<InBrowser>> = HashMap::new();
    for leak in found {
        leaks.entry(leak.key_id).or_default().push(InBrowser {
            secret_created_at: leak.secret_created_at,
            secret_ends_at: leak.secret_ends_at,
            first_at: leak.first_at,
            last_at: leak.last_at,
            count: leak.count,
            origin: leak.origin,
        });
    }
    Ok(leaks)
}

/// Requests from rejected origins that the key does not allow now, by key.
async fn refused(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    rows: &[Row],
    now: Timestamp,
) -> Result<HashMap<KeyId, Refused>, StorageError> {
    let widgets: Vec<KeyId> = rows
        .iter()
        .filter(|row| row.kind == Kind::Widget)
        .map(|row| row.id)
        .collect();
    if widgets.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT subject_id, domain, CAST(total AS BIGINT) FROM (SELECT subject_id, domain, \
         SUM(SUM(count)) OVER (PARTITION BY subject_id) AS total, \
         ROW_NUMBER() OVER (PARTITION BY subject_id ORDER BY CASE WHEN domain = '' THEN 1 ELSE 0 END, SUM(count) DESC, domain) AS place \
         FROM usage_domains WHERE org_id = $1 AND starts_at >= $2 AND NOT passed AND NOT now_allowed \
         AND subject_id IN ({}) \
         GROUP BY subject_id, domain) AS ranked WHERE place <= {MAX_HOSTS} ORDER BY subject_id, place",
        places(3, widgets.len())
    );
    let found: Vec<(KeyId, String, i64)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id()).bind(refused_since(now));
        for id in &widgets {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let mut refused: HashMap<KeyId, Refused> = HashMap::new();
    for (id, host, total) in found {
        let of_key = refused.entry(id).or_default();
        of_key.count = total;
        if !host.is_empty() {
            of_key.hosts.push(host);
        }
    }
    Ok(refused)
}

/// The scopes that valid requests required, by key.
async fn scopes_seen(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    rows: &[Row],
) -> Result<HashMap<KeyId, Vec<Scope>>, StorageError> {
    let with_scopes: Vec<KeyId> = rows
        .iter()
        .filter(|row| row.scopes.contains(','))
        .map(|row| row.id)
        .collect();
    if with_scopes.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT usage_subjects.ref_id, usage_seen.value FROM {SCOPES_SEEN} AND usage_subjects.ref_id IN ({})",
        places(2, with_scopes.len())
    );
    let found: Vec<(KeyId, String)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in &with_scopes {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let mut seen: HashMap<KeyId, Vec<Scope>> = HashMap::new();
    for (id, scope) in found {
        // The sum of scopes beyond the limit has no name.
        seen.entry(id).or_default().extend(scope.parse());
    }
    Ok(seen)
}
