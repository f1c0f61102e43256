//! Counts in memory until the next flush.
//!
//! Each thread that verifies requests counts into its own shard, so that its lock is uncontended.

mod bucket;

pub use self::bucket::{Bucket, Counted};

use std::{
    collections::{BTreeMap, HashMap, VecDeque, hash_map::Entry},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    id::InstanceId,
    outcome::Outcome,
    time::{DAY, HOUR, MINUTE, Timestamp},
};

use super::{
    domains::{Day, Sites},
    ids::Name,
    seen::Seen,
    sightings::{Sighted, Sighting},
    subject::Subject,
};

/// The number of decisions and the time of the last one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    pub count: i64,
    pub last_at: Timestamp,
}

/// The counts of a shard since they were last taken.
#[derive(Debug)]
struct Counts {
    tallies: HashMap<Bucket, Tally>,
    sites: HashMap<Day, Sites>,
    sightings: HashMap<Sighted, Sighting>,
    seen: HashMap<Name, Seen>,
    /// Memory for comparing texts.
    text: String,
    /// The number of tallies at which old ones are merged.
    merge_at: usize,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            tallies: HashMap::new(),
            sites: HashMap::new(),
            sightings: HashMap::new(),
            seen: HashMap::new(),
            text: String::new(),
            merge_at: MERGE_AT,
        }
    }
}

/// Counts stored together, under a number that prevents a retried batch from counting twice. All are sorted, so that
/// instances that store concurrently acquire row locks in the same order.
#[derive(Debug)]
pub(super) struct Batch {
    pub number: i64,
    pub tallies: Vec<(Bucket, Tally)>,
    pub sites: Vec<(Day, Sites)>,
    pub sightings: Vec<(Sighted, Sighting)>,
    pub seen: Vec<(Name, Seen)>,
}

/// The batches that are not stored yet, oldest first, and the number of the next.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub batches: VecDeque<Batch>,
    next_number: i64,
    /// When what requests came with was last taken.
    seen_taken_at: Timestamp,
}

/// Counts that have not been stored yet.
#[derive(Debug)]
pub struct Recorder {
    pub(super) instance: InstanceId,
    shards: Box<[Mutex<Counts>]>,
    /// Held by the flush in progress, so that flushes never overlap.
    pub(super) unfinished: tokio::sync::Mutex<Unfinished>,
    /// The number of tallies in the unfinished batches.
    in_batches: AtomicUsize,
}

/// More than the threads of any expected machine. Further threads share shards.
const SHARDS: usize = 64;
/// The number of tallies of a shard, about 150 bytes each, at which old ones are merged. Flushes take them all long before,
/// unless the database is away.
const MERGE_AT: usize = 50_000;
/// The age from which minutes are merged into hours: those of a flush in progress are younger.
const MERGE_AFTER: i64 = 2 * MINUTE;
/// The maximum number of tallies of a batch. On SQLite, all other writers wait while one is stored.
const BATCH: usize = 5_000;
/// The maximum number of keys of a batch whose origins, scopes, networks and clients are stored.
const SEEN_BATCH: usize = 500;
/// How often they are stored, in milliseconds: less often than counts, since each has a row of its own.
const SEEN_EVERY: i64 = 10_000;

impl Recorder {
    /// Creates a recorder whose batches are numbered under `instance`.
    pub fn new(instance: InstanceId) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            instance,
            shards,
            unfinished: tokio::sync::Mutex::new(Unfinished {
                batches: VecDeque::new(),
                next_number: 1,
                seen_taken_at: Timestamp::from_millis(0),
            }),
            in_batches: AtomicUsize::new(0),
        }
    }

    /// The instance that counts.
    pub(crate) fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Counts one decision.
    pub fn count(&self, counted: &Counted<'_>, now: Timestamp) {
        self.shards[this_thread() % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count(counted, now);
    }

    /// Whether a flush is in progress, or has left batches for the next.
    pub(crate) fn is_storing(&self) -> bool {
        self.unfinished
            .try_lock()
            .map_or(true, |unfinished| !unfinished.batches.is_empty())
    }

    /// The number of counts in memory that are not stored yet.
    pub(crate) fn waiting(&self) -> usize {
        let counts = self.shards.iter().map(|shard| {
            let counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
            counts.tallies.len()
        });
        counts.sum::<usize>() + self.in_batches.load(Ordering::Relaxed)
    }

    /// Takes all counts so far as batches, and what requests came with if it is to be stored.
    pub(super) fn drain(&self, unfinished: &mut Unfinished, with_seen: bool) {
        let mut all = Counts::default();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let mut counted = std::mem::take(&mut *shard);
            if !with_seen {
                std::mem::swap(&mut shard.seen, &mut counted.seen);
            }
            drop(shard);
            all.absorb(counted);
        }
        let mut tallies: Vec<_> = all.tallies.into_iter().collect();
        tallies.sort_unstable_by_key(|(bucket, _)| *bucket);
        // Sorted by key and time.
        let sites: BTreeMap<_, _> = all.sites.into_iter().collect();
        let sightings: BTreeMap<_, _> = all.sightings.into_iter().collect();
        // Requests that came with nothing need no batches.
        let seen = all.seen.into_iter().filter(|(_, seen)| !seen.is_empty());
        let seen: BTreeMap<_, _> = seen.collect();
        let mut tallies = tallies.into_iter();
        let (mut sites, mut sightings) = (sites.into_iter(), sightings.into_iter());
        let mut seen = seen.into_iter();
        self.in_batches.fetch_add(tallies.len(), Ordering::Relaxed);
        while tallies.len() + sites.len() + sightings.len() + seen.len() > 0 {
            unfinished.batches.push_back(Batch {
                number: unfinished.next_number,
                tallies: tallies.by_ref().take(BATCH).collect(),
                sites: sites.by_ref().take(BATCH).collect(),
                sightings: sightings.by_ref().take(BATCH).collect(),
                seen: seen.by_ref().take(SEEN_BATCH).collect(),
            });
            unfinished.next_number += 1;
        }
    }

    /// Forgets the oldest unfinished batch, which is stored.
    pub(super) fn finish(&self, unfinished: &mut Unfinished) {
        if let Some(batch) = unfinished.batches.pop_front() {
            self.in_batches
                .fetch_sub(batch.tallies.len(), Ordering::Relaxed);
        }
    }
}

impl Unfinished {
    /// Whether it is time to store what requests came with.
    pub(super) fn is_seen_due(&mut self, now: Timestamp) -> bool {
        // The clock can be set back.
        let is_due = now.since(self.seen_taken_at).abs() >= SEEN_EVERY;
        if is_due {
            self.seen_taken_at = now;
        }
        is_due
    }
}

impl Counts {
    fn count(&mut self, counted: &Counted<'_>, now: Timestamp) {
        let bucket = counted.bucket;
        let tally = self.tallies.entry(bucket).or_insert(Tally {
            count: 0,
            last_at: now,
        });
        tally.count += 1;
        tally.last_at = tally.last_at.max(now);
        if self.tallies.len() > self.merge_at {
            self.merge(now);
        }
        if let Some(site) = &counted.site
            && matches!(bucket.outcome, Outcome::Valid | Outcome::OriginNotAllowed)
        {
            self.sites
                .entry(bucket.day(now))
                .or_default()
                .count(site, 1);
        }
        if let (Some(finding), Subject::Key(key_id, secret_id)) = (counted.finding, bucket.subject)
        {
            let sighting = Sighting::of(counted.request.origin.as_ref(), now);
            self.sight((bucket.org_id, key_id, secret_id, finding), sighting);
        }
        if bucket.outcome == Outcome::Valid {
            let seen = self.seen.entry(bucket.name()).or_default();
            seen.count(counted.request, 1, now, &mut self.text);
        }
    }

    /// Bounds the memory while nothing can be stored, to a few tallies per active key, without losing a count: minutes
    /// are merged into the first minute of their hour, and if there are still too many, hours into the first of their day.
    fn merge(&mut self, now: Timestamp) {
        self.floor_before(now.plus(-MERGE_AFTER), HOUR);
        if self.tallies.len() > self.merge_at / 2 {
            self.floor_before(now.floor(HOUR).plus(-MERGE_AFTER), DAY);
        }
        // Grows with the number of active keys, so that each merge has many counts to go through before the next.
        self.merge_at = MERGE_AT.max(2 * self.tallies.len());
    }

    fn floor_before(&mut self, time: Timestamp, width: i64) {
        let tallies = std::mem::take(&mut self.tallies);
        self.tallies.reserve(tallies.len() / 2);
        for (mut bucket, tally) in tallies {
            if bucket.starts_at < time {
                bucket.starts_at = bucket.starts_at.floor(width);
            }
            self.tally(bucket, tally);
        }
    }

    fn tally(&mut self, bucket: Bucket, tally: Tally) {
        let sum = self.tallies.entry(bucket).or_insert(Tally {
            count: 0,
            last_at: tally.last_at,
        });
        sum.count += tally.count;
        sum.last_at = sum.last_at.max(tally.last_at);
    }

    fn sight(&mut self, sighted: Sighted, sighting: Sighting) {
        match self.sightings.entry(sighted) {
            Entry::Occupied(mut there) => there.get_mut().absorb(sighting),
            Entry::Vacant(place) => {
                place.insert(sighting);
            }
        }
    }

    /// Adds the counts of another shard.
    fn absorb(&mut self, counts: Self) {
        for (bucket, tally) in counts.tallies {
            self.tally(bucket, tally);
        }
        for (day, sites) in counts.sites {
            self.sites.entry(day).or_default().absorb(sites);
        }
        for (sighted, sighting) in counts.sightings {
            self.sight(sighted, sighting);
        }
        for (name, seen) in counts.seen {
            self.seen.entry(name).or_default().absorb(seen);
        }
    }
}

/// A number for the current thread. The threads that verify requests are few and long-lived.
pub(crate) fn this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        convention::ClassIndex,
        id::*,
        key::*,
        usage::subject::{Cell, Group},
        verify::recorded::Recorded,
    };

    fn bucket<'a>(key: u8, at: Timestamp, request: &'a Recorded<'a>) -> Counted<'a> {
        let random = [key; 10];
        let subject = Subject::Key(KeyId::new(0, random), SecretId::new(0, random));
        let cell = Cell {
            project: None,
            group: Group::Keys(Kind::Secret, Environment::Live),
        };
        Counted {
            bucket: Bucket::new(
                OrgId::new(0, [0; 10]),
                (subject, cell),
                ClassIndex::default(),
                Outcome::Valid,
                at,
            ),
            site: None,
            finding: None,
            request,
        }
    }

    #[test]
    fn memory_is_bounded_while_nothing_is_stored_and_no_count_is_lost() {
        let mut counts = Counts {
            merge_at: 100,
            ..Counts::default()
        };
        let request = Recorded::default();
        let (mut most, mut total) = (0, 0);
        for minute in 0..3 * 24 * 60 {
            let now = Timestamp::from_millis(minute * MINUTE);
            for key in 0..20 {
                counts.count(&bucket(key, now, &request), now);
                total += 1;
            }
            counts.merge_at = counts.merge_at.min(100);
            most = most.max(counts.tallies.len());
        }
        assert!(most <= 20 * 8, "{most} for 20 keys");
        let sum: i64 = counts.tallies.values().map(|tally| tally.count).sum();
        assert_eq!(sum, total);
        let last = counts.tallies.values().map(|tally| tally.last_at).max();
        assert_eq!(
            last,
            Some(Timestamp::from_millis((3 * 24 * 60 - 1) * MINUTE))
        );
    }

    #[test]
    fn batches_are_bounded_and_hold_every_count_once() {
        let recorder = Recorder::new(InstanceId::new(0, [0; 10]));
        let request = Recorded::default();
        for minute in 0..(BATCH as i64 + 1) {
            let now = Timestamp::from_millis(minute * MINUTE);
            recorder.count(&bucket(1, now, &request), now);
        }
        let mut unfinished = recorder.unfinished.try_lock().unwrap();
        recorder.drain(&mut unfinished, false);
        let sizes: Vec<_> = unfinished
            .batches
            .iter()
            .map(|batch| (batch.number, batch.tallies.len()))
            .collect();
        assert_eq!(sizes, [(1, BATCH), (2, 1)]);
        assert_eq!(recorder.waiting(), BATCH + 1);
        recorder.finish(&mut unfinished);
        assert_eq!(recorder.waiting(), 1);
        recorder.drain(&mut unfinished, false);
        assert_eq!(unfinished.batches.len(), 1);
    }
}
