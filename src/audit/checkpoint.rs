//! The beginning of the log: position and hash of the last entry that retention deleted, authenticated by an HMAC
//! under a key derived from the pepper. Without the HMAC, anyone who can write to the database could move the
//! beginning forward and delete the entries before it.
//!
//! If nothing was ever deleted, no HMAC is needed: the position is 0 and the hash is all zeros, which only the first
//! entry can follow. Any other beginning without an HMAC is invalid, since the HMAC may have been removed. After an
//! upgrade from a version that deleted entries without storing an HMAC, the operator accepts the beginning once, with
//! `latchkey audit seal`.

use crate::{
    Engine,
    db::{Db, StorageError, Tx, on, select_locked},
    key::digest::Peppers,
};

/// The hash while nothing has been deleted.
const NO_HASH: [u8; 32] = [0; 32];
const SELECT: &str = "SELECT position, hash, pepper_version, mac FROM audit_checkpoint";

/// The last entry up to the beginning, and whether there are traces of deleted entries although it is 0.
const BEFORE: &str = "SELECT (SELECT MAX(position) FROM audit_log WHERE position <= $1), \
     EXISTS (SELECT 1 FROM audit_deleted_seqs) AND EXISTS (SELECT 1 FROM audit_checkpoint WHERE position = 0)";

/// The beginning of the log.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Checkpoint {
    /// The position of the last deleted entry; 0 if none was deleted.
    pub position: i64,
    /// The hash of the last deleted entry.
    pub hash: Vec<u8>,
    /// The version of the pepper that the HMAC uses.
    pub pepper_version: Option<i32>,
    mac: Option<Vec<u8>>,
}

/// Why the beginning of the log is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCheckpoint {
    /// It differs from what was stored.
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
    /// It claims that nothing was deleted, but entries were.
    #[error(
        "The start of the audit log was changed. It is set to position 0, but Latchkey has deleted old entries before. \
         Entries may be missing."
    )]
    Reset,
    /// An entry exists before the beginning.
    #[error(
        "The audit log starts after position {start}, but has an entry at position {entry}. Latchkey did not write it there."
    )]
    EntryBefore {
        /// The position of the last deleted entry, or 0.
        start: i64,
        /// The highest position of such an entry.
        entry: i64,
    },
    /// The pepper of its HMAC is missing from the settings.
    #[error("The start of the audit log needs pepper {0}. Add it to LATCHKEY_OLDER_PEPPERS.")]
    NoPepper(i32),
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Checkpoint {
    /// Reads the checkpoint without verifying it.
    pub async fn read(db: &Db) -> Result<Self, StorageError> {
        Ok(on!(db.read(), c => sqlx::query_as(SELECT).fetch_one(c).await)?)
    }

    /// Same as [`Self::read`] within a transaction.
    pub async fn read_in(tx: &mut Tx) -> Result<Self, StorageError> {
        Ok(on!(tx.on(), c => sqlx::query_as(SELECT).fetch_one(c).await)?)
    }

    /// Reads the checkpoint and locks it until the transaction ends.
    pub async fn lock(tx: &mut Tx) -> Result<Self, StorageError> {
        let found: Option<Self> = select_locked!(
            tx,
            "SELECT position, hash, pepper_version, mac FROM audit_checkpoint WHERE only_row = $1",
            1
        )?;
        found.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Verifies the checkpoint with its HMAC. Without one, only the beginning of a log with no deletions is valid.
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

    /// Checks that there is no entry before the beginning, where readers would miss it, and that no trace of deleted
    /// entries remains if the beginning is 0.
    pub async fn check_before(&self, db: &Db) -> Result<(), InvalidCheckpoint> {
        let found = on!(db.read(), c => sqlx::query_as(BEFORE)
            .bind(self.position).fetch_one(c).await);
        self.judge(found.map_err(StorageError::from)?)
    }

    /// Same as [`Self::check_before`] within a transaction.
    pub async fn check_before_in(&self, tx: &mut Tx) -> Result<(), InvalidCheckpoint> {
        let found = on!(tx.on(), c => sqlx::query_as(BEFORE)
            .bind(self.position).fetch_one(c).await);
        self.judge(found.map_err(StorageError::from)?)
    }

    fn judge(&self, (entry, is_reset): (Option<i64>, bool)) -> Result<(), InvalidCheckpoint> {
        match entry {
            Some(entry) => Err(InvalidCheckpoint::EntryBefore {
                start: self.position,
                entry,
            }),
            None if is_reset => Err(InvalidCheckpoint::Reset),
            None => Ok(()),
        }
    }

    /// Stores a position and hash, with an HMAC under the current pepper.
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

/// Verifies the beginning of the log. Reads two rows.
///
/// # Errors
/// If the beginning is invalid or the database cannot be reached.
pub async fn check_beginning(db: &Db, peppers: &Peppers) -> Result<(), InvalidCheckpoint> {
    let checkpoint = Checkpoint::read(db).await?;
    checkpoint.check(peppers)?;
    checkpoint.check_before(db).await
}

/// Accepts a beginning that an earlier version stored without an HMAC, and returns its position; `None` if it already
/// has one or needs none.
///
/// # Errors
/// If it has an invalid HMAC.
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
