//! Postgres's notifications of new rows, and whether they reach this process.

use std::{fmt, time::Duration};

use sqlx::postgres::PgListener;
use tokio::time::timeout;

use super::POLL;
use crate::{
    audit,
    db::{Db, On, StorageError, postgres},
};

/// How long the notification that a process sends to itself may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// What it says; those of changes say nothing.
const TRIAL: &str = "trial";

/// How this process notices what others changed.
#[derive(Debug)]
pub enum Noticing {
    /// Postgres notifies it.
    Notified,
    /// It looks every half second, for this reason.
    Looking(NotNotified),
}

/// Why Postgres does not notify this process.
#[derive(Debug, thiserror::Error)]
pub enum NotNotified {
    /// SQLite notifies nobody.
    #[error("SQLite notifies nobody")]
    Sqlite,
    /// What is said on the database's connections does not arrive at them.
    #[error(
        "the database's LISTEN does not reach this process (PgBouncer?); set LATCHKEY_DATABASE_LISTEN_URL"
    )]
    NotReached,
    /// The address to listen at leads elsewhere, or through a pooler.
    #[error(
        "LATCHKEY_DATABASE_LISTEN_URL: notifications do not arrive there; it must lead to the same database, and not \
         through PgBouncer"
    )]
    NotReachedThere,
    /// The connection to listen on was not made.
    #[error("LISTEN failed")]
    Unreachable(#[source] StorageError),
}

impl fmt::Display for Noticing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notified => f.write_str("heard by LISTEN"),
            Self::Looking(NotNotified::Sqlite) => {
                write!(f, "looked for every {} ms", POLL.as_millis())
            }
            Self::Looking(why) => write!(f, "looked for every {} ms: {why}", POLL.as_millis()),
        }
    }
}

/// How a process on this database notices what others change. `listen_url` is as for [`super::follow`].
pub async fn noticing(db: &Db, listen_url: Option<&str>) -> Noticing {
    match listener(db, listen_url).await {
        Ok(_) => Noticing::Notified,
        Err(why) => Noticing::Looking(why),
    }
}

/// A connection that hears of changes, which has been tried.
pub(super) async fn listener(db: &Db, listen_url: Option<&str>) -> Result<PgListener, NotNotified> {
    let database = db.postgres().ok_or(NotNotified::Sqlite)?;
    let failed = |error: sqlx::Error| NotNotified::Unreachable(error.into());
    // A LISTEN through a pooler would stay on a connection that is then lent to others, who expect no notifications.
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

/// Resolves when a notification that is sent as those of changes are has arrived.
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
    // Another process may try itself, too.
    let is_ours =
        |payload: &str, process: u32| payload == TRIAL && i64::from(process) == i64::from(sender);
    while let Some(heard) = listener.try_recv().await? {
        if is_ours(heard.payload(), heard.process_id()) {
            return Ok(());
        }
    }
    Err(StorageError::interrupted())
}
