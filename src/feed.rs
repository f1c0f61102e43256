//! The audit log as a feed: what other processes changed is dropped from the memory of this one.
//!
//! Postgres notifies of new rows; in any case they are looked for every half second, so that a lost notification, or a
//! second process on one SQLite file, costs that much. Rows are read in the order of commits and none is missed (see
//! [`crate::audit`]). When the listening connection was lost, all that is in memory is dropped.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::postgres::PgListener;
use tokio::{
    sync::{Mutex, Notify},
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    Engine, audit,
    db::{On, StorageError, on},
    event::{Event, Target},
};

/// How often new rows are looked for, whether or not a notification came.
const POLL: Duration = Duration::from_millis(500);
/// From the loss of the listening connection to the next try.
const RECONNECT: Duration = Duration::from_secs(1);
/// Rows that are read at the same time.
const ROWS_AT_ONCE: i64 = 1_000;

/// How far the log has been read.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// `None` until [`start`].
    position: Mutex<Option<i64>>,
    woken: Notify,
    advanced: Notify,
    is_listening: AtomicBool,
}

/// Takes the end of the log as the place to read on from. To be called before anything is in memory.
///
/// # Errors
/// When the database does not answer.
pub async fn start(engine: &Engine) -> Result<(), StorageError> {
    let mut position = engine.feed.position.lock().await;
    *position = Some(last_position(engine).await?);
    Ok(())
}

async fn last_position(engine: &Engine) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COALESCE((SELECT MAX(position) FROM audit_log), \
         (SELECT position FROM audit_checkpoint))";
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL).fetch_one(c).await)?)
}

/// How far the log has been read; 0 before it was begun with.
pub(crate) async fn position(engine: &Engine) -> i64 {
    engine.feed.position.lock().await.unwrap_or(0)
}

/// Resolves when more of the log was read than at the last time that this resolved.
pub async fn advanced(engine: &Engine) {
    engine.feed.advanced.notified().await;
}

/// Reads what was appended since the last time, and drops what it made stale.
///
/// # Errors
/// When the database does not answer; what was read before that is dropped.
pub async fn catch_up(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "SELECT position, event, target_id FROM audit_log WHERE position > $1 \
         ORDER BY position LIMIT $2";
    let mut position = engine.feed.position.lock().await;
    let mut after = match *position {
        Some(position) => position,
        None => last_position(engine).await?,
    };
    loop {
        let rows: Vec<(i64, String, Option<String>)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
            .bind(after).bind(ROWS_AT_ONCE).fetch_all(c).await)?;
        for (_, event, target) in &rows {
            // A newer instance may write events that this one does not know: what they changed is not told apart.
            match (
                event.parse::<Event>(),
                target.as_deref().and_then(Target::parse),
            ) {
                (Ok(event), Some(target)) => engine.forget_stale(event, target),
                (Ok(_), None) => {}
                (Err(_), _) => engine.cache.forget_everything(),
            }
        }
        if let Some((last, ..)) = rows.last() {
            after = *last;
            engine.feed.advanced.notify_one();
        }
        *position = Some(after);
        if (rows.len() as i64) < ROWS_AT_ONCE {
            return Ok(());
        }
    }
}

/// Whether notifications of other instances arrive, or rows are only looked for.
pub fn is_listening(engine: &Engine) -> bool {
    engine.feed.is_listening.load(Ordering::Relaxed)
}

/// Follows the log until it is dropped. `listen_url` is another address of the database to listen at: a pooler that hands
/// out connections by transaction passes no notifications on.
pub async fn follow(engine: &Engine, listen_url: Option<&str>) {
    tokio::select! {
        () = read_on(engine) => {}
        () = listen(engine, listen_url) => {}
    }
}

async fn read_on(engine: &Engine) {
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = engine.feed.woken.notified() => {}
        }
        let result = catch_up(engine).await;
        if let Err(error) = &result
            && !failed
        {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "changes of other instances cannot be read; keys are answered from memory for a minute"
            );
        }
        failed = result.is_err();
    }
}

/// Wakes the reader at each notification. Never returns: SQLite has none, and a lost connection is made anew.
async fn listen(engine: &Engine, listen_url: Option<&str>) {
    let On::Postgres(pool) = engine.db.read() else {
        return std::future::pending().await;
    };
    let mut told = false;
    loop {
        let connected = async {
            let mut listener = match listen_url {
                Some(url) => PgListener::connect(url).await?,
                None => PgListener::connect_with(pool).await?,
            };
            listener.listen(audit::CHANNEL).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        match connected.await {
            Ok(mut listener) => {
                // What was sent while nobody listened is lost.
                engine.cache.forget_everything();
                engine.feed.is_listening.store(true, Ordering::Relaxed);
                engine.feed.woken.notify_one();
                while let Ok(Some(_)) = listener.try_recv().await {
                    engine.feed.woken.notify_one();
                }
                engine.feed.is_listening.store(false, Ordering::Relaxed);
                engine.cache.forget_everything();
                tracing::warn!("the connection that listens for changes was lost and is made anew");
            }
            Err(error) if !told => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "changes of other instances are looked for every half second: the database cannot be listened to"
                );
                told = true;
            }
            Err(_) => {}
        }
        sleep(RECONNECT).await;
    }
}
