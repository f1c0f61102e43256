//! Finding a key by its text: in memory, else in the database.

use std::sync::Arc;

use crate::{
    Engine,
    db::{StorageError, on},
    key::{digest::KeyDigest, text::PlainKey},
    time::Timestamp,
};

use super::{
    cache::Lookup,
    known_key::{KnownKey, Row, SELECT_BY_DIGEST},
};

/// The key with this text, if there is one.
pub(super) async fn find(
    engine: &Engine,
    presented: &PlainKey,
    now: Timestamp,
) -> Result<Option<Arc<KnownKey>>, StorageError> {
    // One turn, unless peppers were rotated and some keys are still stored under an older one.
    for digest in engine.peppers.digests(presented) {
        if let Some(known) = find_digest(engine, digest, now).await? {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

async fn find_digest(
    engine: &Engine,
    digest: KeyDigest,
    now: Timestamp,
) -> Result<Option<Arc<KnownKey>>, StorageError> {
    let seat = match engine.cache.lookup(&digest, now).await {
        Lookup::Known(known) => return Ok(Some(known)),
        Lookup::Unknown => return Ok(None),
        Lookup::Load(seat) => seat,
    };
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(SELECT_BY_DIGEST)
        .bind(digest.as_bytes()).fetch_optional(c).await)?;
    match row {
        Some(row) => {
            let known = Arc::new(KnownKey::from_row(row, now)?);
            seat.fill(Arc::clone(&known));
            Ok(Some(known))
        }
        None => {
            engine.cache.remember_unknown(digest, now);
            Ok(None)
        }
    }
}
