//! Backups: every row in one file, which either database can be restored from.
//!
//! The file is lines of JSON. The first has the format's version, the last migration and the time. Then, for each table,
//! one line with its name and columns and one for each row, an array in the order of the columns with blobs in base64. The
//! last line has the number of rows and the SHA-256 of everything before it, so that a file that was cut off or changed is
//! rejected. That protects from accidents: anyone who can write the file can write another sum.
//!
//! Nothing holds more than a few hundred rows in memory. The peppers are not in the file.

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

/// The version of the file's format.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    latchkey_backup: u32,
    /// The last migration of the database that was backed up.
    pub schema: i64,
    /// When it was backed up, in RFC 3339.
    pub created_at: String,
}

/// The line before the rows of a table.
#[derive(Debug, Serialize, Deserialize)]
struct TableLine {
    table: String,
    columns: Vec<String>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct EndLine {
    rows: u64,
    sha256: String,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A backup is one file.
    #[error("{0} is a folder. Specify a file in it, such as {0}/latchkey.backup")]
    IsFolder(PathBuf),
    /// A backup replaces no other file.
    #[error("{0} already exists. Choose another name, or delete the file first")]
    Exists(PathBuf),
    /// Folders are not created.
    #[error(
        "{0} cannot be written because its folder does not exist. Create the folder, or choose another one"
    )]
    NoFolder(PathBuf),
    /// The file could not be written; what was written of it has been deleted.
    #[error("{0} cannot be written: {1}")]
    Write(PathBuf, io::Error),
    /// Another version of Latchkey used the database last.
    #[error(
        "the database is at migration {found}, and this version of Latchkey needs {needed}. Take the backup with the \
         version that uses the database, or run `latchkey migrate` first"
    )]
    OtherSchema {
        /// The database's last migration.
        found: i64,
        /// Ours.
        needed: i64,
    },
    /// The database did not answer.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file cannot be used.
    #[error("{0}: {1}")]
    File(PathBuf, #[source] FileError),
    /// Restoring replaces nothing.
    #[error(
        "the database already contains data (in the table {0}). Restore into an empty database. With SQLite, specify \
         another folder with --data-dir; with Postgres, create another database"
    )]
    NotEmpty(&'static str),
    /// A row was not accepted.
    #[error("the database did not accept the rows of the table {0}. Nothing was restored")]
    NotAccepted(&'static str, #[source] StorageError),
    /// The database did not answer.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there, or may not be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is not a file.
    #[error("is a folder. Specify a file that `latchkey backup` created")]
    IsFolder,
    /// It is something else.
    #[error("is not a backup. Specify a file that `latchkey backup` created")]
    NotABackup,
    /// A newer version has tables that this one does not know.
    #[error(
        "was created by a newer version of Latchkey. Restore it with that version or a later one"
    )]
    Newer,
    /// It is not what was written.
    #[error(
        "is incomplete or was changed (line {line}: {reason}). Nothing was restored. Use another backup"
    )]
    Corrupt {
        /// Where that shows, from 1.
        line: u64,
        /// How it shows.
        reason: &'static str,
    },
}
