//! Idempotency keys: a request that makes something and is sent again, because its answer was lost, makes it once.
//!
//! What is kept is not the answer, which may hold a plain key, but the creation token under which the thing is created.
//! The same request gets the same token, and whatever creates the thing finds that it was created.
//!
//! A request that made nothing [releases](release) its key: the corrected request may come under the same one. The token
//! stays, so that however requests under one key overlap, one thing is created.

use sha2::{Digest, Sha256};

use crate::{
    Engine,
    db::{StorageError, on},
    fault::{Fault, from_fault},
    id::ServiceTokenId,
    keys::create::new_creation_token,
    time::{DAY, Timestamp},
};

/// For how many milliseconds a key stands for its request.
pub const KEPT_FOR: i64 = DAY;

/// What tells one request from another: a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Why a request may not go on.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The key came with another request before.
    #[error(
        "This Idempotency-Key was already used with a different request. Use a new key for each object that you create."
    )]
    Reused,
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ClaimError);

impl Fingerprint {
    /// The fingerprint of a request.
    pub fn new(method: &str, path: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes(), body] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// What stands in place of a fingerprint where a key stands for no request, since the one that it came with made nothing.
const RELEASED: &[u8] = &[];

/// The creation token of the request that `key` stands for: a new one, or that of the request before.
///
/// # Errors
/// [`ClaimError::Reused`] when it stands for another request.
pub async fn claim(
    engine: &Engine,
    service_token: ServiceTokenId,
    key: &str,
    fingerprint: &Fingerprint,
) -> Result<String, ClaimError> {
    let now = engine.clock.now();
    let new = new_creation_token(engine)?;
    let mut tx = engine.db.begin_unrecorded().await?;
    const FORGET: &str = "DELETE FROM idempotency_keys \
         WHERE service_token_id = $1 AND idempotency_key = $2 AND created_at <= $3";
    on!(tx.on(), c => sqlx::query(FORGET)
        .bind(service_token).bind(key).bind(now.plus(-KEPT_FOR)).execute(c).await.map(drop))?;
    // Of two that come at once, the second waits here until the first is stored.
    const CLAIM: &str = "INSERT INTO idempotency_keys \
         (service_token_id, idempotency_key, fingerprint, creation_token, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (service_token_id, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint \
         WHERE idempotency_keys.fingerprint = $6";
    on!(tx.on(), c => sqlx::query(CLAIM)
        .bind(service_token).bind(key).bind(&fingerprint.0[..]).bind(&new).bind(now).bind(RELEASED).execute(c).await.map(drop))?;
    const SELECT: &str = "SELECT fingerprint, creation_token FROM idempotency_keys \
         WHERE service_token_id = $1 AND idempotency_key = $2";
    let (claimed_for, creation_token): (Vec<u8>, String) = on!(tx.on(), c => sqlx::query_as(SELECT)
        .bind(service_token).bind(key).fetch_one(c).await)?;
    tx.commit().await?;
    if claimed_for == fingerprint.0 {
        Ok(creation_token)
    } else {
        Err(ClaimError::Reused)
    }
}

/// Lets another request come under a key whose request made nothing.
///
/// # Errors
/// When the database cannot be asked; the key then goes on standing for its request.
pub async fn release(
    engine: &Engine,
    service_token: ServiceTokenId,
    key: &str,
    fingerprint: &Fingerprint,
) -> Result<(), StorageError> {
    const RELEASE: &str = "UPDATE idempotency_keys SET fingerprint = $1 \
         WHERE service_token_id = $2 AND idempotency_key = $3 AND fingerprint = $4";
    on!(engine.db.write_unrecorded(), c => sqlx::query(RELEASE)
        .bind(RELEASED).bind(service_token).bind(key).bind(&fingerprint.0[..]).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes the keys that no longer stand for anything.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE created_at <= $1";
    let before: Timestamp = engine.clock.now().plus(-KEPT_FOR);
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(before).execute(c).await.map(drop))?;
    Ok(())
}
