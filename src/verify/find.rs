//! Finds keys by text, agents by public ID and orgs by ID, in the cache or else in the database.

mod read;

use std::sync::Arc;

use crate::{
    Engine,
    agents::PublicId,
    db::StorageError,
    id::{AgentId, KeyId, OrgId, SecretId},
    key::{digest::KeyDigest, text::PlainKey},
    peppers::StoredAs,
};

use super::{
    cache::{Led, Lookup},
    decide::usable,
    known_agent::KnownAgent,
    known_key::KnownKey,
    known_org::KnownOrg,
    now::Now,
    request::Request,
};

/// A key and the other records needed for the decision.
pub(super) struct Found {
    pub key: Arc<KnownKey>,
    /// The ID of the secret that was sent.
    pub secret_id: SecretId,
    pub org: Arc<KnownOrg>,
    /// The requested agent, if it was found. Not looked up for a key that does not work.
    pub agent: Option<Arc<KnownAgent>>,
}

/// Finds the key with this plaintext, its org and the requested agent, if the request can access them. A key without an
/// org counts as not found.
pub(super) async fn all_of_key(
    engine: &Engine,
    presented: &PlainKey,
    request: &Request<'_>,
    now: Now,
) -> Result<Option<Found>, StorageError> {
    let key = key(engine, presented, now).await?;
    let Some((key, secret_id)) = key.filter(|(key, _)| request.reaches(key.org_id)) else {
        return Ok(None);
    };
    let Some(org) = org(engine, key.org_id, now).await? else {
        return Ok(None);
    };
    let agent = match request.agent {
        Some(public_id) if usable(&key, secret_id, now.wall).is_ok() => {
            let agent = agent(engine, public_id, now).await?;
            agent.filter(|agent| request.reaches(agent.org_id))
        }
        _ => None,
    };
    Ok(Some(Found {
        key,
        secret_id,
        org,
        agent,
    }))
}

/// Finds the agent with this public ID and its org, if the request can access them.
pub(super) async fn all_of_agent(
    engine: &Engine,
    public_id: &str,
    request: &Request<'_>,
    now: Now,
) -> Result<Option<(Arc<KnownAgent>, Arc<KnownOrg>)>, StorageError> {
    let agent = agent(engine, public_id, now).await?;
    let Some(agent) = agent.filter(|agent| request.reaches(agent.org_id)) else {
        return Ok(None);
    };
    let org = org(engine, agent.org_id, now).await?;
    Ok(org.map(|org| (agent, org)))
}

/// Finds the key with this text, and which of its secrets the text is.
async fn key(
    engine: &Engine,
    presented: &PlainKey,
    now: Now,
) -> Result<Option<(Arc<KnownKey>, SecretId)>, StorageError> {
    // A single iteration, unless peppers were rotated.
    let mut unasked = None;
    for digest in engine.peppers.digests(presented) {
        match engine.cache.secrets.get(&digest, now.monotonic) {
            Led::To((id, secret_id)) => {
                let known = key_by_id(engine, id, now).await?;
                return Ok(known.map(|key| (key, secret_id)));
            }
            Led::Nowhere => {}
            Led::Unasked(epoch) => {
                unasked.get_or_insert(epoch);
            }
        }
    }
    let Some(epoch) = unasked else {
        return Ok(None);
    };
    let Some((id, secret_id)) = secret(engine, presented, now, epoch).await? else {
        return Ok(None);
    };
    let mut known = key_by_id(engine, id, now).await?;
    // The cached key may be outdated, because another instance has just rotated it. Reload it, so that the new secret
    // works.
    if known
        .as_ref()
        .is_some_and(|key| !key.has_secret(secret_id, now.wall))
    {
        engine.cache.forget_key(id);
        known = key_by_id(engine, id, now).await?;
    }
    Ok(known.map(|key| (key, secret_id)))
}

/// Looks up the key and secret of a text and caches their IDs. One statement looks up the digests under all peppers:
/// between two statements, the digest could be moved to another pepper and be missed by both.
async fn secret(
    engine: &Engine,
    presented: &PlainKey,
    now: Now,
    epoch: u64,
) -> Result<Option<(KeyId, SecretId)>, StorageError> {
    let secrets = &engine.cache.secrets;
    let digests: Vec<KeyDigest> = engine.peppers.digests(presented).collect();
    let look_ups = &engine.cache.look_ups.secrets;
    let found = look_ups
        .find(digests.clone(), engine, read::secrets)
        .await?;
    let Some((stored, (id, secret_id))) = found else {
        for digest in digests {
            secrets.remember_unknown(digest, now.monotonic, epoch);
        }
        return Ok(None);
    };
    secrets.remember(stored, (id, secret_id));
    engine
        .outdated
        .note_unless_current(StoredAs::Secret(secret_id), stored, &digests);
    Ok(Some((id, secret_id)))
}

async fn key_by_id(
    engine: &Engine,
    id: KeyId,
    now: Now,
) -> Result<Option<Arc<KnownKey>>, StorageError> {
    let seat = match engine.cache.keys.lookup(&id, now.stale).await {
        Lookup::Known(known) => return Ok(Some(known)),
        Lookup::Load(seat) => seat,
    };
    let look_ups = &engine.cache.look_ups.keys;
    let Some((_, known)) = look_ups.find(vec![id], engine, read::keys).await? else {
        return Ok(None);
    };
    seat.fill(Arc::clone(&known), now.monotonic);
    Ok(Some(known))
}

/// Finds the agent with this public ID. A text that is not a valid public ID is not looked up.
async fn agent(
    engine: &Engine,
    public_id: &str,
    now: Now,
) -> Result<Option<Arc<KnownAgent>>, StorageError> {
    let Ok(public_id) = public_id.parse::<PublicId>() else {
        return Ok(None);
    };
    let public_ids = &engine.cache.public_ids;
    let id = match public_ids.get(&public_id, now.monotonic) {
        Led::To(id) => id,
        Led::Nowhere => return Ok(None),
        Led::Unasked(epoch) => {
            let look_ups = &engine.cache.look_ups.public_ids;
            let found = look_ups.find(vec![public_id], engine, read::public_ids);
            let Some((_, id)) = found.await? else {
                public_ids.remember_unknown(public_id, now.monotonic, epoch);
                return Ok(None);
            };
            public_ids.remember(public_id, id);
            id
        }
    };
    agent_by_id(engine, id, now).await
}

/// The agent with this public ID, if it is in memory.
pub(crate) fn agent_in_memory(engine: &Engine, public_id: &str) -> Option<Arc<KnownAgent>> {
    let id = engine.cache.public_ids.known(&public_id.parse().ok()?)?;
    engine.cache.agents.known(&id)
}

async fn agent_by_id(
    engine: &Engine,
    id: AgentId,
    now: Now,
) -> Result<Option<Arc<KnownAgent>>, StorageError> {
    let seat = match engine.cache.agents.lookup(&id, now.stale).await {
        Lookup::Known(known) => return Ok(Some(known)),
        Lookup::Load(seat) => seat,
    };
    let look_ups = &engine.cache.look_ups.agents;
    let Some((_, known)) = look_ups.find(vec![id], engine, read::agents).await? else {
        return Ok(None);
    };
    seat.fill(Arc::clone(&known), now.monotonic);
    Ok(Some(known))
}

/// Finds the org of a key or an agent.
async fn org(engine: &Engine, id: OrgId, now: Now) -> Result<Option<Arc<KnownOrg>>, StorageError> {
    let seat = match engine.cache.orgs.lookup(&id, now.stale).await {
        Lookup::Known(known) => return Ok(Some(known)),
        Lookup::Load(seat) => seat,
    };
    let look_ups = &engine.cache.look_ups.orgs;
    let Some((_, known)) = look_ups.find(vec![id], engine, read::orgs).await? else {
        return Ok(None);
    };
    seat.fill(Arc::clone(&known), now.monotonic);
    Ok(Some(known))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::{
        EngineSettings,
        accounts::SignUpPolicy,
        clock::Clock,
        convention::Convention,
        db::Db,
        key::digest::{Pepper, Peppers},
        limits::Limits,
        orgs::OrgPolicy,
        random::Randomness,
    };

    #[tokio::test]
    async fn a_look_up_waits_for_no_connection_that_others_read_with() {
        let folder = std::env::temp_dir().join(format!("latchkey-look-up-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let db = Db::open(&format!("sqlite:{}/latchkey.db", folder.display())).await;
        let engine = Engine::start(EngineSettings {
            db: db.unwrap(),
            peppers: Peppers::new(Pepper::new(1, &[7; 32]).unwrap(), vec![]),
            convention: Convention::built_in("latchkey").unwrap(),
            sign_up: SignUpPolicy::Invite,
            organizations: OrgPolicy::Operators,
            cached_keys: 10,
            limits: Limits::default(),
            usage_kept: crate::usage::kept::Kept::default(),
            sends_mail: false,
            password_cost: Default::default(),
            clock: Clock::System,
            random: Randomness::System,
        })
        .unwrap();
        let mut held = Vec::new();
        let soon = Duration::from_millis(200);
        while let Ok(snapshot) = timeout(soon, engine.db.begin_snapshot()).await {
            held.push(snapshot.unwrap());
        }
        let now = Now::of(&engine);
        let unknown = PlainKey::from_presented("made elsewhere");
        assert!(key(&engine, &unknown, now).await.unwrap().is_none());
        drop(held);
        engine.db.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
