//! Stores imported keys and detects those that already exist.

use std::collections::{
    HashMap, HashSet,
    hash_map::Entry::{Occupied, Vacant},
};

use tokio::task::yield_now;

use super::{
    entry::Entry,
    order,
    report::{EntryReport, ImportError, Listed, Problem},
};
use crate::{
    Engine,
    access::{Permit, to},
    change::{Events, Happened},
    db::{StorageError, Tx, on, places},
    event::{Event, Target},
    id::{OrgId, ProjectId, SecretId},
    key::digest::KeyDigest,
    keys::{
        project,
        store::{NewRow, Prepared, insert},
    },
    limits::{Limited, check_added, check_more_domains},
    orgs::policies,
    policy::KeyPolicy,
    random::RandomnessError,
    time::Timestamp,
};

/// The error message for an existing key. It does not say where the key exists, because it can be in another org.
const STORED_ALREADY: &str = "This key already exists and cannot be imported again.";
/// The number of digests per query, far below the parameter limits of SQLite and Postgres.
const DIGESTS_AT_ONCE: usize = 500;

/// The org's projects by name and by ID.
pub(super) async fn projects(
    engine: &Engine,
    org_id: OrgId,
) -> Result<HashMap<String, ProjectId>, StorageError> {
    let mut projects = HashMap::new();
    for choice in project::of_org(engine, org_id).await? {
        projects.insert(choice.id.to_string(), choice.id);
        projects.insert(choice.name.to_string(), choice.id);
    }
    Ok(projects)
}

/// Rejects entries whose keys already exist in the org, or in any org if `of` is `None`, under any pepper.
pub(super) async fn refuse_stored(
    engine: &Engine,
    entries: &[Option<Entry>],
    of: Option<OrgId>,
    listed: &mut Listed,
    told: &mut [EntryReport],
) -> Result<(), StorageError> {
    let mut wanted: HashMap<KeyDigest, usize> = HashMap::new();
    for (place, entry) in entries.iter().enumerate() {
        if let Some(entry) = entry {
            let digests = engine.peppers.digests_of_sha256(&entry.sha256);
            wanted.extend(digests.map(|digest| (digest, place)));
        }
    }
    let digests: Vec<KeyDigest> = wanted.keys().copied().collect();
    let org = of.map_or_else(String::new, |org| org.to_string());
    let mut stored: HashSet<usize> = HashSet::new();
    for digests in digests.chunks(DIGESTS_AT_ONCE) {
        let of_org = match of {
            Some(_) => "keys.org_id = $1",
            None => "$1 = ''",
        };
        let sql = format!(
            "SELECT key_secrets.digest FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id \
             WHERE {of_org} AND key_secrets.digest IN ({})",
            places(2, digests.len())
        );
        let found: Vec<Vec<u8>> = on!(engine.db.read(), c => {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(org.as_str());
            for digest in digests {
                query = query.bind(digest.as_bytes());
            }
            query.fetch_all(c).await
        })?;
        for bytes in found {
            let digest = KeyDigest::try_from(bytes).map_err(StorageError::unreadable)?;
            stored.extend(wanted.get(&digest));
        }
    }
    for (place, told) in told.iter_mut().enumerate() {
        if stored.contains(&place) {
            told.refuse(listed, stored_already());
        }
    }
    Ok(())
}

fn stored_already() -> Problem {
    Problem {
        field: "sha256",
        sentence: STORED_ALREADY.to_owned(),
    }
}

/// The number of keys per INSERT statement, far below the parameter limits of SQLite and Postgres.
const KEYS_AT_ONCE: usize = 250;

/// The values of the rows of a key and its secret.
struct New<'a> {
    key: Prepared<'a>,
    secret_id: SecretId,
    digest: KeyDigest,
    display: &'a str,
}

/// Stores all entries, which comply with `policy`. Returns false, with nothing stored, if a concurrent request stored one of
/// the keys.
pub(super) async fn store(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    entries: &[&Entry],
    policy: &KeyPolicy,
) -> Result<bool, ImportError> {
    let (now, org_id) = (engine.clock.now(), permit.org_id());
    let mut rows = prepare(engine, permit, entries).await?;
    let imported = rows.iter().map(|row| Target::Key(row.key.id()));
    let imported = imported.map(|key| Happened::new(Event::KeyImported, key));
    let Some(events) = Events::several(imported.collect()) else {
        return Ok(false);
    };
    let domains = entries.iter().map(|entry| entry.domains()).sum();
    for row in &rows {
        engine.imports.add(&row.digest);
    }
    let mut change = engine.change(permit).await?;
    if policies::locked(engine, change.tx(), org_id).await? != *policy {
        return Err(ImportError::PoliciesChanged);
    }
    resolve_projects(change.tx(), org_id, &mut rows).await?;
    for rows in rows.chunks(KEYS_AT_ONCE) {
        if !insert_rows(engine, change.tx(), rows, now).await? {
            return Ok(false);
        }
    }
    check_added(engine, change.tx(), org_id, Limited::Keys).await??;
    check_more_domains(engine, change.tx(), org_id, 0, domains).await??;
    change.commit(events).await?;
    Ok(true)
}

/// Computes the rows of all entries, before the transaction begins: on SQLite, all other writers wait for it. Lets
/// other requests run in between.
async fn prepare<'a>(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    entries: &[&'a Entry],
) -> Result<Vec<New<'a>>, RandomnessError> {
    let now = engine.clock.now();
    let prepare = |id, entry: &'a Entry| {
        let row = NewRow {
            id,
            org_id: permit.org_id(),
            kind: entry.kind,
            environment: entry.environment,
            display: &entry.display,
            created_at: now,
            created_by: permit.caller().actor.user_id(),
            approved_by: None,
            creation_token: None,
        };
        Ok(New {
            key: Prepared::new(row, &entry.settings),
            secret_id: SecretId::new(now.as_millis(), engine.random.bytes()?),
            digest: engine.peppers.digest_of_sha256(&entry.sha256),
            display: &entry.display,
        })
    };
    let mut rows = Vec::with_capacity(entries.len());
    let ids = order::ids(engine, now, entries.len())?;
    for (ids, entries) in ids.chunks(KEYS_AT_ONCE).zip(entries.chunks(KEYS_AT_ONCE)) {
        for (id, entry) in ids.iter().zip(entries) {
            rows.push(prepare(*id, entry)?);
        }
        yield_now().await;
    }
    Ok(rows)
}

/// Sets the project of each key: the chosen one or the default. Neither can be deleted until the transaction ends.
async fn resolve_projects(
    tx: &mut Tx,
    org_id: OrgId,
    rows: &mut [New<'_>],
) -> Result<(), ImportError> {
    let mut projects = HashMap::new();
    for row in rows {
        let resolved = match projects.entry(row.key.project) {
            Occupied(project) => *project.get(),
            Vacant(place) => {
                let chosen = *place.key();
                let found = project::resolve(tx, org_id, chosen).await?;
                *place.insert(found.ok_or(ImportError::ProjectDeleted)?)
            }
        };
        row.key.project = Some(resolved);
    }
    Ok(())
}

/// Inserts keys and their digests. Returns whether all digests were new.
async fn insert_rows(
    engine: &Engine,
    tx: &mut Tx,
    rows: &[New<'_>],
    now: Timestamp,
) -> Result<bool, ImportError> {
    insert(tx, rows.iter().map(|row| &row.key)).await?;
    let sql = format!(
        "INSERT INTO key_secrets (id, key_id, digest, pepper_version, created_at, display, imported) VALUES {} \
         ON CONFLICT (digest) DO NOTHING",
        tx.places_of_rows(rows.len(), 7)
    );
    let version = engine.peppers.current_version();
    let stored = on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for row in rows {
            query = query
                .bind(row.secret_id).bind(row.key.id()).bind(row.digest.as_bytes()).bind(version).bind(now)
                .bind(row.display).bind(true);
        }
        query.execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(stored == rows.len() as u64)
}
