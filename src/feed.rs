//! The audit log as a feed: what other processes changed is dropped from the memory of this one.
//!
//! Postgres notifies of new rows; in any case they are looked for every half second, so that a lost notification, or a
//! second process on one SQLite file, costs that much. Rows are read in the order of commits and none is missed (see
//! [`crate::audit`]). When the listening connection was lost, all that is in memory is dropped.

mod notifications;

use std::time::Duration;

use tokio::{
    sync::{Mutex, Notify},
    time::{MissedTickBehavior, interval, sleep},
};

pub use self::notifications::{NotNotified, Noticing, noticing};
use crate::{
    Engine,
    db::{StorageError, on},
    event::{Event, Target},
};

/// How often new rows are looked for, whether or not a notification came.
const POLL: Duration = Duration::from_millis(500);
/// From the loss of the listening connection to the next try.
const RECONNECT: Duration = Duration::from_secs(1);
/// From a try on which no notification arrived to the next: what is in the way may be set up otherwise by then.
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// Rows that are read at the same time.
const ROWS_AT_ONCE: i64 = 1_000;

/// How far the log has been read.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// `None` until [`start`].
    position: Mutex<Option<i64>>,
    woken: Notify,
    advanced: Notify,
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

/// Wakes the reader at each notification, where there are any. A lost connection is made anew.
async fn listen(engine: &Engine, listen_url: Option<&str>) {
    let mut told = None;
    loop {
        let pause = match notifications::listener(&engine.db, listen_url).await {
            Ok(mut listener) => {
                // What was sent while nobody listened is lost.
                engine.cache.forget_everything();
                engine.feed.woken.notify_one();
                tracing::info!("changes by other instances: {}", Noticing::Notified);
                while let Ok(Some(_)) = listener.try_recv().await {
                    engine.feed.woken.notify_one();
                }
                engine.cache.forget_everything();
                tracing::warn!("the connection that listens for changes was lost and is made anew");
                told = None;
                RECONNECT
            }
            Err(NotNotified::Sqlite) => {
                let noticing = Noticing::Looking(NotNotified::Sqlite);
                tracing::info!("changes by other processes: {noticing}");
                return std::future::pending().await;
            }
            Err(why) => {
                let pause = match why {
                    NotNotified::Unreachable(_) => RECONNECT,
                    _ => TRY_AGAIN,
                };
                let noticing = Noticing::Looking(why);
                let text = noticing.to_string();
                if told.as_ref() != Some(&text) {
                    match noticing {
                        Noticing::Looking(NotNotified::Unreachable(error)) => tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "changes by other instances: {text}"
                        ),
                        _ => tracing::warn!("changes by other instances: {text}"),
                    }
                    told = Some(text);
                }
                pause
            }
        };
        sleep(pause).await;
    }
}
