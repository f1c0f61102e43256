//! Errors of the database.

use std::{io, path::PathBuf, sync::Arc};

/// A failed database operation, such as a lost connection, a rejected statement, or a value that does not parse. The
/// details are for the log; users only see that the request failed.
#[derive(Debug, thiserror::Error)]
#[error("the database operation failed")]
pub struct StorageError(#[from] pub(super) sqlx::Error);

/// A statement failed that was for several.
#[derive(Debug, thiserror::Error)]
#[error("a statement that was shared with others failed")]
struct SharedStatement(#[source] Arc<StorageError>);

/// The organization was deleted.
#[derive(Debug, thiserror::Error)]
#[error("the organization was deleted")]
struct OrgDeleted;

/// The caller lost the right to a change.
#[derive(Debug, thiserror::Error)]
#[error("the caller is no longer allowed to do this")]
struct PermitEnded;

/// The session from which a change is made has ended.
#[derive(Debug, thiserror::Error)]
#[error("the session has ended")]
struct SessionEnded;

impl StorageError {
    /// A column holds a value that cannot be parsed as its type.
    pub(crate) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(sqlx::Error::Decode(Box::new(error)))
    }

    /// Whether a column holds a value that cannot be parsed as its type.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(
            &self.0,
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }
        )
    }

    /// The error of a statement that was for several, for one of them.
    pub(crate) fn shared(error: Arc<Self>) -> Self {
        Self(sqlx::Error::Io(io::Error::other(SharedStatement(error))))
    }

    /// The task was interrupted: the process is ending, or the task panicked.
    pub(crate) fn interrupted() -> Self {
        Self(sqlx::Error::WorkerCrashed)
    }

    /// The database accepted a statement without executing it completely.
    pub(crate) fn ignored() -> Self {
        Self(sqlx::Error::Protocol(
            "the database did not store every row that it was given; look for triggers and rules on the table".to_owned(),
        ))
    }

    /// A stored number has no successor. Latchkey never writes such a number.
    pub(crate) fn no_number() -> Self {
        Self(sqlx::Error::Protocol(
            "the last entry of an organization's audit log has the highest number there is; run `latchkey audit verify`"
                .to_owned(),
        ))
    }

    /// The response arrived too late to be useful.
    pub(crate) fn late() -> Self {
        Self(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))
    }

    /// The organization of a change was deleted after the caller's access was checked.
    pub(crate) fn org_deleted() -> Self {
        Self(sqlx::Error::Decode(Box::new(OrgDeleted)))
    }

    /// Whether the organization of a change was deleted after the caller's access was checked.
    pub fn is_of_deleted_org(&self) -> bool {
        matches!(&self.0, sqlx::Error::Decode(cause) if cause.is::<OrgDeleted>())
    }

    /// The caller lost the right to a change after it was checked.
    pub(crate) fn permit_ended() -> Self {
        Self(sqlx::Error::Decode(Box::new(PermitEnded)))
    }

    /// Whether the caller lost the right to a change after it was checked: their role, their account or their token.
    pub fn is_of_ended_permit(&self) -> bool {
        matches!(&self.0, sqlx::Error::Decode(cause) if cause.is::<PermitEnded>())
    }

    /// The session from which a change is made has ended since the request began.
    pub(crate) fn session_ended() -> Self {
        Self(sqlx::Error::Decode(Box::new(SessionEnded)))
    }

    /// Whether the session from which a change is made has ended since the request began.
    pub fn is_of_ended_session(&self) -> bool {
        matches!(&self.0, sqlx::Error::Decode(cause) if cause.is::<SessionEnded>())
    }

    /// Whether the error is a violation of a unique constraint.
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

/// Why the connection to a database failed. Never contains the URL, which can hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is invalid.
    #[error(
        "database_url is not a valid URL. Use `postgres://USER:PASSWORD@HOST:PORT/DATABASE` or `sqlite:PATH`, \
         with special characters in a password percent-encoded"
    )]
    Url,
    /// The path is a folder; SQLite stores everything in a single file.
    #[error(
        "database_url: {} is a folder. Name a file in it, such as sqlite:{}/latchkey.db", .0.display(), .0.display()
    )]
    IsFolder(PathBuf),
    /// Nothing listens at the address, or it does not respond in time.
    #[error(
        "Postgres cannot be reached at {place} ({reason}). Check that it is running, that database_url has the right \
         host and port, and that no firewall blocks the connection"
    )]
    Unreachable {
        /// The host and port, or the path of the socket.
        place: String,
        /// The I/O error, or the timeout.
        reason: String,
    },
    /// The database rejected the connection, or the connection was lost.
    #[error("database_url: the database cannot be used")]
    Rejected(#[from] StorageError),
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The lock file of an SQLite database could not be locked.
    #[error("the database could not be locked: {0}")]
    Lock(#[from] io::Error),
    /// The connection failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A migration failed.
    #[error("the database could not be migrated")]
    Migrate(#[source] StorageError),
}
