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
    id::OrgId,
    imports,
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
    read_to: Mutex<Option<End>>,
    woken: Notify,
    advanced: Notify,
}

/// The end of the log, or where it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct End {
    pub position: i64,
    /// Tells apart two entries at one position: a database that was restored, or that a standby replaced, may lack the last
    /// entries and has others there later.
    pub hash: Vec<u8>,
}

/// A row of the log, as it is read on from.
#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    end: End,
    event: String,
    target_id: Option<String>,
    org_id: Option<OrgId>,
}

/// Takes the end of the log as the place to read on from. To be called before anything is in memory.
///
/// # Errors
/// When the database does not answer.
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

/// How far the log has been read; its beginning before [`start`].
pub(crate) async fn read_to(engine: &Engine) -> End {
    let read_to = engine.feed.read_to.lock().await;
    read_to.clone().unwrap_or_default()
}

/// Resolves when more of the log was read than at the last time that this resolved.
pub async fn advanced(engine: &Engine) {
    engine.feed.advanced.notified().await;
}

/// Reads what was appended since the last time, and drops what it made stale. A log that has not what was read of it is
/// another one: all that is in memory is dropped, and its end is read on from.
///
/// # Errors
/// When the database does not answer; what was read before that is dropped.
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
            // First the end, then the memory: what is read into it from now on is no older than the end.
            *read_to = Some(end_of_log(engine).await?);
            engine.forget_everything();
            engine.feed.advanced.notify_one();
            tracing::warn!(
                "the audit log does not have the last entry that was read, as after a failover that lost changes; memory \
                 was cleared"
            );
            return Ok(());
        }
        let mut imported = Vec::new();
        let new = rows.iter().filter(|row| row.end.position > after.position);
        for Row {
            event,
            target_id,
            org_id,
            ..
        } in new
        {
            let target = target_id.as_deref().and_then(Target::parse);
            if let (Ok(Event::KeyImported), Some(Target::Key(key))) = (event.parse(), target) {
                imported.push(key);
            }
            // A newer instance may write events that this one does not know: what they changed is not told apart.
            match (event.parse::<Event>(), target) {
                (Ok(event), Some(target)) => engine.forget_stale(event, target, *org_id),
                (Ok(_), None) => {}
                (Err(_), _) => engine.forget_everything(),
            }
        }
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

/// Whether the log begins right after this entry: retention deleted it and nothing behind it, or nothing was ever written.
async fn is_beginning(engine: &Engine, end: &End) -> Result<bool, StorageError> {
    const SQL: &str =
        "SELECT EXISTS (SELECT 1 FROM audit_checkpoint WHERE position = $1 AND hash = $2)";
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(end.position).bind(&end.hash).fetch_one(c).await)?)
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
        let result = match catch_up(engine).await {
            Ok(()) => imports::refresh(engine).await,
            failed => failed,
        };
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
                engine.forget_everything();
                engine.feed.woken.notify_one();
                tracing::info!("changes by other instances: {}", Noticing::Notified);
                while let Ok(Some(_)) = listener.try_recv().await {
                    engine.feed.woken.notify_one();
                }
                engine.forget_everything();
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
