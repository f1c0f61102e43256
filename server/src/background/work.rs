//! All work that is repeated in the background, in one list, so that tests do what the server does.

use std::{error::Error, time::Duration};

use futures_util::future::BoxFuture;
use latchkey::{
    Engine,
    accounts::{attempts, links, second_factor, sessions},
    alerts,
    audit::{self, security_events},
    effects, idempotency, instances, invitations, key_requests,
    orgs::empty,
    peppers, refusals, service_tokens, usage,
};

/// Why work failed.
type Failure = Box<dyn Error + Send + Sync>;

/// Work that is done one after another, again and again. If one fails, the others are done nevertheless.
#[derive(Debug)]
pub struct Task {
    pub work: &'static [Work],
    pub(super) every: Every,
    /// Returns when there is work before it is time.
    pub(super) wakes: Option<for<'a> fn(&'a Engine) -> BoxFuture<'a, ()>>,
}

/// The time between two runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Every {
    /// The setting.
    UsageFlush,
    Seconds(u64),
}

/// One piece of work.
#[derive(Debug)]
pub struct Work {
    /// Does the work. It takes how long the audit log is kept.
    pub run: for<'a> fn(&'a Engine, Duration) -> BoxFuture<'a, Result<(), Failure>>,
    /// What the log says if it fails.
    pub(super) failure: &'static str,
    pub(super) is_told: Told,
    /// Whether it takes so long that it must not delay the shutdown: it is cut off, and continues after the next start.
    pub(super) is_cut_off: bool,
}

/// How the log tells a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    AsError,
    /// As an error, and counted as a failed flush.
    AsFailedFlush,
    /// As an error, but only the first of several in a row.
    Once,
    ForDebugging,
}

/// Work that fails with this message. It is told as an error, and delays the shutdown.
macro_rules! work {
    ($run:path, $failure:literal) => {
        Work {
            run: |engine, _| {
                Box::pin(async move {
                    $run(engine).await?;
                    Ok(())
                })
            },
            failure: $failure,
            is_told: Told::AsError,
            is_cut_off: false,
        }
    };
}

/// A deletion of old rows.
macro_rules! deletion {
    ($run:path) => {
        Work {
            is_cut_off: true,
            ..work!($run, "failed to delete old rows")
        }
    };
}

const fn every(seconds: u64, work: &'static [Work]) -> Task {
    Task {
        work,
        every: Every::Seconds(seconds),
        wakes: None,
    }
}

/// What is repeated.
pub static TASKS: [Task; 8] = [
    Task {
        work: &[
            work!(
                peppers::move_digests,
                "failed to move digests to the current pepper; retrying"
            ),
            work!(
                service_tokens::store_last_use,
                "failed to write the last use of service tokens; retrying"
            ),
            work!(
                refusals::store,
                "failed to write rejected requests; retrying"
            ),
            Work {
                is_told: Told::AsFailedFlush,
                ..work!(
                    usage::flush::flush_regularly,
                    "failed to write usage; retrying"
                )
            },
        ],
        every: Every::UsageFlush,
        wakes: None,
    },
    every(
        1,
        &[Work {
            run: |engine, _| {
                Box::pin(async move { Ok(security_events::write(engine, false).await?) })
            },
            failure: "failed to write security events to the audit log; retrying",
            is_told: Told::Once,
            is_cut_off: false,
        }],
    ),
    // An hour can have ended, and with it the sums of usage by key.
    every(
        30,
        &[Work {
            is_cut_off: true,
            ..work!(
                usage::roll::roll,
                "failed to update the sums of usage by key; retrying"
            )
        }],
    ),
    // Ended attempts take up space in a table of limited size.
    every(
        60,
        &[Work {
            is_told: Told::ForDebugging,
            ..work!(
                attempts::delete_ended,
                "failed to delete old sign-in attempts; retrying"
            )
        }],
    ),
    every(
        600,
        &[
            Work {
                is_cut_off: true,
                ..work!(
                    alerts::notice,
                    "failed to look for keys with unusual requests; retrying"
                )
            },
            work!(
                alerts::post_digests,
                "failed to send alerts about keys with unusual requests; retrying"
            ),
        ],
    ),
    // Goes through all keys.
    every(
        3_600,
        &[work!(
            alerts::post_reminders,
            "failed to look for reminders about keys; retrying"
        )],
    ),
    Task {
        work: &[Work {
            is_cut_off: true,
            ..work!(
                empty::empty_deleted,
                "failed to remove the rows of a deleted organization; retrying within an hour"
            )
        }],
        every: Every::Seconds(3_600),
        wakes: Some(|engine| Box::pin(empty::deleted(engine))),
    },
    every(
        3_600,
        &[
            work!(
                second_factor::move_to_current_pepper,
                "failed to move second factors to the current pepper; retrying"
            ),
            deletion!(sessions::delete_ended),
            deletion!(idempotency::delete_old),
            deletion!(invitations::delete_expired),
            deletion!(links::delete_expired),
            deletion!(instances::delete_old),
            deletion!(effects::delete_old),
            deletion!(usage::retention::delete_old),
            deletion!(refusals::delete_old),
            deletion!(alerts::delete_old),
            deletion!(key_requests::delete_old),
            deletion!(key_requests::hand_over::delete_old),
            Work {
                run: |engine, kept_for| {
                    Box::pin(
                        async move { Ok(audit::retention::delete_old(engine, kept_for).await?) },
                    )
                },
                failure: "failed to delete old rows",
                is_told: Told::AsError,
                is_cut_off: true,
            },
        ],
    ),
];
