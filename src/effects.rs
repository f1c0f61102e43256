//! Whether a change of a key is in effect on every instance, and how long that took.
//!
//! Each instance stores how far it has read the audit log (see [`crate::instances`]). The one that committed a change
//! watches until all others have read it, and measures that by its own clock, which never goes back: clocks of several
//! instances differ. The time is from the commit to when the watcher saw the last of them, some milliseconds too long
//! rather than too short. It is stored, since any instance may render the page that shows it.
//!
//! An instance that does not respond may still run, cut off from the database. It trusts its memory for a minute after its
//! last heartbeat, and the others wait for it a little longer: what that rests on is in ARCHITECTURE.md, under "What silence
//! means". No two instances compare their clocks for it: when one was seen is a time of the database's clock.

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
    event::{Event, Target},
    id::KeyId,
    time::{HOUR, SECOND, Timestamp},
    verify::{DECIDED_WITHIN, cache::TRUSTED_FOR},
};

/// Milliseconds after its last heartbeat until an instance decides on nothing that it knew then: the life of memory, the time
/// that a request may take which found something there, and a second for clocks that are not equally fast.
pub const SETTLED_AFTER: i64 = TRUSTED_FOR + DECIDED_WITHIN + SECOND;
/// How long an instance that responds takes at most.
const PROMPT: i64 = 2 * SECOND;
/// Between two looks at the other instances, while a change is new.
const SHORT_PAUSE: Duration = Duration::from_millis(10);
/// The same when it is older: an instance may not respond.
const LONG_PAUSE: Duration = Duration::from_millis(250);
/// Changes that are waited for at the same time; of more the oldest get no time.
const MAX_PENDING: usize = 1_000;

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is in effect on every instance.
    Everywhere {
        /// How many milliseconds that took, where the instance that made the change could measure it.
        after: Option<i64>,
    },
    /// Some instances have not read it yet.
    Soon,
    /// Some instance has not read it for longer than one that responds takes.
    Late {
        /// When the change is in effect even there.
        at_the_latest: Timestamp,
    },
}

/// The last change of a key, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastChange {
    /// How far it has come.
    pub effect: Effect,
    /// Whether it was made a short time ago, or some instance has not read it.
    pub is_recent: bool,
}

/// The changes of this process that other instances may not know of.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pending: Mutex<VecDeque<Pending>>,
    woken: Notify,
    /// By how many milliseconds this process's clock was ahead of the database's when they were last compared.
    ahead: Mutex<Option<i64>>,
}

#[derive(Debug, Clone)]
struct Pending {
    entries: Appended,
    committed_at: Monotonic,
}

impl Effects {
    /// Notes that a change was committed just now. Only changes of keys that exist are waited for.
    pub(crate) fn note(&self, events: &[(Event, Target)], entries: Appended, now: Monotonic) {
        let is_waited_for = |(event, target): &(Event, Target)| {
            matches!(target, Target::Key(_)) && !is_first(*event)
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

    /// By how many milliseconds this process's clock is ahead of the database's. No two measurements are the same: one is
    /// kept until it is half a second off, so that a time shown to someone who watches does not move.
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

/// In SQL, whether the log has the entry that an instance read last, or begins right after it. A log that went back has others
/// at its positions: whoever read those has not read what came after.
macro_rules! has_what_was_read {
    () => {
        "(EXISTS (SELECT 1 FROM audit_log \
         WHERE audit_log.position = instances.position AND audit_log.hash = instances.hash) \
         OR EXISTS (SELECT 1 FROM audit_checkpoint \
         WHERE audit_checkpoint.position = instances.position AND audit_checkpoint.hash = instances.hash))"
    };
}

/// Whether an event is a key's first: nothing was before it that memory could hold.
const fn is_first(event: Event) -> bool {
    matches!(event, Event::KeyCreated | Event::KeyImported)
}

/// Watches when changes of this process come into effect on every other instance, until it is dropped.
pub async fn watch(engine: &Engine) {
    loop {
        engine.effects.woken.notified().await;
        loop {
            if let Err(error) = look(engine).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "when a change came into effect was not stored and is tried again"
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

/// Stores which changes of this process are in effect on every other instance by now, and after how long.
///
/// # Errors
/// When the database does not answer; the next look tries again.
pub async fn look(engine: &Engine) -> Result<(), StorageError> {
    const OTHERS: &str = concat!(
        "SELECT MIN(CASE WHEN ",
        has_what_was_read!(),
        " THEN position ELSE 0 END) FROM instances WHERE id <> $1 AND seen_at > $2"
    );
    // What a log lost that went back is in effect nowhere.
    const INSERT: &str = "INSERT INTO effects (first_position, last_position, millis, noted_at) \
         SELECT CAST($1 AS BIGINT), position, CAST($3 AS BIGINT), CAST($4 AS BIGINT) \
         FROM audit_log WHERE position = $2 AND hash = $5 ON CONFLICT (first_position) DO NOTHING";
    let asked_at = engine.clock.monotonic();
    // After that it is in effect everywhere, and nobody asks how long that took.
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

/// The last change of a key, and how far it has come; `None` when the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_key(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    id: KeyId,
) -> Result<Option<LastChange>, StorageError> {
    const LAST: &str = "SELECT audit_log.position, audit_log.at, audit_log.event, audit_log.via FROM keys \
         LEFT JOIN audit_log ON audit_log.org_id = keys.org_id AND audit_log.target_id = keys.id \
         AND audit_log.position > (SELECT position FROM audit_checkpoint) \
         WHERE keys.org_id = $1 AND keys.id = $2 ORDER BY audit_log.seq DESC LIMIT 1";
    type Row = (
        Option<i64>,
        Option<Timestamp>,
        Option<String>,
        Option<String>,
    );
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(LAST)
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?;
    let Some(row) = row else { return Ok(None) };
    // Old entries are deleted.
    let (Some(position), Some(at), Some(event), Some(via)) = row else {
        return Ok(Some(LastChange {
            effect: Effect::Everywhere { after: None },
            is_recent: false,
        }));
    };
    // Clocks of instances differ: this only says how soon to ask again, and whether to say anything.
    let age = engine.clock.now().since(at).abs();
    let effect = match measured(engine, position).await? {
        Some(after) => Effect::Everywhere { after: Some(after) },
        None => match settled_at(engine, position).await? {
            // The command line ends after a change; what else makes one is about to say how long it took.
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

/// When no instance decides any more by what was before `position`, by this process's clock; `None` when that is so now.
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

/// Deletes what nobody asks for any more.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM effects WHERE noted_at <= $1";
    let before = engine.clock.now().plus(-HOUR);
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(before).execute(c).await.map(drop))?;
    Ok(())
}
