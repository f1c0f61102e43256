//! Postgres's notifications of new rows, and a test of whether they reach this process.

use std::{fmt, time::Duration};

use sqlx::postgres::PgListener;
use tokio::time::timeout;

use super::POLL;
use crate::{
    audit,
    db::{Db, On, StorageError, postgres},
};

/// How long to wait for the test notification that a process sends to itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// The payload of test notifications; those of changes have none.
const TRIAL: &str = "trial";

/// How this process learns of changes by other processes.
#[derive(Debug)]
pub enum Noticing {
    /// By notifications from Postgres.
    Notified,
    /// By polling every half second, for this reason.
    Looking(NotNotified),
}

/// Why Postgres does not notify this process.
#[derive(Debug, thiserror::Error)]
pub enum NotNotified {
    /// SQLite has no notifications.
    #[error("SQLite has no notifications")]
    Sqlite,
    /// Notifications sent on the database's connections are not received on them.
    #[error(
        "LISTEN receives no notifications on this connection (PgBouncer?); set LATCHKEY_DATABASE_LISTEN_URL"
    )]
    NotReached,
    /// The address for listening leads to another database, or through a pooler.
    #[error(
        "LATCHKEY_DATABASE_LISTEN_URL: no notifications are received there; it must connect to the same database, \
         and not through PgBouncer"
    )]
    NotReachedThere,
    /// The connection for listening failed.
    #[error("LISTEN failed")]
    Unreachable(#[source] StorageError),
}

impl fmt::Display for Noticing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notified => f.write_str("received by LISTEN"),
            Self::Looking(NotNotified::Sqlite) => {
                write!(f, "polled every {} ms", POLL.as_millis())
            }
            Self::Looking(why) => write!(f, "polled every {} ms: {why}", POLL.as_millis()),
        }
    }
}

/// Returns how a process on this database learns of changes. `listen_url` is the same as for [`super::follow`].
pub async fn noticing(db: &Db, listen_url: Option<&str>) -> Noticing {
    match listener(db, listen_url).await {
        Ok(_) => Noticing::Notified,
        Err(why) => Noticing::Looking(why),
    }
}

/// Opens a connection that listens for changes, and tests it.
pub(super) async fn listener(db: &Db, listen_url: Option<&str>) -> Result<PgListener, NotNotified> {
    let database = db.postgres().ok_or(NotNotified::Sqlite)?;
    let failed = |error: sqlx::Error| NotNotified::Unreachable(error.into());
    // Through a pooler, a LISTEN would remain on a connection that is then assigned to other clients, which expect no
    // notifications.
    let pool = match listen_url {
        Some(url) => {
            let options = postgres::options(url).map_err(failed)?;
            let pool = postgres::connect(options, 2).await.map_err(failed)?;
            if postgres::has_pooler(&pool).await.map_err(failed)? {
                return Err(NotNotified::NotReachedThere);
            }
            pool
        }
        None if database.has_pooler() => return Err(NotNotified::NotReached),
        None => database.pool().clone(),
    };
    let mut listener = PgListener::connect_with(&pool).await.map_err(failed)?;
    listener.listen(audit::CHANNEL).await.map_err(failed)?;
    match timeout(PATIENCE, is_heard(db, &mut listener)).await {
        Ok(Ok(())) => Ok(listener),
        Ok(Err(error)) => Err(NotNotified::Unreachable(error)),
        Err(_) if listen_url.is_some() => Err(NotNotified::NotReachedThere),
        Err(_) => Err(NotNotified::NotReached),
    }
}

/// Sends a test notification the same way as those of changes, and resolves when it has arrived.
async fn is_heard(db: &Db, listener: &mut PgListener) -> Result<(), StorageError> {
    const SQL: &str = "SELECT pg_backend_pid() FROM pg_notify($1, $2)";
    let On::Postgres(statements) = db.write_unrecorded() else {
        return Ok(());
    };
    let sender: i32 = sqlx::query_scalar(SQL)
        .bind(audit::CHANNEL)
        .bind(TRIAL)
        .fetch_one(statements)
        .await?;
    // Another process may be running this test, too.
    let is_ours =
        |payload: &str, process: u32| payload == TRIAL && i64::from(process) == i64::from(sender);
    while let Some(heard) = listener.try_recv().await? {
        if is_ours(heard.payload(), heard.process_id()) {
            return Ok(());
        }
    }
    Err(StorageError::interrupted())
}
