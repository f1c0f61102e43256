//! Digests move to the current pepper when their key is used, so that an older pepper is needed by fewer and fewer.
//!
//! A verification that finds a key under an older pepper notes it; the digest is stored in the background, with the counts.

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

/// Digests that are waiting at most. What finds no place stays under its pepper until it is read again, after a restart.
const MAX_WAITING: usize = 100_000;
/// Digests that one transaction moves: it keeps SQLite's other writers waiting.
const MOVED_AT_ONCE: usize = 500;

/// What a digest is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StoredAs {
    Secret(SecretId),
    Token(ServiceTokenId),
}

/// What was found under an older pepper, and its digest under the current one.
#[derive(Debug, Default)]
pub(crate) struct Outdated(Mutex<HashMap<StoredAs, KeyDigest>>);

impl Outdated {
    /// Notes what was just read from the database and is stored under another than the first of its `digests`, that of the
    /// current pepper. What is in memory has been noted before.
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

/// Stores under the current pepper what was found under an older one. What is not stored is tried again the next time.
///
/// # Errors
/// If the database cannot be reached.
pub async fn move_digests(engine: &Engine) -> Result<(), StorageError> {
    // Only to a higher number: while instances change over, some still have the older pepper as their current one.
    const SECRET: &str = "UPDATE key_secrets SET digest = $1, pepper_version = $2 WHERE id = $3 AND pepper_version < $2 \
         AND NOT EXISTS (SELECT 1 FROM key_secrets WHERE digest = $1)";
    const TOKEN: &str = "UPDATE service_tokens SET digest = $1, pepper_version = $2 WHERE id = $3 AND pepper_version < $2 \
         AND NOT EXISTS (SELECT 1 FROM service_tokens WHERE digest = $1)";
    let mut moved = engine.outdated.next();
    if moved.is_empty() {
        return Ok(());
    }
    // Two instances take their row locks in the same order.
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
