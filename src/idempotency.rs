//! Idempotency keys: if a request that creates something is sent again because its response was lost, it is created
//! only once.
//!
//! The key is stored as a digest, since people send secrets as one by mistake. The response is not stored, as it may contain a plaintext key. Instead, the creation token of the new object is
//! stored. A repeated request gets the same token, and the operation finds the object that was created with it.
//!
//! A failed request [releases](release) its key, so that the corrected request can use the same one. The token is
//! kept for the next [`MAX_RELEASED`] failed requests, so only one object is created however requests with one key overlap.
//! If the object is deleted, so that it can no longer be found, its deletion [notes](note_gone) that.

pub(crate) mod stored_key;

use sha2::{Digest, Sha256};

use self::stored_key::stored;
use crate::{
    Engine,
    change::Change,
    db::{StorageError, Tx, on},
    fault::{Fault, from_fault},
    id::ServiceTokenId,
    keys::create::new_creation_token,
    time::{DAY, Timestamp},
};

/// How long a key is kept, in milliseconds.
pub const KEPT_FOR: i64 = DAY;

/// The maximum number of released keys of a service token. What requests create has limits of its own, but anyone with a token can
/// send any number of requests that fail.
pub const MAX_RELEASED: i64 = 100;

/// The SHA-256 of a request, to recognize repetitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Why a request was rejected.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The key was already used with another request.
    #[error(
        "This Idempotency-Key was already used with a different request. Use a new key for each object that you create."
    )]
    Reused,
    /// The object that the request created was deleted since.
    #[error(
        "The object that this request created no longer exists. Use a new Idempotency-Key to create another one."
    )]
    Gone,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ClaimError);

impl Fingerprint {
    /// Computes the fingerprint of a request.
    pub fn new(method: &str, path: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [method.as_bytes(), path.as_bytes(), body] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// Fingerprint of a released key: its request failed, so the key can be reused.
const RELEASED: &[u8] = &[];

/// Claims `key` for a request, and returns the creation token: a new one, or the same as for the previous attempt.
///
/// # Errors
/// [`ClaimError::Reused`] if the key belongs to another request, and [`ClaimError::Gone`] if what the request created was
/// deleted.
pub async fn claim(
    engine: &Engine,
    service_token: ServiceTokenId,
    key: &str,
    fingerprint: &Fingerprint,
) -> Result<String, ClaimError> {
    let now = engine.clock.now();
    let key = stored(&service_token.to_string(), key);
    let new = new_creation_token(engine)?;
    let mut tx = engine.db.begin_unrecorded().await?;
    const FORGET: &str = "DELETE FROM idempotency_keys \
         WHERE service_token_id = $1 AND idempotency_key = $2 AND created_at <= $3";
    on!(tx.on(), c => sqlx::query(FORGET)
        .bind(service_token).bind(&key).bind(now.plus(-KEPT_FOR)).execute(c).await.map(drop))?;
    // If two requests arrive concurrently, the second waits here until the first is stored.
    const CLAIM: &str = "INSERT INTO idempotency_keys \
         (service_token_id, idempotency_key, fingerprint, creation_token, created_at, is_digest) VALUES ($1, $2, $3, $4, $5, TRUE) \
         ON CONFLICT (service_token_id, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint \
         WHERE idempotency_keys.fingerprint = $6";
    on!(tx.on(), c => sqlx::query(CLAIM)
        .bind(service_token).bind(&key).bind(&fingerprint.0[..]).bind(&new).bind(now).bind(RELEASED).execute(c).await.map(drop))?;
    const SELECT: &str = "SELECT fingerprint, creation_token, is_gone FROM idempotency_keys \
         WHERE service_token_id = $1 AND idempotency_key = $2";
    let (claimed_for, creation_token, is_gone): (Vec<u8>, String, bool) = on!(tx.on(), c => sqlx::query_as(SELECT)
        .bind(service_token).bind(&key).fetch_one(c).await)?;
    tx.commit().await?;
    match claimed_for == fingerprint.0 {
        true if is_gone => Err(ClaimError::Gone),
        true => Ok(creation_token),
        false => Err(ClaimError::Reused),
    }
}

/// Notes within a transaction that the object that was created with this token is deleted. A repeated request then does not
/// create another one.
pub(crate) async fn note_gone(
    tx: &mut Tx,
    creation_token: Option<&str>,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE idempotency_keys SET is_gone = TRUE WHERE creation_token = $1";
    if let Some(token) = creation_token {
        on!(tx.on(), c => sqlx::query(SQL).bind(token).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Releases the key of a failed request, so that another request can use it.
///
/// # Errors
/// If the database cannot be reached. The key then still belongs to its request.
pub async fn release(
    engine: &Engine,
    service_token: ServiceTokenId,
    key: &str,
    fingerprint: &Fingerprint,
) -> Result<(), StorageError> {
    const RELEASE: &str = "UPDATE idempotency_keys SET fingerprint = $1 \
         WHERE service_token_id = $2 AND idempotency_key = $3 AND fingerprint = $4";
    // As in the index's definition, since a parameter could have any value.
    const FORGET_OLDEST: &str = "DELETE FROM idempotency_keys \
         WHERE service_token_id = $1 AND length(fingerprint) = 0 AND (created_at, idempotency_key) <= \
         (SELECT created_at, idempotency_key FROM idempotency_keys \
         WHERE service_token_id = $1 AND length(fingerprint) = 0 \
         ORDER BY created_at DESC, idempotency_key DESC LIMIT 1 OFFSET $2)";
    let key = stored(&service_token.to_string(), key);
    on!(engine.db.write_unrecorded(), c => sqlx::query(RELEASE)
        .bind(RELEASED).bind(service_token).bind(&key).bind(&fingerprint.0[..]).execute(c).await.map(drop))?;
    on!(engine.db.write_unrecorded(), c => sqlx::query(FORGET_OLDEST)
        .bind(service_token).bind(MAX_RELEASED).execute(c).await.map(drop))?;
    Ok(())
}

/// Forgets the keys of a service token that is revoked: no request with it is accepted again, and whoever creates and revokes
/// tokens does not add to the database.
pub(crate) async fn forget(
    change: &mut Change,
    service_token: ServiceTokenId,
) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE service_token_id = $1";
    on!(change.on(), c => sqlx::query(SQL).bind(service_token).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes expired keys.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM idempotency_keys WHERE created_at <= $1";
    let before: Timestamp = engine.clock.now().plus(-KEPT_FOR);
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(before).execute(c).await.map(drop))?;
    Ok(())
}
