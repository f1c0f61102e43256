//! Counts in memory until the next flush.
//!
//! Each thread that verifies requests counts into its own shard, so that its lock is uncontended.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    convention::ClassIndex,
    id::{InstanceId, OrgId},
    outcome::Outcome,
    time::{DAY, MINUTE, Timestamp},
    usage::problem::Problem,
};

use super::{
    domains::{Day, Site, Sites},
    sightings::{Sighted, Sighting},
    subject::Subject,
};

/// The key of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    pub(super) org_id: OrgId,
    pub(super) subject: Subject,
    pub(super) class: ClassIndex,
    pub(super) outcome: Outcome,
    /// The start of the minute.
    pub(super) minute: Timestamp,
}

impl Bucket {
    /// The bucket of a decision made at `now`.
    pub fn new(
        org_id: OrgId,
        subject: Subject,
        class: ClassIndex,
        outcome: Outcome,
        now: Timestamp,
    ) -> Self {
        Self {
            org_id,
            subject,
            class,
            outcome,
            minute: now.floor(MINUTE),
        }
    }
}

/// A decision to count.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The counter to increment.
    pub bucket: Bucket,
    /// The result of the domain check, if there was one.
    pub site: Option<Site<'a>>,
    /// A problem found with the key.
    pub finding: Option<Problem>,
    /// The request's `Origin` header, stored as evidence of the finding.
    pub origin: Option<&'a str>,
    /// The request's `Referer` header.
    pub referer: Option<&'a str>,
}

/// The number of decisions and the time of the last one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    pub count: i64,
    pub last_at: Timestamp,
}

/// The counts since the last flush.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub tallies: HashMap<Bucket, Tally>,
    pub sites: HashMap<Day, Sites>,
    pub sightings: HashMap<Sighted, Sighting>,
}

/// Counts stored together, under a number that prevents a retried batch from counting twice. The maps are sorted, so
/// that instances that store concurrently acquire row locks in the same order.
#[derive(Debug)]
pub(super) struct Batch {
    pub number: i64,
    pub tallies: Vec<(Bucket, Tally)>,
    pub sites: BTreeMap<Day, Sites>,
    pub sightings: BTreeMap<Sighted, Sighting>,
}

/// Counts that have not been stored yet.
#[derive(Debug)]
pub struct Recorder {
    pub(super) instance: InstanceId,
    shards: Box<[Mutex<Counts>]>,
    /// The batch that the last flush failed to store, and the number of the next batch.
    pub(super) unfinished: tokio::sync::Mutex<(Option<Batch>, i64)>,
}

/// More than the threads of any expected machine. Further threads share shards.
const SHARDS: usize = 64;

impl Recorder {
    /// Creates a recorder whose batches are numbered under `instance`.
    pub fn new(instance: InstanceId) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            instance,
            shards,
            unfinished: tokio::sync::Mutex::new((None, 1)),
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

    /// The number of counts in memory, and whether a batch is being stored or waits for a retry.
    pub(crate) fn waiting(&self) -> (usize, bool) {
        let counts = self.shards.iter().map(|shard| {
            let counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
            counts.tallies.len()
        });
        let counts = counts.sum();
        match self.unfinished.try_lock() {
            Ok(unfinished) => match &unfinished.0 {
                Some(batch) => (counts + batch.tallies.len(), true),
                None => (counts, false),
            },
            Err(_) => (counts, true),
        }
    }

    /// Takes all counts so far as a batch with this `number`.
    pub(super) fn drain(&self, number: i64) -> Batch {
        let mut all = Counts::default();
        for shard in &self.shards {
            let counted =
                std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            all.absorb(counted);
        }
        Batch {
            number,
            tallies: all.tallies.into_iter().collect(),
            sites: all.sites.into_iter().collect(),
            sightings: all.sightings.into_iter().collect(),
        }
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
        if let Some(site) = &counted.site
            && matches!(bucket.outcome, Outcome::Valid | Outcome::OriginNotAllowed)
        {
            let day = Day {
                org_id: bucket.org_id,
                subject: bucket.subject,
                starts_at: now.floor(DAY),
            };
            self.sites.entry(day).or_default().count(site);
        }
        if let (Some(finding), Subject::Key(key_id, _)) = (counted.finding, bucket.subject) {
            let sighting = Sighting::of(counted.origin, counted.referer, now);
            self.sight((bucket.org_id, key_id, finding), sighting);
        }
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
            let sum = self.tallies.entry(bucket).or_insert(Tally {
                count: 0,
                last_at: tally.last_at,
            });
            sum.count += tally.count;
            sum.last_at = sum.last_at.max(tally.last_at);
        }
        for (day, sites) in counts.sites {
            self.sites.entry(day).or_default().absorb(sites);
        }
        for (sighted, sighting) in counts.sightings {
            self.sight(sighted, sighting);
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
