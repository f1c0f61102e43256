//! Follows the usage of an organization as long as it has streams.

use latchkey::{access::rights_of_sessions, id::OrgId};
use latchkey_app::AppError;
use tokio::time::{MissedTickBehavior, interval};

use super::{CHECK, EVERY, HEARTBEAT, event, streams::Task};
use crate::app_state::AppState;

/// Runs until the last stream has ended, or the server stops.
pub async fn follow(state: AppState, org_id: OrgId, task: Task) {
    let stop = task.stop().clone();
    tokio::select! {
        () = check(&state, org_id, &task) => {}
        () = compute(&state, &task) => {}
        () = stop.cancelled() => {}
    }
}

/// Ends the streams whose sessions or roles have ended. If the database does not answer, all do: browsers connect again.
async fn check(state: &AppState, org_id: OrgId, task: &Task) {
    let mut ticks = interval(CHECK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(sessions) = task.sessions() else {
            return;
        };
        let rights = rights_of_sessions(&state.engine, org_id, &sessions).await;
        if let Err(error) = &rights {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "failed to check the sessions of live pages");
        }
        task.keep(&rights.unwrap_or_default());
    }
}

/// Computes and sends one report after the other, with comments between them.
async fn compute(state: &AppState, task: &Task) {
    let mut reports = interval(EVERY);
    reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut comments = interval(HEARTBEAT);
    loop {
        tokio::select! {
            _ = comments.tick() => {
                task.send_comment();
                continue;
            }
            _ = reports.tick() => {}
        }
        let Some((view, membership)) = task.next_view() else {
            continue;
        };
        state.metrics.live_reports.increment(1);
        match view.report(&state.engine, &membership).await {
            Ok(html) => task.send(&view, &event(&html)),
            // The page itself says why its question has no answer.
            Err(AppError::Unreadable) => {}
            Err(_) => tracing::warn!("failed to compute the usage of live pages; retrying"),
        }
    }
}
