//! The statements that read what is not cached. Each reads what several verifications wait for (`look_ups.rs`).

use std::{collections::HashMap, sync::Arc};

use crate::{
    Engine,
    agents::PublicId,
    db::{StorageError, on},
    id::{AgentId, KeyId, OrgId, SecretId},
    key::digest::KeyDigest,
    rate_limit::{Holder, Windows},
    time::Timestamp,
    verify::{
        known_agent::{self, KnownAgent},
        known_key::{self, KnownKey},
        known_org::{self, KnownOrg},
    },
};

/// Runs a statement on the connections of verification, with a list as its last parameters, after another parameter if there
/// is one.
macro_rules! rows {
    ($engine:expr, $sql:expr, $list:expr $(, after $bind:expr)?) => {
        on!($engine.db.verification(), c => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe($sql));
            $(query = query.bind($bind);)?
            for element in $list {
                query = query.bind(element);
            }
            query.fetch_all(c).await
        })
    };
}

/// Reads which digests lead to secrets, and to which.
pub(super) async fn secrets(
    engine: Engine,
    digests: Vec<KeyDigest>,
) -> Result<HashMap<KeyDigest, (KeyId, SecretId)>, StorageError> {
    let sql = known_key::select_by_digest(digests.len());
    let rows: Vec<(Vec<u8>, KeyId, SecretId)> =
        rows!(engine, sql, digests.iter().map(KeyDigest::as_bytes))?;
    let known = |(stored, key, secret)| {
        let stored: Vec<u8> = stored;
        let stored = KeyDigest::try_from(stored).map_err(StorageError::unreadable)?;
        Ok((stored, (key, secret)))
    };
    rows.into_iter().map(known).collect()
}

/// Reads keys with their secrets that work.
pub(super) async fn keys(
    engine: Engine,
    ids: Vec<KeyId>,
) -> Result<HashMap<KeyId, Arc<KnownKey>>, StorageError> {
    let rows: Vec<known_key::Row> = rows!(engine, known_key::select(ids.len()), &ids)?;
    let now = engine.clock.now();
    let sql = known_key::select_secrets(ids.len());
    let secrets: Vec<(KeyId, SecretId, Option<Timestamp>)> = rows!(engine, sql, &ids, after now)?;
    let mut of_keys: HashMap<KeyId, Vec<_>> = HashMap::new();
    for (key, id, ends_at) in secrets {
        of_keys.entry(key).or_default().push((id, ends_at));
    }
    let known = |row: known_key::Row| {
        let id = row.id;
        let secrets = of_keys.remove(&id).unwrap_or_default();
        let known = KnownKey::from_row(row, secrets, windows(&engine, Holder::Key(id)))?;
        Ok((id, Arc::new(known)))
    };
    rows.into_iter().map(known).collect()
}

/// Reads which public IDs lead to agents, and to which.
pub(super) async fn public_ids(
    engine: Engine,
    public_ids: Vec<PublicId>,
) -> Result<HashMap<PublicId, AgentId>, StorageError> {
    let sql = known_agent::select_by_public_id(public_ids.len());
    let rows: Vec<(PublicId, AgentId)> = rows!(engine, sql, public_ids)?;
    Ok(rows.into_iter().collect())
}

/// Reads agents.
pub(super) async fn agents(
    engine: Engine,
    ids: Vec<AgentId>,
) -> Result<HashMap<AgentId, Arc<KnownAgent>>, StorageError> {
    let rows: Vec<known_agent::Row> = rows!(engine, known_agent::select(ids.len()), ids)?;
    let known = |row: known_agent::Row| {
        let id = row.id;
        let known = KnownAgent::from_row(row, windows(&engine, Holder::Agent(id)))?;
        Ok((id, Arc::new(known)))
    };
    rows.into_iter().map(known).collect()
}

/// Reads orgs.
pub(super) async fn orgs(
    engine: Engine,
    ids: Vec<OrgId>,
) -> Result<HashMap<OrgId, Arc<KnownOrg>>, StorageError> {
    let rows: Vec<KnownOrg> = rows!(engine, known_org::select(ids.len()), ids)?;
    let known = rows.into_iter().map(|org| (org.id, Arc::new(org)));
    Ok(known.collect())
}

fn windows(engine: &Engine, holder: Holder) -> Arc<Windows> {
    engine
        .rate_limits
        .of(holder, &engine.convention, engine.clock.monotonic())
}
