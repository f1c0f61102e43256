//! Which keys were imported: only one of them may be what looks like a mistyped key of ours.
//!
//! A key with a wrong checksum is refused without asking the database (design §3). A key that was created elsewhere may have
//! our prefix and our length and no checksum, so a text whose digest is that of an imported key, and only that, is looked
//! up: what one org imports costs the mistyped keys of others nothing. Digests in memory take up some 16 bytes each.

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

/// Digests that one statement reads.
const KEYS_AT_ONCE: usize = 500;

/// Whether imported keys exist, cached in memory.
#[derive(Debug, Default)]
pub(crate) struct Imports(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The first bytes of each digest. Those of keys that are gone remain: a look-up of such a text finds nothing.
    digests: HashSet<u64>,
    is_read: bool,
    /// How often imports may have been missed, since nobody listened.
    missed: u64,
    /// Whether some may be missing now: then every text is looked up.
    is_incomplete: bool,
}

impl Imports {
    /// Whether one of these digests may be that of an imported key.
    pub(crate) fn may_hold(&self, mut digests: impl Iterator<Item = KeyDigest>) -> bool {
        let known = self.read();
        known.is_incomplete || digests.any(|digest| known.digests.contains(&front(&digest)))
    }

    /// Notes the digest of a key, before it is imported.
    pub(crate) fn add(&self, digest: &KeyDigest) {
        self.write().digests.insert(front(digest));
    }

    /// Notes that others may have imported keys that are not known here.
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

/// A digest is uniformly distributed, and so are its first bytes.
fn front(digest: &KeyDigest) -> u64 {
    let first = digest.as_bytes().first_chunk();
    first.copied().map_or(0, u64::from_le_bytes)
}

/// Reads what was imported before this instance started, and what it may have missed; nothing where all is known.
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
