//! Finding a key by its text and an agent by its public ID: in memory, else in the database.

use std::sync::Arc;

use crate::{
    Engine,
    agents::PublicId,
    db::{StorageError, on},
    key::{digest::KeyDigest, text::PlainKey},
    rate_limit::{Holder, Windows},
    time::Timestamp,
};

use super::{
    cache::Lookup,
    known_agent::{self, KnownAgent},
    known_key::{self, KnownKey},
};

/// The key with this text, if there is one.
pub(super) async fn key(
    engine: &Engine,
    presented: &PlainKey,
    now: Timestamp,
) -> Result<Option<Arc<KnownKey>>, StorageError> {
    // One turn, unless peppers were rotated and some keys are still stored under an older one.
    for digest in engine.peppers.digests(presented) {
        if let Some(known) = key_by_digest(engine, digest, now).await? {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

async fn key_by_digest(
    engine: &Engine,
    digest: KeyDigest,
    now: Timestamp,
) -> Result<Option<Arc<KnownKey>>, StorageError> {
    let memory = &engine.cache.keys;
    let seat = match memory.lookup(&digest, now).await {
        Lookup::Known(known) => return Ok(Some(known)),
        Lookup::Unknown => return Ok(None),
        Lookup::Load(seat) => seat,
    };
    let row: Option<known_key::Row> = on!(engine.db.read(), c => sqlx::query_as(known_key::SELECT_BY_DIGEST)
        .bind(digest.as_bytes()).fetch_optional(c).await)?;
    match row {
        Some(row) => {
            let windows = windows(engine, Holder::Key(row.id), now);
            let known = Arc::new(KnownKey::from_row(row, windows)?);
            seat.fill(Arc::clone(&known), now);
            Ok(Some(known))
        }
        None => {
            memory.remember_unknown(digest, now);
            Ok(None)
        }
    }
}

/// The agent with this public ID, if there is one. A text that is no public ID is not looked up.
pub(super) async fn agent(
    engine: &Engine,
    public_id: &str,
    now: Timestamp,
) -> Result<Option<Arc<KnownAgent>>, StorageError> {
    let Ok(public_id) = public_id.parse::<PublicId>() else {
        return Ok(None);
    };
    let memory = &engine.cache.agents;
    let seat = match memory.lookup(&public_id, now).await {
        Lookup::Known(known) => return Ok(Some(known)),
        Lookup::Unknown => return Ok(None),
        Lookup::Load(seat) => seat,
    };
    let row: Option<known_agent::Row> = on!(engine.db.read(), c => sqlx::query_as(known_agent::SELECT_BY_PUBLIC_ID)
        .bind(public_id).fetch_optional(c).await)?;
    match row {
        Some(row) => {
            let windows = windows(engine, Holder::Agent(row.id), now);
            let known = Arc::new(KnownAgent::from_row(row, windows)?);
            seat.fill(Arc::clone(&known), now);
            Ok(Some(known))
        }
        None => {
            memory.remember_unknown(public_id, now);
            Ok(None)
        }
    }
}

fn windows(engine: &Engine, holder: Holder, now: Timestamp) -> Arc<Windows> {
    engine.rate_limits.of(holder, &engine.convention, now)
}
