//! Where the log begins: position and hash of the last entry that retention deleted, authenticated by an HMAC under a key
//! derived from the pepper. Without it, anyone who can write to the database could move the beginning forward and delete
//! the entries before it.
//!
//! The beginning of a log from which nothing was deleted needs no HMAC: its position is 0 and its hash is all zeros, which
//! only the first entry follows. Anything else without one is invalid. It is never taken on trust, since a missing HMAC may
//! have been removed: where an earlier version deleted entries, the operator accepts the beginning once, with
//! `latchkey audit seal`.

use crate::{
    Engine,
    db::{Db, StorageError, Tx, on, select_locked},
    key::digest::Peppers,
};

/// The hash of the beginning from which nothing was deleted.
const NO_HASH: [u8; 32] = [0; 32];
const SELECT: &str = "SELECT position, hash, pepper_version, mac FROM audit_checkpoint";

/// The beginning of the log.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Checkpoint {
    /// The position of the last deleted entry; 0 when none was deleted.
    pub position: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// The number of the pepper that the HMAC is made with.
    pub pepper_version: Option<i32>,
    mac: Option<Vec<u8>>,
}

/// Why the beginning of the log is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCheckpoint {
    /// It is not what was stored.
    #[error(
        "The start of the audit log was changed. It is set to position {0}, which Latchkey did not do. Entries up to this \
         position may be missing."
    )]
    Changed(i64),
    /// It has no HMAC.
    #[error(
        "The start of the audit log is not authenticated. It is set to position {0}, and entries up to this position may \
         be missing. If an earlier version of Latchkey deleted them because of `audit_days`, run `latchkey audit seal` once."
    )]
    NotSealed(i64),
    /// Entries were deleted, and it says that none were.
    #[error(
        "The start of the audit log was changed. It is set to position 0, but Latchkey has deleted old entries before. \
         Entries may be missing."
    )]
    Reset,
    /// An entry is where there can be none.
    #[error(
        "The audit log starts after position {start}, but has an entry at position {entry}. Latchkey did not write it there."
    )]
    EntryBefore {
        /// The position of the last entry that retention deleted, or 0.
        start: i64,
        /// The highest position at which there is such an entry.
        entry: i64,
    },
    /// Its HMAC was made under a pepper that the settings do not have.
    #[error("The start of the audit log needs pepper {0}. Add it to LATCHKEY_OLDER_PEPPERS.")]
    NoPepper(i32),
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Checkpoint {
    /// Reads it, without a check.
    pub async fn read(db: &Db) -> Result<Self, StorageError> {
        Ok(on!(db.read(), c => sqlx::query_as(SELECT).fetch_one(c).await)?)
    }

    /// The same in a transaction.
    pub async fn read_in(tx: &mut Tx) -> Result<Self, StorageError> {
        Ok(on!(tx.on(), c => sqlx::query_as(SELECT).fetch_one(c).await)?)
    }

    /// Reads it and keeps others from moving it until the transaction ends.
    pub async fn lock(tx: &mut Tx) -> Result<Self, StorageError> {
        let found: Option<Self> = select_locked!(
            tx,
            "SELECT position, hash, pepper_version, mac FROM audit_checkpoint WHERE only_row = $1",
            1
        )?;
        found.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Checks that it is what was stored.
    pub fn check(&self, peppers: &Peppers) -> Result<(), InvalidCheckpoint> {
        let (Some(version), Some(mac)) = (self.pepper_version, &self.mac) else {
            return if self.position != 0 {
                Err(InvalidCheckpoint::NotSealed(self.position))
            } else if self.hash != NO_HASH {
                Err(InvalidCheckpoint::Changed(self.position))
            } else {
                Ok(())
            };
        };
        match peppers.checkpoint_mac(version, self.position, &self.hash) {
            None => Err(InvalidCheckpoint::NoPepper(version)),
            Some(expected) if expected == *mac => Ok(()),
            Some(_) => Err(InvalidCheckpoint::Changed(self.position)),
        }
    }

    /// Checks that no entry is before the beginning, where nobody who reads on from there would see it, and that nothing
    /// says that entries were deleted when there is nothing before it.
    pub async fn check_before(&self, db: &Db) -> Result<(), InvalidCheckpoint> {
        const SQL: &str = "SELECT (SELECT MAX(position) FROM audit_log WHERE position <= $1), \
             EXISTS (SELECT 1 FROM audit_deleted_seqs) AND EXISTS (SELECT 1 FROM audit_checkpoint WHERE position = 0)";
        let (entry, is_reset): (Option<i64>, bool) = on!(db.read(), c => sqlx::query_as(SQL)
            .bind(self.position).fetch_one(c).await)
        .map_err(StorageError::from)?;
        match entry {
            Some(entry) => Err(InvalidCheckpoint::EntryBefore {
                start: self.position,
                entry,
            }),
            None if is_reset => Err(InvalidCheckpoint::Reset),
            None => Ok(()),
        }
    }

    /// Stores position and hash with an HMAC under the current pepper.
    pub async fn store(
        tx: &mut Tx,
        peppers: &Peppers,
        position: i64,
        hash: &[u8],
    ) -> Result<(), StorageError> {
        const SQL: &str =
            "UPDATE audit_checkpoint SET position = $1, hash = $2, pepper_version = $3, mac = $4";
        let version = peppers.current_version();
        let mac = peppers.checkpoint_mac(version, position, hash);
        on!(tx.on(), c => sqlx::query(SQL)
            .bind(position).bind(hash).bind(version).bind(mac).execute(c).await.map(drop))?;
        Ok(())
    }
}

/// Checks that the log begins where retention left it. Reads two rows.
///
/// # Errors
/// When it does not.
pub async fn check_beginning(db: &Db, peppers: &Peppers) -> Result<(), InvalidCheckpoint> {
    let checkpoint = Checkpoint::read(db).await?;
    checkpoint.check(peppers)?;
    checkpoint.check_before(db).await
}

/// Accepts the beginning that an earlier version left without an HMAC, and returns its position; `None` when it has one or
/// needs none.
///
/// # Errors
/// When it has an HMAC that does not fit.
pub async fn seal(engine: &Engine) -> Result<Option<i64>, InvalidCheckpoint> {
    let mut tx = engine.db.begin_unrecorded().await?;
    let checkpoint = Checkpoint::lock(&mut tx).await?;
    match checkpoint.check(&engine.peppers) {
        Ok(()) => Ok(None),
        Err(InvalidCheckpoint::NotSealed(position)) => {
            Checkpoint::store(&mut tx, &engine.peppers, position, &checkpoint.hash).await?;
            tx.commit().await?;
            Ok(Some(position))
        }
        Err(error) => Err(error),
    }
}
