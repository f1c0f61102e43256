//! The audit log as a feed: evicts from this process's cache what other processes changed.
//!
//! Postgres sends notifications of new rows. In addition the log is polled every half second, which bounds the delay
//! if a notification is lost, or if a second process uses the same SQLite file. Rows are read in commit order and
//! none is missed (see [`crate::audit`]). If the listening connection was lost, the whole cache is cleared.

mod notifications;

use std::time::Duration;

use tokio::{
    sync::{Mutex, Notify},
    time::{MissedTickBehavior, interval, sleep},
};

pub use self::notifications::{NotNotified, Noticing, noticing};
use crate::{
    Engine,
    changed::Changed,
    db::{StorageError, on},
    event::{Event, Target},
    id::OrgId,
    imports,
};

/// How often the log is polled, with or without notifications.
const POLL: Duration = Duration::from_millis(500);
/// Pause before reconnecting a lost listening connection.
const RECONNECT: Duration = Duration::from_secs(1);
/// Pause after an attempt on which no notification arrived: the configuration may have been fixed by then.
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// Number of rows read per batch.
const ROWS_AT_ONCE: i64 = 1_000;

/// How far this process has read the log.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// `None` until [`start`].
    read_to: Mutex<Option<End>>,
    woken: Notify,
    advanced: Notify,
}

/// A position that was the end of the log when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct End {
    pub position: i64,
    /// Distinguishes two entries at the same position: after a restore or a failover the database may lack the last
    /// entries, and later have different ones at their positions.
    pub hash: Vec<u8>,
}

/// A row of the log, as read by the feed.
#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    end: End,
    event: String,
    target_id: Option<String>,
    org_id: Option<OrgId>,
}

/// Takes the end of the log as the position to read from. Must be called before anything is cached.
///
/// # Errors
/// If the database cannot be reached.
pub async fn start(engine: &Engine) -> Result<(), StorageError> {
    let mut read_to = engine.feed.read_to.lock().await;
    *read_to = Some(end_of_log(engine).await?);
    Ok(())
}

async fn end_of_log(engine: &Engine) -> Result<End, StorageError> {
    const SQL: &str = "SELECT position, hash FROM audit_log UNION ALL SELECT position, hash FROM audit_checkpoint \
         ORDER BY position DESC LIMIT 1";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).fetch_one(c).await)?)
}

/// Returns how far the log has been read; the beginning before [`start`].
pub(crate) async fn read_to(engine: &Engine) -> End {
    let read_to = engine.feed.read_to.lock().await;
    read_to.clone().unwrap_or_default()
}

/// Resolves when the log was read further since it last resolved.
pub async fn advanced(engine: &Engine) {
    engine.feed.advanced.notified().await;
}

/// Reads the rows appended since the last call, and evicts what they made stale. If the log no longer contains the
/// last row read, it is a different log: the whole cache is cleared, and reading continues from the current end.
///
/// # Errors
/// If the database cannot be reached. The rows read before that have been processed.
pub async fn catch_up(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "SELECT position, hash, event, target_id, org_id FROM audit_log WHERE position >= $1 \
         ORDER BY position LIMIT $2";
    let mut read_to = engine.feed.read_to.lock().await;
    let mut after = match &*read_to {
        Some(end) => end.clone(),
        None => end_of_log(engine).await?,
    };
    loop {
        let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(SQL)
            .bind(after.position).bind(ROWS_AT_ONCE).fetch_all(c).await)?;
        let is_there = match rows.first() {
            Some(first) if first.end.position == after.position => first.end == after,
            _ => is_beginning(engine, &after).await?,
        };
        if !is_there {
            // Read the end before clearing the cache, so that anything cached from now on is no older than the end.
            *read_to = Some(end_of_log(engine).await?);
            engine.forget_everything();
            engine.feed.advanced.notify_one();
            tracing::warn!(
                "the audit log no longer contains the last entry that was read, as after a failover that lost changes; \
                 the cache was cleared"
            );
            return Ok(());
        }
        let (mut imported, mut changes) = (Vec::new(), Vec::new());
        let new = rows.iter().filter(|row| row.end.position > after.position);
        for Row {
            end,
            event,
            target_id,
            org_id,
        } in new
        {
            let target = target_id.as_deref().and_then(Target::parse);
            if let (Ok(Event::KeyImported), Some(Target::Key(key))) = (event.parse(), target) {
                imported.push(key);
            }
            // A newer instance may write events unknown to this one. What they made stale is unknown too.
            match (event.parse::<Event>(), target) {
                (Ok(event), Some(target)) => changes.push(Changed {
                    event,
                    target,
                    org_id: *org_id,
                    position: Some(end.position),
                }),
                (Ok(_), None) => {}
                (Err(_), _) => engine.forget_everything(),
            }
        }
        engine.forget_stale(&changes);
        imports::learn(engine, &imported).await?;
        let last = rows.last().filter(|row| row.end != after);
        if let Some(last) = last {
            after = last.end.clone();
            engine.feed.advanced.notify_one();
        }
        *read_to = Some(after.clone());
        if (rows.len() as i64) < ROWS_AT_ONCE {
            return Ok(());
        }
    }
}

/// Whether the log begins right after this entry: either retention deleted everything up to it, or the log is empty.
async fn is_beginning(engine: &Engine, end: &End) -> Result<bool, StorageError> {
    const SQL: &str =
        "SELECT EXISTS (SELECT 1 FROM audit_checkpoint WHERE position = $1 AND hash = $2)";
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(end.position).bind(&end.hash).fetch_one(c).await)?)
}

/// Follows the log until the future is dropped. `listen_url` is an alternative address of the database for listening,
/// since a pooler that assigns connections per transaction does not forward notifications.
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
        let result = match catch_up(engine).await {
            Ok(()) => imports::refresh(engine).await,
            failed => failed,
        };
        if let Err(error) = &result
            && !failed
        {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "failed to read changes by other instances; cached keys are trusted for one more minute"
            );
        }
        failed = result.is_err();
    }
}

/// Wakes the reader on each notification, if there are any, and reconnects after a lost connection.
async fn listen(engine: &Engine, listen_url: Option<&str>) {
    let mut told = None;
    loop {
        let pause = match notifications::listener(&engine.db, listen_url).await {
            Ok(mut listener) => {
                // Notifications sent before listening began are lost.
                engine.forget_everything();
                engine.feed.woken.notify_one();
                tracing::info!("changes by other instances: {}", Noticing::Notified);
                while let Ok(Some(_)) = listener.try_recv().await {
                    engine.feed.woken.notify_one();
                }
                engine.forget_everything();
                tracing::warn!("lost the connection that listens for changes; reconnecting");
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
