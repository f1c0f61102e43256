//! Whether a change of a key is in effect on every instance, and how long that took.
//!
//! Each instance stores how far it has read the audit log (see [`crate::instances`]). The instance that committed a
//! change waits until all others have read it, and measures the time by its own monotonic clock, since the clocks of
//! instances differ. The time runs from the commit until this instance saw that the last one had read the change, so
//! it is some milliseconds too long rather than too short. It is stored, since any instance can render the page that
//! shows it.
//!
//! An instance that does not respond may still be running, cut off from the database. It trusts its cache for a
//! minute after its last heartbeat, and the others wait a little longer than that; ARCHITECTURE.md explains the
//! reasoning under "What silence means". Instances never compare their clocks for this: heartbeats are timestamped
//! with the database's clock.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use crate::{
    Engine,
    access::{Permit, to},
    audit::Appended,
    caller::Via,
    clock::Monotonic,
    db::{StorageError, on},
    event::{Event, Stale, Target},
    id::KeyId,
    time::{HOUR, SECOND, Timestamp},
    verify::{DECIDED_WITHIN, cache::TRUSTED_FOR},
};

/// Milliseconds after its last heartbeat until an instance no longer decides on anything it had cached by then: the
/// lifetime of the cache, the maximum duration of a request that read from it, and one second for clock drift.
pub const SETTLED_AFTER: i64 = TRUSTED_FOR + DECIDED_WITHIN + SECOND;
/// Maximum time that a responsive instance takes to read a change, in milliseconds.
const PROMPT: i64 = 2 * SECOND;
/// Pause between two queries for the other instances' positions, while a change is new.
const SHORT_PAUSE: Duration = Duration::from_millis(10);
/// Pause between two queries when the change is older, as an instance may not be responding.
const LONG_PAUSE: Duration = Duration::from_millis(250);
/// Maximum number of changes tracked concurrently. Beyond that, the oldest ones are not measured.
const MAX_PENDING: usize = 1_000;

/// How far a change has propagated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The change is in effect on every instance.
    Everywhere {
        /// How many milliseconds that took, if the instance that made the change was able to measure it.
        after: Option<i64>,
    },
    /// Some instances have not read the change yet.
    Soon,
    /// An instance has not read the change for longer than a responsive one takes.
    Late {
        /// When the change is in effect on that instance at the latest.
        at_the_latest: Timestamp,
    },
}

/// The last change of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastChange {
    /// How far the change has propagated.
    pub effect: Effect,
    /// Whether the change is recent, or an instance has not read it yet.
    pub is_recent: bool,
}

/// Changes committed by this process that other instances may not have read yet.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pending: Mutex<VecDeque<Pending>>,
    woken: Notify,
    /// How many milliseconds this process's clock was ahead of the database's when they were last compared.
    ahead: Mutex<Option<i64>>,
}

#[derive(Debug, Clone)]
struct Pending {
    entries: Appended,
    committed_at: Monotonic,
}

impl Effects {
    /// Starts tracking a change that was just committed. Only changes of existing keys are tracked.
    pub(crate) fn note(&self, events: &[(Event, Target)], entries: Appended, now: Monotonic) {
        let is_waited_for = |(event, target): &(Event, Target)| {
            matches!(target, Target::Key(_)) && !is_first(*event) && event.stale() != Stale::Nothing
        };
        if !events.iter().any(is_waited_for) {
            return;
        }
        let mut pending = self.pending();
        if pending.len() == MAX_PENDING {
            pending.pop_front();
        }
        pending.push_back(Pending {
            entries,
            committed_at: now,
        });
        self.woken.notify_one();
    }

    /// How many milliseconds this process's clock is ahead of the database's. Measurements vary slightly, so one is
    /// kept until it is off by half a second. That way, a displayed time does not jump.
    fn ahead(&self, measured: i64) -> i64 {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        match *ahead {
            Some(kept) if (measured - kept).abs() < SECOND / 2 => kept,
            _ => *ahead.insert(measured),
        }
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, VecDeque<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SQL: whether the log contains the entry that an instance read last, or begins right after it. After a failover
/// that lost entries, other entries take their positions: an instance that read the lost ones has not read these.
macro_rules! has_what_was_read {
    () => {
        "(EXISTS (SELECT 1 FROM audit_log \
         WHERE audit_log.position = instances.position AND audit_log.hash = instances.hash) \
         OR EXISTS (SELECT 1 FROM audit_checkpoint \
         WHERE audit_checkpoint.position = instances.position AND audit_checkpoint.hash = instances.hash))"
    };
}

/// Whether this is the first event of a key, so that no cache can hold an older state.
const fn is_first(event: Event) -> bool {
    matches!(event, Event::KeyCreated | Event::KeyImported)
}

/// Tracks when changes of this process take effect on all other instances, until the future is dropped.
pub async fn watch(engine: &Engine) {
    loop {
        engine.effects.woken.notified().await;
        loop {
            if let Err(error) = look(engine).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "failed to store when a change took effect; retrying"
                );
            }
            let newest = engine
                .effects
                .pending()
                .back()
                .map(|last| last.committed_at);
            let Some(committed_at) = newest else { break };
            let age = engine.clock.monotonic().since(committed_at);
            sleep(if age < PROMPT {
                SHORT_PAUSE
            } else {
                LONG_PAUSE
            })
            .await;
        }
    }
}

/// Stores which changes of this process are now in effect on all other instances, and how long that took.
///
/// # Errors
/// If the database cannot be reached. The next call tries again.
pub async fn look(engine: &Engine) -> Result<(), StorageError> {
    const OTHERS: &str = concat!(
        "SELECT MIN(CASE WHEN ",
        has_what_was_read!(),
        " THEN position ELSE 0 END) FROM instances WHERE id <> $1 AND seen_at > $2"
    );
    // Entries lost in a failover are in effect nowhere.
    const INSERT: &str = "INSERT INTO effects (first_position, last_position, millis, noted_at) \
         SELECT CAST($1 AS BIGINT), position, CAST($3 AS BIGINT), CAST($4 AS BIGINT) \
         FROM audit_log WHERE position = $2 AND hash = $5 ON CONFLICT (first_position) DO NOTHING";
    let asked_at = engine.clock.monotonic();
    // By then the change is in effect everywhere, and the time is no longer of interest.
    let is_awaited = |pending: &Pending| asked_at.since(pending.committed_at) < SETTLED_AFTER;
    engine.effects.pending().retain(is_awaited);
    let since = engine.db.now(&engine.clock).await?.plus(-SETTLED_AFTER);
    let others: Option<i64> = on!(engine.db.read(), c => sqlx::query_scalar(OTHERS)
        .bind(engine.recorder.instance()).bind(since).fetch_one(c).await)?;
    let (seen_at, now) = (engine.clock.monotonic(), engine.clock.now());
    let is_everywhere =
        |pending: &Pending| others.is_none_or(|others| others >= pending.entries.positions.last);
    let known: Vec<Pending> = {
        let pending = engine.effects.pending();
        let known = pending.iter().filter(|pending| is_everywhere(pending));
        known.cloned().collect()
    };
    if known.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.begin_unrecorded().await?;
    for Pending {
        entries: Appended { positions, hash },
        committed_at,
    } in &known
    {
        on!(tx.on(), c => sqlx::query(INSERT)
            .bind(positions.first).bind(positions.last).bind(seen_at.since(*committed_at)).bind(now).bind(hash)
            .execute(c).await.map(drop))?;
    }
    tx.commit().await?;
    let is_stored = |pending: &Pending| known.iter().any(|known| known.entries == pending.entries);
    engine
        .effects
        .pending()
        .retain(|pending| !is_stored(pending));
    Ok(())
}

/// Returns the last change of a key and how far it has propagated; `None` if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    id: KeyId,
) -> Result<Option<LastChange>, StorageError> {
    let last = format!(
        "SELECT audit_log.position, audit_log.at, audit_log.event, audit_log.via FROM keys \
         LEFT JOIN audit_log ON audit_log.org_id = keys.org_id AND audit_log.target_id = keys.id \
         AND audit_log.position > (SELECT position FROM audit_checkpoint) AND audit_log.event NOT IN ({}) \
         WHERE keys.org_id = $1 AND keys.id = $2 ORDER BY audit_log.seq DESC LIMIT 1",
        Event::of_unchanged_keys()
    );
    type Row = (
        Option<i64>,
        Option<Timestamp>,
        Option<String>,
        Option<String>,
    );
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(last))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    // Retention deleted the entry.
    let (Some(position), Some(at), Some(event), Some(via)) = row else {
        return Ok(Some(LastChange {
            effect: Effect::Everywhere { after: None },
            is_recent: false,
        }));
    };
    // The clocks of instances differ, so this only determines how soon to check again and whether to show anything.
    let age = engine.clock.now().since(at).abs();
    let effect = match measured(engine, position).await? {
        Some(after) => Effect::Everywhere { after: Some(after) },
        None => match settled_at(engine, position).await? {
            // The command line exits right after a change, without measuring it. A server will store its measurement
            // shortly.
            None if age < PROMPT && via != Via::Cli.as_str() => Effect::Soon,
            None => Effect::Everywhere { after: None },
            Some(_) if age < PROMPT => Effect::Soon,
            Some(at_the_latest) => Effect::Late { at_the_latest },
        },
    };
    let is_everywhere = matches!(effect, Effect::Everywhere { .. });
    Ok(Some(LastChange {
        effect,
        is_recent: !event.parse::<Event>().is_ok_and(is_first)
            && (age < SETTLED_AFTER || !is_everywhere),
    }))
}

async fn measured(engine: &Engine, position: i64) -> Result<Option<i64>, StorageError> {
    const SQL: &str = "SELECT millis FROM effects WHERE first_position <= $1 AND last_position >= $1 \
         ORDER BY first_position DESC LIMIT 1";
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL).bind(position).fetch_optional(c).await)?)
}

/// When no instance decides on state from before `position` any more, by this process's clock; `None` if that is
/// already so.
async fn settled_at(engine: &Engine, position: i64) -> Result<Option<Timestamp>, StorageError> {
    const LAST_SEEN: &str = concat!(
        "SELECT MAX(seen_at) FROM instances WHERE (position < $1 OR NOT ",
        has_what_was_read!(),
        ") AND seen_at > $2"
    );
    let now = engine.db.now(&engine.clock).await?;
    let ahead = engine.effects.ahead(engine.clock.now().since(now));
    let last_seen: Option<Timestamp> = on!(engine.db.read(), c => sqlx::query_scalar(LAST_SEEN)
        .bind(position).bind(now.plus(-SETTLED_AFTER)).fetch_one(c).await)?;
    Ok(last_seen.map(|seen_at| seen_at.plus(SETTLED_AFTER + ahead)))
}

/// Deletes measurements that are no longer of interest.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM effects WHERE noted_at <= $1";
    let before = engine.clock.now().plus(-HOUR);
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(before).execute(c).await.map(drop))?;
    Ok(())
}
