//! The digests of imported keys, which decide whether a text that looks like a mistyped key is looked up.
//!
//! A key with an invalid checksum is rejected without a query (design §3). A key that was created elsewhere can have
//! our prefix and length without a checksum, so such a text is looked up if its digest is that of an imported key. The
//! imports of one org therefore do not slow down the mistyped keys of others. A digest takes about 16 bytes of memory.

use std::{
    collections::HashSet,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use futures_util::TryStreamExt as _;

use crate::{
    Engine,
    db::{StorageError, on, places},
    id::KeyId,
    key::digest::KeyDigest,
};

/// The number of digests that one query reads.
const KEYS_AT_ONCE: usize = 500;

/// Whether imported keys exist, cached in memory.
#[derive(Debug, Default)]
pub(crate) struct Imports(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The first bytes of each digest. Digests of deleted keys remain: the look-up finds nothing.
    digests: HashSet<u64>,
    is_read: bool,
    /// How often imports may have been missed because the feed was interrupted.
    missed: u64,
    /// Whether digests may be missing. If so, every text is looked up.
    is_incomplete: bool,
}

impl Imports {
    /// Whether one of these digests can be that of an imported key.
    pub(crate) fn may_hold(&self, mut digests: impl Iterator<Item = KeyDigest>) -> bool {
        let known = self.read();
        known.is_incomplete || digests.any(|digest| known.digests.contains(&front(&digest)))
    }

    /// Adds the digest of a key before the key is imported.
    pub(crate) fn add(&self, digest: &KeyDigest) {
        self.write().digests.insert(front(digest));
    }

    /// Notes that other instances may have imported keys that are unknown here.
    pub(crate) fn forget(&self) {
        let mut known = self.write();
        known.missed += 1;
        known.is_incomplete = true;
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first bytes of a digest, which are uniformly distributed like the digest.
fn front(digest: &KeyDigest) -> u64 {
    let first = digest.as_bytes().first_chunk();
    first.copied().map_or(0, u64::from_le_bytes)
}

/// Reads the digests of keys that were imported before this instance started or while the feed was interrupted. Does
/// nothing if all are known.
///
/// # Errors
/// If the database cannot be reached.
pub async fn refresh(engine: &Engine) -> Result<(), StorageError> {
    let missed = {
        let known = engine.imports.read();
        if known.is_read && !known.is_incomplete {
            return Ok(());
        }
        known.missed
    };
    const SQL: &str = "SELECT digest FROM key_secrets WHERE imported";
    let mut found = Vec::new();
    on!(engine.db.read(), c => {
        let mut rows = sqlx::query_scalar(SQL).fetch(c);
        while let Some(digest) = rows.try_next().await? {
            let digest: Vec<u8> = digest;
            found.push(front(&KeyDigest::try_from(digest).map_err(StorageError::unreadable)?));
        }
    });
    let mut known = engine.imports.write();
    known.digests.extend(found);
    known.is_read = true;
    known.is_incomplete = known.missed != missed;
    Ok(())
}

/// Reads the digests of keys that another process imported.
pub(crate) async fn learn(engine: &Engine, keys: &[KeyId]) -> Result<(), StorageError> {
    for keys in keys.chunks(KEYS_AT_ONCE) {
        let sql = format!(
            "SELECT digest FROM key_secrets WHERE imported AND key_id IN ({})",
            places(1, keys.len())
        );
        let found: Vec<Vec<u8>> = on!(engine.db.read(), c => {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
            for key in keys {
                query = query.bind(key);
            }
            query.fetch_all(c).await
        })?;
        for digest in found {
            let digest = KeyDigest::try_from(digest).map_err(StorageError::unreadable)?;
            engine.imports.add(&digest);
        }
    }
    Ok(())
}
