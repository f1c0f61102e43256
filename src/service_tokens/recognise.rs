//! Look-up of presented service tokens, in the cache, otherwise in the database.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use super::{PREFIX, RANDOM_CHARACTERS, TokenScope, token::ServiceToken};
use crate::{
    Engine,
    clock::Monotonic,
    convention::CHECKSUM_CHARACTERS,
    db::{StorageError, on, places},
    id::{OrgId, ServiceTokenId, UserId},
    key::{digest::KeyDigest, text::PlainKey},
    peppers::StoredAs,
    time::{MINUTE, Timestamp},
    verify::cache::Led,
};

#[derive(sqlx::FromRow)]
struct Row {
    id: ServiceTokenId,
    scope: TokenScope,
    org_id: Option<OrgId>,
    created_by: Option<UserId>,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    digest: Vec<u8>,
}

/// Returns the valid service token with this plaintext, if there is one. Known tokens are read from the cache.
///
/// # Errors
/// If the token is not cached and the database cannot be reached.
pub async fn recognise(
    engine: &Engine,
    presented: &PlainKey,
) -> Result<Option<Arc<ServiceToken>>, StorageError> {
    if !is_shaped_like_one(presented) {
        return Ok(None);
    }
    let monotonic = engine.clock.monotonic();
    let found = match held(engine, presented, monotonic) {
        Some(token) => Some(token),
        None => read(engine, presented, monotonic).await?,
    };
    Ok(found.filter(|token| token.is_used(engine.clock.now())))
}

fn is_shaped_like_one(presented: &PlainKey) -> bool {
    presented.expose().starts_with(PREFIX)
        && presented.expose().len() == PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
        && presented.has_checksum()
}

fn held(engine: &Engine, presented: &PlainKey, now: Monotonic) -> Option<Arc<ServiceToken>> {
    let mut digests = engine.peppers.digests(presented);
    digests.find_map(|digest| engine.cache.service_token(&digest, now))
}

/// Looks up a token that is not revoked, and caches it. One statement looks up the digests under all peppers: between two
/// statements, the digest could move from one pepper to another and be found under neither.
async fn read(
    engine: &Engine,
    presented: &PlainKey,
    now: Monotonic,
) -> Result<Option<Arc<ServiceToken>>, StorageError> {
    let unknown = &engine.cache.unknown_tokens;
    let digests: Vec<KeyDigest> = engine.peppers.digests(presented).collect();
    let unasked = digests
        .iter()
        .find_map(|digest| match unknown.get(digest, now) {
            Led::Unasked(epoch) => Some(epoch),
            Led::Nowhere | Led::To(()) => None,
        });
    let Some(epoch) = unasked else {
        return Ok(None);
    };
    // Read before the query, so that a token that is revoked in the meantime is not cached.
    let changes = engine.cache.changes();
    let look_ups = &engine.cache.look_ups.service_tokens;
    let found = look_ups.find(digests.clone(), engine, tokens).await?;
    let Some((digest, token)) = found else {
        for digest in digests {
            unknown.remember_unknown(digest, now, epoch);
        }
        return Ok(None);
    };
    engine
        .outdated
        .note_unless_current(StoredAs::Token(token.id), digest, &digests);
    engine
        .cache
        .remember_service_token(digest, &token, now, changes);
    Ok(Some(token))
}

/// Reads tokens that are not revoked.
async fn tokens(
    engine: Engine,
    digests: Vec<KeyDigest>,
) -> Result<HashMap<KeyDigest, Arc<ServiceToken>>, StorageError> {
    let sql = format!(
        "SELECT id, scope, org_id, created_by, expires_at, last_used_at, digest FROM service_tokens \
         WHERE digest IN ({}) AND revoked_at IS NULL AND NOT EXISTS (SELECT 1 FROM orgs \
         WHERE orgs.id = service_tokens.org_id AND orgs.deleted_at IS NOT NULL)",
        places(1, digests.len())
    );
    let rows: Vec<Row> = on!(engine.db.verification(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
        for digest in &digests {
            query = query.bind(digest.as_bytes());
        }
        query.fetch_all(c).await
    })?;
    let known = |row: Row| {
        let digest = KeyDigest::try_from(row.digest).map_err(StorageError::unreadable)?;
        let stored = row.last_used_at.map_or(0, Timestamp::as_millis);
        let token = ServiceToken {
            id: row.id,
            scope: row.scope,
            org_id: row.org_id,
            created_by: row.created_by,
            expires_at: row.expires_at,
            last_used_at: AtomicI64::new(stored),
            stored_last_used_at: AtomicI64::new(stored),
        };
        Ok((digest, Arc::new(token)))
    };
    rows.into_iter().map(known).collect()
}

/// Stores when tokens were last used. A token in constant use is written once a minute.
///
/// # Errors
/// If the database cannot be reached. The next call tries again.
pub async fn store_last_use(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE service_tokens SET last_used_at = $1 \
         WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
    for token in engine.cache.service_tokens() {
        let used = token.last_used_at.load(Ordering::Relaxed);
        if used - token.stored_last_used_at.load(Ordering::Relaxed) < MINUTE {
            continue;
        }
        on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
            .bind(used).bind(token.id).execute(c).await.map(drop))?;
        token.stored_last_used_at.store(used, Ordering::Relaxed);
    }
    Ok(())
}
