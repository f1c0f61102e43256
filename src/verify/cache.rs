//! The memory of keys: bounded, by digest, and never older than [`TRUSTED_FOR`].
//!
//! While a key is being read from the database its seat is taken by a placeholder, which does two things: requests for
//! the same key wait for one read instead of making their own; and a change that is stored meanwhile removes the
//! placeholder, so that the old state, once read, finds no seat to go into.

use std::sync::Arc;

use quick_cache::sync::{Cache, PlaceholderGuard};

use crate::{
    key::digest::KeyDigest,
    service_tokens::ServiceToken,
    time::{SECOND, Timestamp},
};

use super::KnownKey;

/// For how many milliseconds a key is decided on from memory (design §6: with the database down, warm keys are
/// answered for 60 s).
pub const TRUSTED_FOR: i64 = 60 * SECOND;
/// How many digests that belong to no key are remembered: 5 MB, and a flood of made-up keys pushes out only its own.
const UNKNOWN_CAPACITY: usize = 65_536;
/// How many service tokens are kept in memory. An instance has a handful.
const TOKEN_CAPACITY: usize = 1_024;

/// Keys and service tokens in memory.
#[derive(Debug)]
pub struct KeyCache {
    known: Cache<KeyDigest, Arc<KnownKey>>,
    unknown: Cache<KeyDigest, Timestamp>,
    service_tokens: Cache<KeyDigest, (ServiceToken, Timestamp)>,
}

/// What memory has to say of a digest.
pub(super) enum Lookup<'a> {
    Known(Arc<KnownKey>),
    Unknown,
    Load(Seat<'a>),
}

/// The place that a key is to be loaded into. Dropped unfilled, it goes to the next who waits.
pub(super) struct Seat<'a>(Guard<'a>);

type Guard<'a> = PlaceholderGuard<
    'a,
    KeyDigest,
    Arc<KnownKey>,
    quick_cache::UnitWeighter,
    quick_cache::DefaultHashBuilder,
    quick_cache::sync::DefaultLifecycle<KeyDigest, Arc<KnownKey>>,
>;

impl KeyCache {
    /// An empty memory for at most `capacity` keys.
    pub fn new(capacity: usize) -> Self {
        Self {
            known: Cache::new(capacity),
            unknown: Cache::new(UNKNOWN_CAPACITY),
            service_tokens: Cache::new(TOKEN_CAPACITY),
        }
    }

    pub(super) async fn lookup(&self, digest: &KeyDigest, now: Timestamp) -> Lookup<'_> {
        match self.known.get(digest) {
            Some(known) if is_fresh(known.loaded_at, now) => return Lookup::Known(known),
            Some(stale) => {
                self.known
                    .remove_if(digest, |held| Arc::ptr_eq(held, &stale));
            }
            None if self.is_unknown(digest, now) => return Lookup::Unknown,
            None => {}
        }
        match self.known.get_value_or_guard_async(digest).await {
            Ok(known) => Lookup::Known(known),
            // Whoever had the seat before may have found that there is no such key.
            Err(_) if self.is_unknown(digest, now) => Lookup::Unknown,
            Err(guard) => Lookup::Load(Seat(guard)),
        }
    }

    fn is_unknown(&self, digest: &KeyDigest, now: Timestamp) -> bool {
        self.unknown
            .get(digest)
            .is_some_and(|noted_at| is_fresh(noted_at, now))
    }

    pub(super) fn remember_unknown(&self, digest: KeyDigest, now: Timestamp) {
        self.unknown.insert(digest, now);
    }

    /// Drops a key whose stored state has changed, and the seat of a read that began before.
    pub(crate) fn forget(&self, digest: &KeyDigest) {
        self.known.remove(digest);
        self.unknown.remove(digest);
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

impl Seat<'_> {
    /// Puts the key into memory, unless it was changed since the seat was taken.
    pub(super) fn fill(self, known: Arc<KnownKey>) {
        // An error says that the seat is gone: what was read may be old, and the next request reads anew.
        let _ = self.0.insert(known);
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
            cache.remember_unknown(KeyDigest::try_from(digest).unwrap(), noon);
        }
        let held = cache.unknown.len();
        assert!(
            (UNKNOWN_CAPACITY / 2..=UNKNOWN_CAPACITY).contains(&held),
            "{held}"
        );
    }
}
