//! Moves digests to the current pepper when their key is used, so that fewer and fewer digests need an older pepper.
//!
//! A verification that finds a key under an older pepper queues it. The digest is updated in the background, together
//! with the usage counts.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    Engine,
    db::{StorageError, on},
    id::{SecretId, ServiceTokenId},
    key::digest::KeyDigest,
};

/// Maximum number of queued digests. Any others stay under their pepper until they are read again after a restart.
const MAX_WAITING: usize = 100_000;
/// Number of digests updated per transaction. SQLite's other writers wait for it.
const MOVED_AT_ONCE: usize = 500;

/// The owner of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StoredAs {
    Secret(SecretId),
    Token(ServiceTokenId),
}

/// The queue: owners found under an older pepper, with their digest under the current one.
#[derive(Debug, Default)]
pub(crate) struct Outdated(Mutex<HashMap<StoredAs, KeyDigest>>);

impl Outdated {
    /// Queues a digest just read from the database, unless it is stored under the current pepper, which is the first
    /// of `digests`. Cached keys do not need this, since they were queued when they were read.
    pub(crate) fn note_unless_current(
        &self,
        holder: StoredAs,
        stored: KeyDigest,
        digests: &[KeyDigest],
    ) {
        let Some(current) = digests.first().filter(|current| **current != stored) else {
            return;
        };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING {
            waiting.insert(holder, *current);
        }
    }

    fn next(&self) -> Vec<(StoredAs, KeyDigest)> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.iter().take(MOVED_AT_ONCE);
        next.map(|(holder, digest)| (*holder, *digest)).collect()
    }

    fn done(&self, moved: &[(StoredAs, KeyDigest)]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (holder, _) in moved {
            waiting.remove(holder);
        }
    }
}

/// Updates queued digests to the current pepper. Failed updates are retried on the next call.
///
/// # Errors
/// If the database cannot be reached.
pub async fn move_digests(engine: &Engine) -> Result<(), StorageError> {
    // Only upwards: while a new pepper is rolled out, some instances still use the older one as their current pepper.
    const SECRET: &str = "UPDATE key_secrets SET digest = $1, pepper_version = $2 WHERE id = $3 AND pepper_version < $2 \
         AND NOT EXISTS (SELECT 1 FROM key_secrets WHERE digest = $1)";
    const TOKEN: &str = "UPDATE service_tokens SET digest = $1, pepper_version = $2 WHERE id = $3 AND pepper_version < $2 \
         AND NOT EXISTS (SELECT 1 FROM service_tokens WHERE digest = $1)";
    let mut moved = engine.outdated.next();
    if moved.is_empty() {
        return Ok(());
    }
    // In the same order on all instances, so that their row locks cannot deadlock.
    moved.sort_unstable_by(|(_, a), (_, b)| a.as_bytes().cmp(b.as_bytes()));
    let version = engine.peppers.current_version();
    let mut tx = engine.db.begin_unrecorded().await?;
    for (holder, digest) in &moved {
        on!(tx.on(), c => match holder {
            StoredAs::Secret(id) => sqlx::query(SECRET).bind(digest.as_bytes()).bind(version).bind(*id).execute(c).await,
            StoredAs::Token(id) => sqlx::query(TOKEN).bind(digest.as_bytes()).bind(version).bind(*id).execute(c).await,
        }.map(drop))?;
    }
    tx.commit().await?;
    engine.outdated.done(&moved);
    tracing::debug!(
        count = moved.len(),
        pepper = version,
        "moved digests to the current pepper"
    );
    Ok(())
}
