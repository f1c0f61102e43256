//! Background tasks: they do the repeated work ([`work`]), and drop from memory what other processes changed.

pub mod work;

use std::time::Duration;

use futures_util::future::pending;
use latchkey::{db::StorageError, effects, feed, instances, time::Timestamp};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::work::{Every, TASKS, Task, Told, Work};
use crate::{allocator, app_state::AppState};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The minimum time between two heartbeats that report the position in the audit log, however fast it grows.
const BETWEEN_BEATS: Duration = Duration::from_millis(100);

/// The tasks that run until they are stopped.
#[derive(Debug)]
pub struct Background {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Background {
    /// Registers this instance, before it returns anything from memory, and starts the tasks.
    ///
    /// # Errors
    /// If the database does not respond.
    pub async fn start(state: &AppState) -> Result<Self, StorageError> {
        let started_at = state.engine.clock().now();
        instances::beat(&state.engine, VERSION, started_at).await?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for task in &TASKS {
            tasks.spawn(repeat(task, state.clone(), stop.clone()));
        }
        tasks.spawn(follow_changes(state.clone(), stop.clone()));
        tasks.spawn(watch_effects(state.clone(), stop.clone()));
        tasks.spawn(beat(state.clone(), started_at, stop.clone()));
        tasks.spawn(give_memory_back(stop.clone()));
        tasks.close();
        Ok(Self { stop, tasks })
    }

    /// Stops the tasks after their current step. Cutting off a flush would lose the counts that it took.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

async fn repeat(task: &'static Task, state: AppState, stop: CancellationToken) {
    let mut ticks = interval(match task.every {
        Every::UsageFlush => state.settings.usage_flush,
        Every::Seconds(seconds) => Duration::from_secs(seconds),
    });
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed_before = false;
    loop {
        let woken = task.wakes.map(|wakes| wakes(&state.engine));
        tokio::select! {
            _ = ticks.tick() => {}
            () = async { woken.unwrap_or_else(|| Box::pin(pending())).await } => {}
            () = stop.cancelled() => return,
        }
        let mut failed = false;
        for work in task.work {
            let running = (work.run)(&state.engine, state.settings.audit_kept_for);
            let done = match work.is_cut_off {
                false => Some(running.await),
                true => stop.run_until_cancelled(running).await,
            };
            let Some(done) = done else { return };
            if let Err(error) = done {
                failed = true;
                tell(&state, work, &*error, failed_before);
            }
        }
        failed_before = failed;
    }
}

/// Logs that work failed. The work is repeated in any case.
fn tell(
    state: &AppState,
    work: &Work,
    error: &(dyn std::error::Error + 'static),
    failed_before: bool,
) {
    match work.is_told {
        Told::ForDebugging => tracing::debug!(error, "{}", work.failure),
        Told::Once if failed_before => {}
        told => {
            if told == Told::AsFailedFlush {
                state.metrics.failed_flushes.increment(1);
            }
            tracing::error!(error, "{}", work.failure);
        }
    }
}

async fn follow_changes(state: AppState, stop: CancellationToken) {
    let listen_url = state.settings.database_listen_url();
    let follow = feed::follow(&state.engine, listen_url);
    stop.run_until_cancelled(follow).await;
}

async fn watch_effects(state: AppState, stop: CancellationToken) {
    stop.run_until_cancelled(effects::watch(&state.engine))
        .await;
}

async fn give_memory_back(stop: CancellationToken) {
    stop.run_until_cancelled(allocator::give_back_what_is_free())
        .await;
}

/// Reports every two seconds that this instance runs, and immediately how far it has read the audit log. Other
/// instances wait for this before they report that a change is in effect on every instance.
async fn beat(state: AppState, started_at: Timestamp, stop: CancellationToken) {
    let engine = &state.engine;
    let mut ticks = interval(instances::HEARTBEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let failed = |error: StorageError| {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "failed to write a heartbeat"
        );
    };
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = feed::advanced(engine) => {}
            () = stop.cancelled() => break,
        }
        let beaten = instances::beat(engine, VERSION, started_at).await;
        beaten.unwrap_or_else(failed);
        tokio::select! {
            () = sleep(BETWEEN_BEATS) => {}
            () = stop.cancelled() => break,
        }
    }
    instances::leave(engine).await.unwrap_or_else(failed);
}
