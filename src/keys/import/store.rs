//! Storing imported keys, and finding those that are stored already.

use std::collections::{HashMap, HashSet};

use super::{
    entry::Entry,
    report::{EntryReport, ImportError, Listed, Problem},
};
use crate::{
    Engine,
    access::{Permit, to},
    change::{Events, Happened},
    db::{StorageError, Tx, on, places},
    event::{Event, Target},
    id::{KeyId, OrgId, ProjectId, SecretId},
    key::digest::KeyDigest,
    keys::{
        project,
        store::{NewRow, insert},
    },
    limits::{Limited, check_added, check_more_domains},
    time::Timestamp,
};

/// What is said of a key that is stored already. Not where: it may be another org's.
const STORED_ALREADY: &str = "This key already exists and cannot be imported again.";
/// Digests that one statement looks for: SQLite and Postgres take far more parameters.
const DIGESTS_AT_ONCE: usize = 500;

/// The org's projects by name and by id.
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

/// Refuses the entries whose keys are stored, in whichever org and under whichever pepper.
pub(super) async fn refuse_stored(
    engine: &Engine,
    entries: &[Option<Entry>],
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
    let mut stored: HashSet<usize> = HashSet::new();
    for digests in digests.chunks(DIGESTS_AT_ONCE) {
        let sql = format!(
            "SELECT digest FROM key_secrets WHERE digest IN ({})",
            places(1, digests.len())
        );
        let found: Vec<Vec<u8>> = on!(engine.db.read(), c => {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
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

/// Stores every entry; false when one was stored meanwhile by someone else, which is then told and stores nothing.
pub(super) async fn store(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    entries: &[Entry],
    listed: &mut Listed,
    told: &mut [EntryReport],
) -> Result<bool, ImportError> {
    let now = engine.clock.now();
    let mut change = engine.change(permit).await?;
    let mut imported = Vec::with_capacity(entries.len());
    for (entry, told) in entries.iter().zip(told) {
        let digest = engine.peppers.digest_of_sha256(&entry.sha256);
        let id = insert_key(engine, change.tx(), permit, entry, now).await?;
        if !insert_secret(engine, change.tx(), id, entry, digest, now).await? {
            told.refuse(listed, stored_already());
            return Ok(false);
        }
        imported.push(Happened::new(Event::KeyImported, Target::Key(id)));
    }
    let (org_id, domains) = (permit.org_id(), entries.iter().map(Entry::domains).sum());
    check_added(engine, change.tx(), org_id, Limited::Keys).await??;
    check_more_domains(engine, change.tx(), org_id, 0, domains).await??;
    match Events::several(imported) {
        Some(events) => change.commit(events).await?,
        None => return Ok(false),
    }
    Ok(true)
}

async fn insert_key(
    engine: &Engine,
    tx: &mut Tx,
    permit: &Permit<to::CreateKeys>,
    entry: &Entry,
    now: Timestamp,
) -> Result<KeyId, ImportError> {
    let id = KeyId::new(now.as_millis(), engine.random.bytes()?);
    let mut settings = entry.settings.clone();
    settings.project = project::resolve(tx, permit.org_id(), settings.project).await?;
    let key = NewRow {
        id,
        org_id: permit.org_id(),
        kind: entry.kind,
        environment: entry.environment,
        display: &entry.display,
        created_at: now,
        created_by: permit.caller().actor.user_id(),
        creation_token: None,
    };
    insert(tx, &key, &settings).await?;
    Ok(id)
}

/// Stores the digest; false when it is there already.
async fn insert_secret(
    engine: &Engine,
    tx: &mut Tx,
    key: KeyId,
    entry: &Entry,
    digest: KeyDigest,
    now: Timestamp,
) -> Result<bool, ImportError> {
    let id = SecretId::new(now.as_millis(), engine.random.bytes()?);
    const INSERT: &str = "INSERT INTO key_secrets \
         (id, key_id, digest, pepper_version, created_at, display, imported) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO NOTHING";
    let inserted = on!(tx.on(), c => sqlx::query(INSERT)
        .bind(id).bind(key).bind(digest.as_bytes()).bind(engine.peppers.current_version()).bind(now)
        .bind(&entry.display).bind(true).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(inserted == 1)
}
