//! Stores imported keys and detects those that already exist.

use std::collections::{HashMap, HashSet, hash_map::Entry::Vacant};

use super::{
    entry::Entry,
    order,
    report::{EntryReport, ImportError, Listed, Problem},
};
use crate::{
    Engine,
    access::{Permit, to},
    change::{Events, Happened},
    db::{StorageError, Tx, on, places, places_of_rows},
    event::{Event, Target},
    id::{KeyId, OrgId, ProjectId, SecretId},
    key::{digest::KeyDigest, settings::KeySettings},
    keys::{
        project,
        store::{NewRow, insert},
    },
    limits::{Limited, check_added, check_more_domains},
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

/// The number of keys per INSERT statement. SQLite compares each parameter with all others of the statement, so larger
/// statements are slower.
const KEYS_AT_ONCE: usize = 40;

/// Stores all entries. Returns false, with nothing stored, if a concurrent request stored one of the keys. Uses few
/// statements, since other writers wait meanwhile.
pub(super) async fn store(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    entries: &[Entry],
    listed: &mut Listed,
    told: &mut [EntryReport],
) -> Result<bool, ImportError> {
    let (now, org_id) = (engine.clock.now(), permit.org_id());
    let mut change = engine.change(permit).await?;
    let projects = resolve_projects(change.tx(), org_id, entries).await?;
    let mut imported = Vec::with_capacity(entries.len());
    let in_order = order::ids(engine, now, entries.len())?;
    for ((entries, told), ids) in entries
        .chunks(KEYS_AT_ONCE)
        .zip(told.chunks_mut(KEYS_AT_ONCE))
        .zip(in_order.chunks(KEYS_AT_ONCE))
    {
        insert_keys(change.tx(), permit, ids, entries, &projects, now).await?;
        let stored = insert_secrets(engine, change.tx(), ids, entries, now).await?;
        if stored.len() < ids.len() {
            for (id, told) in ids.iter().zip(told) {
                if !stored.contains(id) {
                    told.refuse(listed, stored_already());
                }
            }
            return Ok(false);
        }
        let keys = ids.iter().copied().map(Target::Key);
        imported.extend(keys.map(|key| Happened::new(Event::KeyImported, key)));
    }
    let domains = entries.iter().map(Entry::domains).sum();
    check_added(engine, change.tx(), org_id, Limited::Keys).await??;
    check_more_domains(engine, change.tx(), org_id, 0, domains).await??;
    match Events::several(imported) {
        Some(events) => change.commit(events).await?,
        None => return Ok(false),
    }
    Ok(true)
}

/// Returns the project of each choice among the entries, without projects that were deleted in the meantime.
async fn resolve_projects(
    tx: &mut Tx,
    org_id: OrgId,
    entries: &[Entry],
) -> Result<HashMap<Option<ProjectId>, Option<ProjectId>>, StorageError> {
    let mut projects = HashMap::new();
    for entry in entries {
        let chosen = entry.settings.project;
        if let Vacant(project) = projects.entry(chosen) {
            project.insert(project::resolve(tx, org_id, chosen).await?);
        }
    }
    Ok(projects)
}

async fn insert_keys(
    tx: &mut Tx,
    permit: &Permit<to::CreateKeys>,
    ids: &[KeyId],
    entries: &[Entry],
    projects: &HashMap<Option<ProjectId>, Option<ProjectId>>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let settings: Vec<KeySettings> = entries
        .iter()
        .map(|entry| KeySettings {
            project: projects.get(&entry.settings.project).copied().flatten(),
            ..entry.settings.clone()
        })
        .collect();
    let mut keys = Vec::with_capacity(entries.len());
    for ((entry, settings), id) in entries.iter().zip(&settings).zip(ids) {
        let key = NewRow {
            id: *id,
            org_id: permit.org_id(),
            kind: entry.kind,
            environment: entry.environment,
            display: &entry.display,
            created_at: now,
            created_by: permit.caller().actor.user_id(),
            creation_token: None,
        };
        keys.push((key, settings));
    }
    insert(tx, &keys).await?;
    Ok(())
}

/// Inserts the digests, and returns the keys whose digests were new.
async fn insert_secrets(
    engine: &Engine,
    tx: &mut Tx,
    keys: &[KeyId],
    entries: &[Entry],
    now: Timestamp,
) -> Result<HashSet<KeyId>, ImportError> {
    let sql = format!(
        "INSERT INTO key_secrets (id, key_id, digest, pepper_version, created_at, display, imported) VALUES {} \
         ON CONFLICT (digest) DO NOTHING RETURNING key_id",
        places_of_rows(keys.len(), 7)
    );
    let mut secrets = Vec::with_capacity(keys.len());
    for (key, entry) in keys.iter().zip(entries) {
        let id = SecretId::new(now.as_millis(), engine.random.bytes()?);
        let digest = engine.peppers.digest_of_sha256(&entry.sha256);
        engine.imports.add(&digest);
        secrets.push((id, key, digest, &entry.display));
    }
    let stored: Vec<KeyId> = on!(tx.on(), c => {
        let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        for (id, key, digest, display) in &secrets {
            query = query
                .bind(id).bind(*key).bind(digest.as_bytes()).bind(engine.peppers.current_version()).bind(now)
                .bind(*display).bind(true);
        }
        query.fetch_all(c).await
    })?;
    Ok(stored.into_iter().collect())
}
