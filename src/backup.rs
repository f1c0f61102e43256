//! Backups: all rows in one file that can be restored into either database.
//!
//! The file consists of lines of JSON. The first line has the format version, the last migration and the time. Each
//! table follows as one line with its name and columns, and one line per row: an array in the order of the columns,
//! with blobs in base64. The last line has the number of rows and the SHA-256 of everything before it, so that
//! truncated or modified files are rejected. The checksum protects against accidents, not attacks: anyone who can
//! write the file can also write a new checksum.
//!
//! At most a few hundred rows are in memory at a time. The peppers are not part of the file.

mod new_file;
mod read;
mod restore;
pub mod tables;
mod value;
mod write;

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::db::StorageError;

pub use restore::Backup;
pub use write::create;

/// The version of the file format.
const FORMAT: u32 = 1;

/// The first line of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the file format.
    latchkey_backup: u32,
    /// The last migration of the database that was backed up.
    pub schema: i64,
    /// When the backup was created, in RFC 3339.
    pub created_at: String,
}

/// The line before the rows of a table.
#[derive(Debug, Serialize, Deserialize)]
struct TableLine {
    table: String,
    columns: Vec<String>,
}

/// The last line of a backup.
#[derive(Debug, Serialize, Deserialize)]
struct EndLine {
    rows: u64,
    sha256: String,
}

/// Why a backup was not created.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The path is a folder; a backup is a single file.
    #[error("{0} is a folder. Specify a file in it, such as {0}/latchkey.backup")]
    IsFolder(PathBuf),
    /// The file exists, and backups never overwrite files.
    #[error("{0} already exists. Choose another name, or delete the file first")]
    Exists(PathBuf),
    /// The folder does not exist; it is not created.
    #[error(
        "{0} cannot be written because its folder does not exist. Create the folder, or choose another one"
    )]
    NoFolder(PathBuf),
    /// The file could not be written. The incomplete file has been deleted.
    #[error("{0} cannot be written: {1}")]
    Write(PathBuf, io::Error),
    /// The database was last used by another version of Latchkey.
    #[error(
        "the database is at migration {found}, and this version of Latchkey needs {needed}. Take the backup with the \
         version that uses the database, or run `latchkey migrate` first"
    )]
    OtherSchema {
        /// The last migration of the database.
        found: i64,
        /// The last migration of this version.
        needed: i64,
    },
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file cannot be used.
    #[error("{0}: {1}")]
    File(PathBuf, #[source] FileError),
    /// The database is not empty, and a restore never overwrites data.
    #[error(
        "the database already contains data (in the table {0}). Restore into an empty database. With SQLite, specify \
         another folder with --data-dir; with Postgres, create another database"
    )]
    NotEmpty(&'static str),
    /// The database rejected a row.
    #[error("the database did not accept the rows of the table {0}. Nothing was restored")]
    NotAccepted(&'static str, #[source] StorageError),
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It does not exist, or its permissions do not allow reading it.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is a folder.
    #[error("is a folder. Specify a file that `latchkey backup` created")]
    IsFolder,
    /// It is not a backup.
    #[error("is not a backup. Specify a file that `latchkey backup` created")]
    NotABackup,
    /// It was created by a newer version, with tables unknown to this one.
    #[error(
        "was created by a newer version of Latchkey. Restore it with that version or a later one"
    )]
    Newer,
    /// It is incomplete or was modified.
    #[error(
        "is incomplete or was changed (line {line}: {reason}). Nothing was restored. Use another backup"
    )]
    Corrupt {
        /// The number of the first invalid line, from 1.
        line: u64,
        /// What is wrong with that line.
        reason: &'static str,
    },
}
