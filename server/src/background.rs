//! Background tasks: they write usage, delete old rows, and drop from memory what other processes changed.

use std::time::Duration;

use latchkey::{
    accounts::{attempts, links, second_factor, sessions},
    alerts,
    audit::{self, BrokenChain, security_events},
    db::StorageError,
    effects, feed, idempotency, instances, invitations, key_requests,
    orgs::empty,
    peppers, refusals, service_tokens,
    time::Timestamp,
    usage,
};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{allocator, app_state::AppState};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The time between two writes of security events.
const LOG: Duration = Duration::from_secs(1);
/// The time between two deletions of ended sessions, old counts and old audit log entries.
const CLEAN_UP: Duration = Duration::from_secs(3_600);
/// The time between two deletions of expired sign-in attempts, which take up space in a table of limited size.
const ATTEMPTS: Duration = Duration::from_secs(60);

/// The time between two looks at whether an hour has ended, and with it the sums of usage by key.
const ROLL: Duration = Duration::from_secs(30);

/// The time between two looks for keys with far more requests than usual.
const ALERTS: Duration = Duration::from_secs(600);

/// The time between two looks for reminders about keys, which go through all keys.
const REMINDERS: Duration = Duration::from_secs(3_600);

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
        tasks.spawn(flush_usage(state.clone(), stop.clone()));
        tasks.spawn(roll_usage(state.clone(), stop.clone()));
        tasks.spawn(notice_alerts(state.clone(), stop.clone()));
        tasks.spawn(remind(state.clone(), stop.clone()));
        tasks.spawn(log_security_events(state.clone(), stop.clone()));
        tasks.spawn(clean_up(state.clone(), stop.clone()));
        tasks.spawn(forget_attempts(state.clone(), stop.clone()));
        tasks.spawn(follow_changes(state.clone(), stop.clone()));
        tasks.spawn(watch_effects(state.clone(), stop.clone()));
        tasks.spawn(beat(state.clone(), started_at, stop.clone()));
        tasks.spawn(empty_deleted_orgs(state.clone(), stop.clone()));
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

async fn flush_usage(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(state.settings.usage_flush);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = peppers::move_digests(&state.engine).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to move digests to the current pepper; retrying"
            );
        }
        if let Err(error) = service_tokens::store_last_use(&state.engine).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to write the last use of service tokens; retrying"
            );
        }
        if let Err(error) = refusals::store(&state.engine).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to write rejected requests; retrying"
            );
        }
        if let Err(error) = usage::flush::flush_regularly(&state.engine).await {
            state.metrics.failed_flushes.increment(1);
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to write usage; retrying"
            );
        }
    }
}

async fn roll_usage(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(ROLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        // A long move does not delay the shutdown, and continues after the next start.
        let rolled = tokio::select! {
            rolled = usage::roll::roll(&state.engine) => rolled,
            () = stop.cancelled() => return,
        };
        if let Err(error) = rolled {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to update the sums of usage by key; retrying"
            );
        }
    }
}

async fn remind(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(REMINDERS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = alerts::post_reminders(&state.engine).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to look for reminders about keys; retrying"
            );
        }
    }
}

async fn notice_alerts(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(ALERTS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let noticed = tokio::select! {
            noticed = alerts::notice(&state.engine) => noticed,
            () = stop.cancelled() => return,
        };
        let posted = match noticed {
            Ok(()) => alerts::post_digests(&state.engine).await,
            Err(error) => Err(error),
        };
        if let Err(error) = posted {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to look for keys with unusual requests; retrying"
            );
        }
    }
}

async fn log_security_events(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(LOG);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let written = security_events::write(&state.engine, false).await;
        if let Err(error) = &written
            && !failed
        {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "failed to write security events to the audit log; retrying"
            );
        }
        failed = written.is_err();
    }
}

async fn clean_up(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(CLEAN_UP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = second_factor::move_to_current_pepper(&state.engine).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to move second factors to the current pepper; retrying"
            );
        }
        // A long deletion does not delay the shutdown. The remaining rows are deleted after the next start.
        let deleted = tokio::select! {
            deleted = delete_old(&state) => deleted,
            () = stop.cancelled() => return,
        };
        if let Err(error) = deleted {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to delete old rows"
            );
        }
    }
}

async fn forget_attempts(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(ATTEMPTS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = attempts::delete_ended(&state.engine).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "failed to delete old sign-in attempts; retrying"
            );
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

/// Removes the rows of deleted organizations: after each deletion, and every hour what is left.
async fn empty_deleted_orgs(state: AppState, stop: CancellationToken) {
    let mut ticks = interval(CLEAN_UP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = empty::deleted(&state.engine) => {}
            () = stop.cancelled() => return,
        }
        // A long removal does not delay the shutdown, and continues after the next start.
        let emptied = tokio::select! {
            emptied = empty::empty_deleted(&state.engine) => emptied,
            () = stop.cancelled() => return,
        };
        if let Err(error) = emptied {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to remove the rows of a deleted organization; retrying within an hour"
            );
        }
    }
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

async fn delete_old(state: &AppState) -> Result<(), BrokenChain> {
    let engine = &state.engine;
    let ended = sessions::delete_ended(engine).await?;
    tracing::debug!(ended, "deleted ended sessions");
    idempotency::delete_old(engine).await?;
    invitations::delete_expired(engine).await?;
    links::delete_expired(engine).await?;
    instances::delete_old(engine).await?;
    effects::delete_old(engine).await?;
    usage::retention::delete_old(engine).await?;
    refusals::delete_old(engine).await?;
    alerts::delete_old(engine).await?;
    key_requests::delete_old(engine).await?;
    audit::retention::delete_old(engine, state.settings.audit_kept_for).await
}
