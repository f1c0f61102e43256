//! The memory of keys and agents: bounded, and never older than [`TRUSTED_FOR`], or [`UNKNOWN_FOR`] where there is nothing.
//!
//! While a key is being read from the database its seat is taken by a placeholder, which does two things: requests for
//! the same key wait for one read instead of making their own; and a change that is stored meanwhile removes the
//! placeholder, so that the old state, once read, finds no seat to go into.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use quick_cache::sync::{Cache, PlaceholderGuard};

use crate::{
    agents::PublicId,
    key::digest::KeyDigest,
    service_tokens::ServiceToken,
    time::{SECOND, Timestamp},
};

use super::{KnownAgent, KnownKey};

/// For how many milliseconds a key is decided on from memory (design §6: with the database down, warm keys are
/// answered for 60 s).
pub const TRUSTED_FOR: i64 = 60 * SECOND;
/// For how many milliseconds it is remembered that nothing is known under an id: as long as a new key may take to work
/// (the Chatbot Platform's document says 5 to 10 s), since another process may make it meanwhile.
pub const UNKNOWN_FOR: i64 = 10 * SECOND;
/// How many digests that belong to no key are remembered: 5 MB, and a flood of made-up keys pushes out only its own.
const UNKNOWN_CAPACITY: usize = 65_536;
/// How many service tokens are kept in memory. An instance has a handful.
const TOKEN_CAPACITY: usize = 1_024;

/// Keys, agents and service tokens in memory.
#[derive(Debug)]
pub struct KeyCache {
    pub(super) keys: Memory<KeyDigest, KnownKey>,
    pub(super) agents: Memory<PublicId, KnownAgent>,
    service_tokens: Cache<KeyDigest, (ServiceToken, Timestamp)>,
    changes: AtomicU64,
}

/// What is known under each id, and which ids nothing is known under.
#[derive(Debug)]
pub(super) struct Memory<I, T> {
    known: Cache<I, Loaded<T>>,
    unknown: Cache<I, Timestamp>,
}

/// Something, and when it was read from the database.
#[derive(Debug)]
struct Loaded<T> {
    value: Arc<T>,
    at: Timestamp,
}

// Derived, it would ask that `T` can be cloned too.
impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            at: self.at,
        }
    }
}

/// What memory has to say of an id.
pub(super) enum Lookup<'a, I, T> {
    Known(Arc<T>),
    Unknown,
    Load(Seat<'a, I, T>),
}

/// The place that something is to be loaded into. Dropped unfilled, it goes to the next who waits.
pub(super) struct Seat<'a, I, T>(Guard<'a, I, T>);

type Guard<'a, I, T> = PlaceholderGuard<
    'a,
    I,
    Loaded<T>,
    quick_cache::UnitWeighter,
    quick_cache::DefaultHashBuilder,
    quick_cache::sync::DefaultLifecycle<I, Loaded<T>>,
>;

impl KeyCache {
    /// An empty memory for at most `capacity` keys, and as many agents.
    pub fn new(capacity: usize) -> Self {
        Self {
            keys: Memory::new(capacity),
            agents: Memory::new(capacity),
            service_tokens: Cache::new(TOKEN_CAPACITY),
            changes: AtomicU64::new(0),
        }
    }

    /// Drops a key whose stored state has changed, and the seat of a read that began before.
    pub(crate) fn forget(&self, digest: &KeyDigest) {
        self.keys.forget(digest);
        self.note_change();
    }

    /// Drops an agent whose stored state has changed, and the seat of a read that began before.
    pub(crate) fn forget_agent(&self, public_id: &PublicId) {
        self.agents.forget(public_id);
        self.note_change();
    }

    /// Counts a change that concerns no key in memory: a new key.
    pub(crate) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// How many changes of keys this instance has stored, for what is derived from all keys and must follow them.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    pub(crate) fn service_token(&self, digest: &KeyDigest, now: Timestamp) -> Option<ServiceToken> {
        self.service_tokens
            .get(digest)
            .filter(|(_, loaded_at)| is_fresh(*loaded_at, now))
            .map(|(token, _)| token)
    }

    pub(crate) fn remember_service_token(
        &self,
        digest: KeyDigest,
        token: ServiceToken,
        now: Timestamp,
    ) {
        self.service_tokens.insert(digest, (token, now));
    }
}

impl<I: Copy + Eq + Hash, T> Memory<I, T> {
    fn new(capacity: usize) -> Self {
        Self {
            known: Cache::new(capacity),
            unknown: Cache::new(UNKNOWN_CAPACITY),
        }
    }

    pub(super) async fn lookup(&self, id: &I, now: Timestamp) -> Lookup<'_, I, T> {
        match self.known.get(id) {
            Some(loaded) if is_fresh(loaded.at, now) => return Lookup::Known(loaded.value),
            Some(stale) => {
                self.known
                    .remove_if(id, |held| Arc::ptr_eq(&held.value, &stale.value));
            }
            None if self.is_unknown(id, now) => return Lookup::Unknown,
            None => {}
        }
        match self.known.get_value_or_guard_async(id).await {
            Ok(loaded) => Lookup::Known(loaded.value),
            // Whoever had the seat before may have found that there is nothing.
            Err(_) if self.is_unknown(id, now) => Lookup::Unknown,
            Err(guard) => Lookup::Load(Seat(guard)),
        }
    }

    fn is_unknown(&self, id: &I, now: Timestamp) -> bool {
        self.unknown
            .get(id)
            .is_some_and(|noted_at| now.since(noted_at) < UNKNOWN_FOR)
    }

    pub(super) fn remember_unknown(&self, id: I, now: Timestamp) {
        self.unknown.insert(id, now);
    }

    fn forget(&self, id: &I) {
        self.known.remove(id);
        self.unknown.remove(id);
    }
}

impl<I: Copy + Eq + Hash, T> Seat<'_, I, T> {
    /// Puts what was read at `at` into memory, unless it was changed since the seat was taken.
    pub(super) fn fill(self, value: Arc<T>, at: Timestamp) {
        // An error says that the seat is gone: what was read may be old, and the next request reads anew.
        let _ = self.0.insert(Loaded { value, at });
    }
}

fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    now.since(since) < TRUSTED_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_unknown_digests_is_bounded() {
        let cache = KeyCache::new(10);
        let noon = Timestamp::from_millis(0);
        for number in 0..2 * UNKNOWN_CAPACITY as u64 {
            let mut digest = vec![0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            cache
                .keys
                .remember_unknown(KeyDigest::try_from(digest).unwrap(), noon);
        }
        let held = cache.keys.unknown.len();
        assert!(
            (UNKNOWN_CAPACITY / 2..=UNKNOWN_CAPACITY).contains(&held),
            "{held}"
        );
    }
}
