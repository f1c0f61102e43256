//! Counts in memory, until the next flush.
//!
//! Each thread that verifies counts into a shard of its own, so a count takes a lock that no other request wants.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    convention::Convention,
    id::{InstanceId, KeyId, OrgId, SecretId},
    outcome::Outcome,
    time::{MINUTE, Timestamp},
    verify::KnownKey,
};

/// A convention's endpoint class by its place in the alphabet. Smaller and quicker than its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ClassIndex(u16);

impl ClassIndex {
    /// The class with this name, if the convention has it.
    pub fn find(convention: &Convention, name: &str) -> Option<Self> {
        let place = convention.classes.keys().position(|class| class == name)?;
        u16::try_from(place).ok().map(Self)
    }

    /// The class of a request that names none.
    pub fn default_of(convention: &Convention) -> Self {
        Self::find(convention, &convention.default_class).unwrap_or_default()
    }

    /// The class's name.
    pub(super) fn name(self, convention: &Convention) -> &str {
        convention
            .classes
            .keys()
            .nth(usize::from(self.0))
            .map_or(&convention.default_class, String::as_str)
    }
}

/// What is counted separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    pub(super) org_id: OrgId,
    pub(super) key_id: KeyId,
    pub(super) secret_id: SecretId,
    pub(super) class: ClassIndex,
    pub(super) outcome: Outcome,
    /// When the minute began.
    pub(super) minute: Timestamp,
}

impl Bucket {
    /// The bucket of a decision made at `now`.
    pub fn of(key: &KnownKey, class: ClassIndex, outcome: Outcome, now: Timestamp) -> Self {
        let minute = now.floor(MINUTE);
        Self {
            org_id: key.org_id,
            key_id: key.id,
            secret_id: key.secret_id,
            class,
            outcome,
            minute,
        }
    }
}

/// How often, and when last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    pub count: i64,
    pub last_at: Timestamp,
}

/// What is to be stored together, under a number that makes a repeated attempt count once.
#[derive(Debug)]
pub(super) struct Batch {
    pub number: i64,
    pub tallies: Vec<(Bucket, Tally)>,
}

/// Counts that are not yet stored.
#[derive(Debug)]
pub struct Recorder {
    pub(super) instance: InstanceId,
    shards: Box<[Mutex<HashMap<Bucket, Tally>>]>,
    /// The batch that the last flush did not manage to store, and the number of the next one.
    pub(super) unfinished: tokio::sync::Mutex<(Option<Batch>, i64)>,
}

/// More than the threads of any machine that we expect; threads beyond it share.
const SHARDS: usize = 64;

impl Recorder {
    /// A recorder whose batches are numbered under `instance`.
    pub fn new(instance: InstanceId) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            instance,
            shards,
            unfinished: tokio::sync::Mutex::new((None, 1)),
        }
    }

    /// Counts one decision.
    pub fn count(&self, bucket: Bucket, now: Timestamp) {
        let mut shard = self.shards[this_thread() % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let tally = shard.entry(bucket).or_insert(Tally {
            count: 0,
            last_at: now,
        });
        tally.count += 1;
        tally.last_at = tally.last_at.max(now);
    }

    /// Takes everything counted so far.
    pub(super) fn drain(&self) -> Vec<(Bucket, Tally)> {
        let mut all: HashMap<Bucket, Tally> = HashMap::new();
        for shard in &self.shards {
            let counted =
                std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            for (bucket, tally) in counted {
                let sum = all.entry(bucket).or_insert(Tally {
                    count: 0,
                    last_at: tally.last_at,
                });
                sum.count += tally.count;
                sum.last_at = sum.last_at.max(tally.last_at);
            }
        }
        all.into_iter().collect()
    }
}

/// A number for the calling thread: threads that verify are few and live long.
fn this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}
