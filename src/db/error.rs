//! What can go wrong with a database.

use std::{io, path::PathBuf};

/// A database answer that is not the one that was needed: a lost connection, a refused statement, a value that does
/// not parse. For the log; a person is told only that it did not work.
#[derive(Debug, thiserror::Error)]
#[error("the database did not do what was asked of it")]
pub struct StorageError(#[from] pub(super) sqlx::Error);

impl StorageError {
    /// A column held what its type cannot be read from.
    pub(crate) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(sqlx::Error::Decode(Box::new(error)))
    }

    /// The work was cut off: the process is ending, or a task of it panicked.
    pub(crate) fn interrupted() -> Self {
        Self(sqlx::Error::WorkerCrashed)
    }

    /// The database accepted a statement and did not do what it says.
    pub(crate) fn ignored() -> Self {
        Self(sqlx::Error::Protocol(
            "the database did not store every row that it was given; look for triggers and rules on the table".to_owned(),
        ))
    }

    /// A number in the database has no next one: someone else wrote it.
    pub(crate) fn no_number() -> Self {
        Self(sqlx::Error::Protocol(
            "the last entry of an organization's audit log has the highest number there is; run `latchkey audit verify`"
                .to_owned(),
        ))
    }

    /// The answer came so late that it is of no use.
    pub(crate) fn late() -> Self {
        Self(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))
    }

    /// Whether a row with the same unique value was there already.
    pub fn is_unique_violation(&self) -> bool {
        self.0
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }
}

impl From<sqlx::migrate::MigrateError> for StorageError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self(error.into())
    }
}

/// Why there is no connection to a database. Never contains its URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read.
    #[error(
        "database_url is not a valid URL. Use `postgres://USER:PASSWORD@HOST:PORT/DATABASE` or `sqlite:PATH`, \
         with special characters in a password percent-encoded"
    )]
    Url,
    /// SQLite keeps everything in one file.
    #[error(
        "database_url: {} is a folder. Name a file in it, such as sqlite:{}/latchkey.db", .0.display(), .0.display()
    )]
    IsFolder(PathBuf),
    /// Nothing answers.
    #[error(
        "Postgres cannot be reached at {place} ({reason}). Check that it is running, that database_url has the right \
         host and port, and that no firewall blocks the connection"
    )]
    Unreachable {
        /// Its host and port, or its socket.
        place: String,
        /// What came instead of an answer.
        reason: String,
    },
    /// The database did not accept the connection, or does not answer any more.
    #[error("database_url: the database cannot be used")]
    Rejected(#[from] StorageError),
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The lock beside an SQLite file could not be had.
    #[error("the database could not be locked: {0}")]
    Lock(#[from] io::Error),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The tables could not be brought up to date.
    #[error("the database could not be migrated")]
    Migrate(#[source] StorageError),
}
