//! Writes buffered events to the logs, within the limits.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

use serde_json::Map;

use crate::{
    Engine,
    audit::append::{Appended, NewEntry, append},
    caller::{Actor, Caller, Via, Visit},
    db::{StorageError, on, places},
    event::Event,
    id::{OrgId, UserId},
    instances,
    time::{HOUR, Timestamp},
};

use super::noted::{Count, Log, Noted, SecurityEvent, said};

/// Entries of each [`Share`] per hour in an org's log, over all instances: about 100 together.
const MAX_OF_ORG: u32 = 33;
/// Entries of one kind of event, with one detail, per hour and actor, over all instances.
const MAX_OF_ACTOR: u32 = 10;
/// Entries of one kind of change of an account, per hour and actor, over all instances. They are changes and no noise, and
/// each requires a password or a link, so an org has no common limit for them.
const MAX_OF_ACCOUNT: u32 = 30;
/// Entries of each [`Share`] per hour that belong to no org, such as failed sign-ins to unknown accounts, over all
/// instances: about 1,000 together.
const MAX_OF_NO_ORG: u32 = 333;
/// Maximum number of users per query for memberships.
const PEOPLE_AT_ONCE: usize = 500;

/// The state of the writer.
#[derive(Debug, Default)]
pub(super) struct Writing {
    /// Events whose logs have not been looked up yet.
    noted: Noted,
    /// Entries within the limits that are not known to be stored yet.
    entries: Vec<NewEntry>,
    /// The last attempt to write entries, while its outcome is unknown.
    unanswered: Option<Unanswered>,
    /// The counts of the current hour, by log.
    hours: HashMap<Option<OrgId>, Hour>,
    /// How many instances share the limits.
    instances: u32,
}

/// A commit with an unknown outcome.
#[derive(Debug)]
struct Unanswered {
    /// Number of entries it contained, from the start of `entries`.
    entries: usize,
    /// The last of these entries, identified by its hash, which no other entry has.
    last: Appended,
}

/// Events above a limit.
#[derive(Debug, Clone, Copy)]
struct More {
    count: u64,
    /// The actor, if all events have the same one.
    actor: Actor,
}

/// Groups of events that share a limit, by who can cause them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    /// Failed sign-ins and requests for a new password: anyone who knows an email address can cause them.
    Outsiders,
    /// Denials: members and tokens of the org cause them.
    Denials,
    /// Changes of an account, such as of its password or second factor.
    Accounts,
    /// Everything else that succeeds, by members and tokens of the org.
    Successes,
}

impl Share {
    fn of(event: Event, actor: Actor) -> Self {
        match event {
            Event::SessionFailed => Self::Outsiders,
            Event::PasswordResetRequested if actor == Actor::Unknown => Self::Outsiders,
            Event::AccessDenied => Self::Denials,
            Event::PasswordChanged
            | Event::PasswordReset
            | Event::EmailChanged
            | Event::EmailConfirmed
            | Event::SecondFactorEnabled
            | Event::SecondFactorDisabled
            | Event::RecoveryCodesCreated
            | Event::AccountDisabled
            | Event::AccountEnabled => Self::Accounts,
            _ => Self::Successes,
        }
    }
}

/// The counts of one log for one hour.
#[derive(Debug)]
struct Hour {
    began: Timestamp,
    /// Number of entries written.
    written: BTreeMap<Share, u32>,
    /// Number of entries written, by kind and actor.
    by_actor: HashMap<(Event, Option<String>, Actor), u32>,
    /// Events above the limits.
    more: BTreeMap<(Event, Via), More>,
}

/// Appends buffered events to the audit log, and the summaries of hours that have ended. With `is_last`, before the
/// process ends, it also appends the summary of the current hour.
///
/// # Errors
/// If the database cannot be reached. Buffered events are kept for the next call.
pub async fn write(engine: &Engine, is_last: bool) -> Result<(), StorageError> {
    let mut writing = engine.security_events.writing.lock().await;
    let writing = &mut *writing;
    let now = engine.clock.now();
    writing.end_hours(|hour| hour.began != now.floor(HOUR), now);
    if writing.noted.by_source.is_empty() {
        writing.noted = mem::take(&mut *engine.security_events.noted());
    }
    if !writing.noted.by_source.is_empty() {
        let orgs = orgs_of(engine, &writing.noted).await?;
        writing.instances = instances::count_running(engine).await?.max(1);
        writing.take(&orgs, now);
    }
    if is_last {
        writing.end_hours(|_| true, now);
    }
    if writing.entries.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.begin_unrecorded().await?;
    if let Some(Unanswered { entries, last }) = &writing.unanswered
        && last.is_stored(engine, &mut tx).await?
    {
        writing.entries.drain(..entries);
    }
    writing.unanswered = None;
    if writing.entries.is_empty() {
        return Ok(());
    }
    let last = append(engine, &mut tx, &writing.entries).await?;
    // Set before the commit, since this future can be dropped while it waits.
    writing.unanswered = Some(Unanswered {
        entries: writing.entries.len(),
        last,
    });
    tx.commit().await?;
    writing.unanswered = None;
    writing.entries.clear();
    Ok(())
}

/// The orgs of the users that the events are about.
async fn orgs_of(
    engine: &Engine,
    noted: &Noted,
) -> Result<HashMap<UserId, Vec<OrgId>>, StorageError> {
    let mut people: Vec<UserId> = noted
        .by_source
        .keys()
        .filter_map(|source| match source.log {
            Log::OrgsOf(user_id) => Some(user_id),
            Log::Org(_) | Log::NoOrgs => None,
        })
        .collect();
    people.sort_unstable();
    people.dedup();
    let mut orgs: HashMap<UserId, Vec<OrgId>> = HashMap::new();
    for people in people.chunks(PEOPLE_AT_ONCE) {
        let sql = format!(
            "SELECT user_id, org_id FROM memberships WHERE user_id IN ({}) ORDER BY org_id",
            places(1, people.len())
        );
        let rows: Vec<(UserId, OrgId)> = on!(engine.db.read(), c => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            for user_id in people {
                query = query.bind(*user_id);
            }
            query.fetch_all(c).await
        })?;
        for (user_id, org_id) in rows {
            orgs.entry(user_id).or_default().push(org_id);
        }
    }
    Ok(orgs)
}

impl Writing {
    /// Turns buffered events into entries as far as the limits allow, and counts the rest.
    fn take(&mut self, orgs: &HashMap<UserId, Vec<OrgId>>, now: Timestamp) {
        let logs = |log| match log {
            Log::Org(org_id) => vec![Some(org_id)],
            Log::NoOrgs => vec![None],
            Log::OrgsOf(user_id) => orgs.get(&user_id).map_or_else(
                || vec![None],
                |orgs| orgs.iter().copied().map(Some).collect(),
            ),
        };
        let Noted { events, by_source } = mem::take(&mut self.noted);
        let instances = self.instances;
        for (at, noted) in events {
            for log in logs(noted.log) {
                let actor = noted.caller.actor;
                let (max, max_of_actor) = match (Share::of(noted.event, actor), log) {
                    (Share::Accounts, _) => (u32::MAX, MAX_OF_ACCOUNT),
                    (_, Some(_)) => (MAX_OF_ORG, MAX_OF_ACTOR),
                    // All unknown callers of the instance count as one actor.
                    (_, None) if actor == Actor::Unknown => (MAX_OF_NO_ORG, u32::MAX),
                    (_, None) => (MAX_OF_NO_ORG, MAX_OF_ACTOR),
                };
                let kind = (noted.event, noted.detail(), actor);
                let (max, max_of_actor) =
                    (max.div_ceil(instances), max_of_actor.div_ceil(instances));
                if self.hour(log, now).lets_pass(kind, max, max_of_actor) {
                    self.entries.push(entry(log, at, &noted));
                } else {
                    let more = More {
                        count: 1,
                        actor: noted.caller.actor,
                    };
                    self.hour(log, now)
                        .count(noted.event, noted.caller.via, more);
                }
            }
        }
        for (source, Count { more, .. }) in by_source {
            let actor = source.actor;
            for (via, count) in more {
                for log in logs(source.log) {
                    let more = More { count, actor };
                    self.hour(log, now).count(source.event, via, more);
                }
            }
        }
    }

    fn hour(&mut self, log: Option<OrgId>, now: Timestamp) -> &mut Hour {
        self.hours.entry(log).or_insert_with(|| Hour::new(now))
    }

    /// Adds summary entries for the hours that have ended.
    fn end_hours(&mut self, is_over: impl Fn(&Hour) -> bool, now: Timestamp) {
        let Self { entries, hours, .. } = self;
        hours.retain(|log, hour| {
            let is_over = is_over(hour);
            if is_over {
                let more = mem::take(&mut hour.more).into_iter();
                entries
                    .extend(more.map(|((event, via), more)| and_more(*log, now, event, via, more)));
            }
            !is_over
        });
    }
}

impl Hour {
    fn new(now: Timestamp) -> Self {
        Self {
            began: now.floor(HOUR),
            written: BTreeMap::new(),
            by_actor: HashMap::new(),
            more: BTreeMap::new(),
        }
    }

    /// Whether one more event can be written, with at most `max` in its share. If so, it counts as written. The first event of
    /// a kind from an actor is always written, so that nobody can hide it behind events of others: in an org's log, the only
    /// actors are its members and tokens, and all strangers together.
    fn lets_pass(
        &mut self,
        kind: (Event, Option<String>, Actor),
        max: u32,
        max_of_actor: u32,
    ) -> bool {
        let (event, _, actor) = kind;
        let written = self.written.entry(Share::of(event, actor)).or_default();
        let by_actor = self.by_actor.get(&kind).copied().unwrap_or(0);
        let passes = by_actor == 0 || (*written < max && by_actor < max_of_actor);
        if passes {
            *written += 1;
            self.by_actor.insert(kind, by_actor + 1);
        }
        passes
    }

    /// Counts events that are not written.
    fn count(&mut self, event: Event, via: Via, more: More) {
        let none = More { count: 0, ..more };
        let all = self.more.entry((event, via)).or_insert(none);
        all.count += more.count;
        if all.actor != more.actor {
            all.actor = Actor::Unknown;
        }
    }
}

fn entry(log: Option<OrgId>, at: Timestamp, noted: &SecurityEvent) -> NewEntry {
    NewEntry {
        org_id: log,
        at,
        caller: noted.caller.clone(),
        event: noted.event,
        target: noted.target(),
        changes: noted.changes.clone(),
    }
}

/// A summary entry: "and n more".
fn and_more(log: Option<OrgId>, at: Timestamp, event: Event, via: Via, more: More) -> NewEntry {
    NewEntry {
        org_id: log,
        at,
        caller: Caller {
            actor: more.actor,
            via,
            visit: Visit::default(),
        },
        event,
        target: None,
        changes: Map::from_iter([("more".to_owned(), said(more.count.into()))]),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    #[test]
    fn outsiders_denials_and_what_succeeds_have_shares_of_their_own() {
        let mut hour = Hour::new(Timestamp::from_millis(0));
        let mut passed = |event, actors: Range<i64>| {
            let tries = actors.flat_map(|number| [actor(number); 10]);
            tries
                .filter(|actor| hour.lets_pass((event, None, *actor), MAX_OF_ORG, MAX_OF_ACTOR))
                .count()
        };
        assert_eq!(passed(Event::SessionFailed, 0..5), 33 + 1);
        assert_eq!(passed(Event::AccessDenied, 0..5), 33 + 1);
        assert_eq!(passed(Event::SessionStarted, 0..5), 33 + 1);
        assert_eq!(passed(Event::ExportMade, 5..6), 1);
    }

    #[test]
    fn the_first_of_a_kind_from_an_actor_is_written_however_many_others_there_are() {
        let mut hour = Hour::new(Timestamp::from_millis(0));
        let mut passed = |event, actors: Range<i64>| {
            let tries = actors.flat_map(|number| [actor(number); 10]);
            tries
                .filter(|actor| hour.lets_pass((event, None, *actor), MAX_OF_ORG, MAX_OF_ACTOR))
                .count()
        };
        assert_eq!(passed(Event::SessionFailed, 0..100), 33 + 96);
        assert_eq!(passed(Event::SessionFailed, 0..100), 0);
    }

    #[test]
    fn one_actor_leaves_room_for_others_and_for_what_else_they_do() {
        let mut hour = Hour::new(Timestamp::from_millis(0));
        let mut passed = |event, who| {
            (0..500)
                .filter(|_| hour.lets_pass((event, None, actor(who)), MAX_OF_ORG, MAX_OF_ACTOR))
                .count()
        };
        assert_eq!(passed(Event::SessionStarted, 1), 10);
        assert_eq!(passed(Event::SessionStarted, 2), 10);
        assert_eq!(passed(Event::ExportMade, 1), 10);
    }

    fn actor(number: i64) -> Actor {
        Actor::User(UserId::new(number, [0; 10]))
    }
}
