//! The cache for verification. It is bounded. Entries are trusted for [`TRUSTED_FOR`] after they were read, and for no
//! longer than that after the last heartbeat (see [`crate::instances`]).
//!
//! It has three levels, so that a change invalidates a single entry: secret digests to key IDs, which never change; key
//! IDs to keys; and org IDs to org settings. Agents are found by their public ID in the same way.
//!
//! While an entry is loaded from the database, a placeholder takes its place. Requests for the same entry wait for this
//! load instead of starting their own. A concurrent change removes the placeholder, so that the old state cannot be
//! inserted once it has been read.
//!
//! Texts and records that are not cached are read many in one statement (`look_ups.rs`).
//!
//! Lookups without a result are also cached, for [`UNKNOWN_FOR`], and are invalidated whenever something is created.

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
    clock::{AtomicMonotonic, Monotonic},
    id::{AgentId, KeyId, OrgId, SecretId, ServiceTokenId},
    key::digest::KeyDigest,
    look_ups::LookUps,
    service_tokens::token::ServiceToken,
    time::SECOND,
};

use super::{known_agent::KnownAgent, known_key::KnownKey, known_org::KnownOrg};

/// How long a cached entry is used, in milliseconds. If the database is down, cached keys keep working for 60 s.
pub const TRUSTED_FOR: i64 = 60 * SECOND;
/// How long a lookup without a result is cached, in milliseconds.
pub const UNKNOWN_FOR: i64 = 10 * SECOND;
/// The maximum number of cached unknown digests, about 5 MB. They have their own limit, so that a flood of invented
/// keys evicts no valid ones.
const UNKNOWN_CAPACITY: usize = 65_536;
/// The maximum number of cached service tokens: all of 10,000 organizations that use each of their 100, so that nobody evicts the
/// tokens of others. The memory grows with the tokens in use, by about 200 bytes each.
const TOKEN_CAPACITY: usize = 1_000_000;
/// The maximum number of cached orgs per hundred keys.
const ORGS_IN_HUNDRED: usize = 50;

/// The cached keys, agents, orgs and service tokens.
#[derive(Debug)]
pub struct KeyCache {
    /// Key and secret IDs by digest.
    pub(super) secrets: Index<KeyDigest, (KeyId, SecretId)>,
    pub(super) keys: Memory<KeyId, KnownKey>,
    pub(super) public_ids: Index<PublicId, AgentId>,
    pub(super) agents: Memory<AgentId, KnownAgent>,
    pub(super) orgs: Memory<OrgId, KnownOrg>,
    service_tokens: Cache<KeyDigest, (Arc<ServiceToken>, Monotonic)>,
    /// Digests that belong to no service token.
    pub(crate) unknown_tokens: Index<KeyDigest, ()>,
    changes: AtomicU64,
    /// When the cache stops being trusted. Never, in a process that sends no heartbeats.
    trusted_until: AtomicMonotonic,
    pub(crate) look_ups: OfEachKind,
}

/// The look-ups of what is not cached.
#[derive(Debug, Default)]
pub(crate) struct OfEachKind {
    pub(super) secrets: LookUps<KeyDigest, (KeyId, SecretId)>,
    pub(super) keys: LookUps<KeyId, Arc<KnownKey>>,
    pub(super) public_ids: LookUps<PublicId, AgentId>,
    pub(super) agents: LookUps<AgentId, Arc<KnownAgent>>,
    pub(super) orgs: LookUps<OrgId, Arc<KnownOrg>>,
    pub(crate) service_tokens: LookUps<KeyDigest, Arc<ServiceToken>>,
}

/// Cached IDs by digest or public ID, which never change, and cached lookups without a result.
#[derive(Debug)]
pub(crate) struct Index<I, T> {
    known: Cache<I, T>,
    unknown: Cache<I, (Monotonic, u64)>,
    /// Incremented whenever cached unknown entries are invalidated.
    epoch: AtomicU64,
}

/// The result of a lookup in an [`Index`].
pub(crate) enum Led<T> {
    To(T),
    Nowhere,
    /// Not cached. Contains the epoch to pass to [`Index::remember_unknown`].
    Unasked(u64),
}

/// Cached records by ID.
#[derive(Debug)]
pub(super) struct Memory<I, T>(Cache<I, Loaded<T>>);

/// A cached record and the time at which it was read from the database.
#[derive(Debug)]
struct Loaded<T> {
    value: Arc<T>,
    at: Monotonic,
}

// A derived implementation would require `T: Clone`.
impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            at: self.at,
        }
    }
}

/// The result of a lookup in a [`Memory`].
pub(super) enum Lookup<'a, I, T> {
    Known(Arc<T>),
    Load(Seat<'a, I, T>),
}

/// A placeholder for a record that is being loaded. If it is dropped without a value, the next waiting request loads
/// the record.
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
    /// Creates an empty cache for at most `capacity` keys and as many agents.
    pub fn new(capacity: usize) -> Self {
        Self {
            secrets: Index::new(capacity),
            keys: Memory::new(capacity),
            public_ids: Index::new(capacity),
            agents: Memory::new(capacity),
            orgs: Memory::new((capacity / 100).saturating_mul(ORGS_IN_HUNDRED).max(100)),
            service_tokens: Cache::new(TOKEN_CAPACITY),
            unknown_tokens: Index::new(TOKEN_CAPACITY),
            changes: AtomicU64::new(0),
            trusted_until: AtomicMonotonic::never(),
            look_ups: OfEachKind::default(),
        }
    }

    /// Sets the time from which the cache is no longer trusted.
    pub(crate) fn trust_until(&self, at: Monotonic) {
        self.trusted_until.store(at);
    }

    /// The cutoff at `now`: cached entries that were read then or earlier are stale.
    pub(crate) fn stale_since(&self, now: Monotonic) -> Monotonic {
        if now < self.trusted_until.load() {
            now.plus(-TRUSTED_FOR)
        } else {
            now
        }
    }

    /// Evicts a key whose record has changed, and the placeholder of a load that started before the change.
    pub(crate) fn forget_key(&self, id: KeyId) {
        self.keys.0.remove(&id);
        self.note_change();
    }

    /// Evicts an agent whose record has changed, and the placeholder of a load that started before the change.
    pub(crate) fn forget_agent(&self, id: AgentId) {
        self.agents.0.remove(&id);
        self.note_change();
    }

    /// Evicts an org whose settings have changed, and the placeholder of a load that started before the change.
    pub(crate) fn forget_org(&self, id: OrgId) {
        self.orgs.0.remove(&id);
        self.note_change();
    }

    /// Evicts the service tokens of an org that was deleted.
    pub(crate) fn forget_service_tokens_of(&self, id: OrgId) {
        self.service_tokens
            .retain(|_, (token, _)| token.org_id != Some(id));
        self.note_change();
    }

    /// Evicts a service token.
    pub(crate) fn forget_service_token(&self, id: ServiceTokenId) {
        self.service_tokens.retain(|_, (token, _)| token.id != id);
        self.note_change();
    }

    /// Invalidates all cached unknown entries, because a new record may match one of them.
    pub(crate) fn forget_unknown(&self) {
        self.secrets.forget_unknown();
        self.public_ids.forget_unknown();
        self.unknown_tokens.forget_unknown();
    }

    /// Evicts everything that may have changed while no changes were received.
    pub(crate) fn forget_everything(&self) {
        self.forget_unknown();
        self.keys.0.clear();
        self.agents.0.clear();
        self.orgs.0.clear();
        self.service_tokens.clear();
        self.note_change();
    }

    fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// The number of changes of keys, agents and orgs that this instance has received. For caches derived from all of
    /// them.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The cached service tokens.
    pub(crate) fn service_tokens(&self) -> Vec<Arc<ServiceToken>> {
        let tokens = self.service_tokens.iter();
        tokens.map(|(_, (token, _))| token).collect()
    }

    pub(crate) fn service_token(
        &self,
        digest: &KeyDigest,
        now: Monotonic,
    ) -> Option<Arc<ServiceToken>> {
        let stale = self.stale_since(now);
        self.service_tokens
            .get(digest)
            .filter(|(_, loaded_at)| *loaded_at > stale)
            .map(|(token, _)| token)
    }

    /// Caches a service token, unless there was a change since the counter `changes` was read, which must be before the
    /// token.
    pub(crate) fn remember_service_token(
        &self,
        digest: KeyDigest,
        token: &Arc<ServiceToken>,
        now: Monotonic,
        changes: u64,
    ) {
        self.service_tokens.insert(digest, (Arc::clone(token), now));
        if self.changes() != changes {
            self.service_tokens.remove(&digest);
        }
    }
}

impl<I: Copy + Eq + Hash, T: Clone> Index<I, T> {
    fn new(capacity: usize) -> Self {
        Self {
            known: Cache::new(capacity),
            unknown: Cache::new(UNKNOWN_CAPACITY),
            epoch: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, text: &I, now: Monotonic) -> Led<T> {
        if let Some(known) = self.known.get(text) {
            return Led::To(known);
        }
        let epoch = self.epoch.load(Ordering::Acquire);
        match self.unknown.get(text) {
            Some((noted_at, of)) if of == epoch && now.since(noted_at) < UNKNOWN_FOR => {
                Led::Nowhere
            }
            _ => Led::Unasked(epoch),
        }
    }

    /// What a text leads to, if it is cached.
    pub(super) fn known(&self, text: &I) -> Option<T> {
        self.known.get(text)
    }

    pub(super) fn remember(&self, text: I, to: T) {
        self.known.insert(text, to);
    }

    /// Caches that a lookup in `epoch` had no result. Ignored if something has been created since then.
    pub(crate) fn remember_unknown(&self, text: I, now: Monotonic, epoch: u64) {
        self.unknown.insert(text, (now, epoch));
    }

    fn forget_unknown(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }
}

impl<I: Copy + Eq + Hash, T> Memory<I, T> {
    fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    /// The cached record, however old it is.
    pub(super) fn known(&self, id: &I) -> Option<Arc<T>> {
        self.0.get(id).map(|loaded| loaded.value)
    }

    /// Returns the cached record, unless it was read at `stale` or earlier, or a placeholder to load it into.
    pub(super) async fn lookup(&self, id: &I, stale: Monotonic) -> Lookup<'_, I, T> {
        match self.0.get(id) {
            Some(loaded) if loaded.at > stale => return Lookup::Known(loaded.value),
            Some(old) => {
                self.0
                    .remove_if(id, |held| Arc::ptr_eq(&held.value, &old.value));
            }
            None => {}
        }
        match self.0.get_value_or_guard_async(id).await {
            Ok(loaded) => Lookup::Known(loaded.value),
            Err(guard) => Lookup::Load(Seat(guard)),
        }
    }
}

impl<I: Copy + Eq + Hash, T> Seat<'_, I, T> {
    /// Caches a record that was read at `at`, unless it was changed since the seat was taken.
    pub(super) fn fill(self, value: Arc<T>, at: Monotonic) {
        // An error means that the placeholder is gone: the record may be outdated, and the next request loads it again.
        let _ = self.0.insert(Loaded { value, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, time::Timestamp};

    #[test]
    fn memory_of_unknown_digests_is_bounded() {
        let cache = KeyCache::new(10);
        let noon = Clock::manual(Timestamp::from_millis(0)).monotonic();
        for number in 0..2 * UNKNOWN_CAPACITY as u64 {
            cache.secrets.remember_unknown(digest(number), noon, 0);
        }
        let held = cache.secrets.unknown.len();
        assert!(
            (UNKNOWN_CAPACITY / 2..=UNKNOWN_CAPACITY).contains(&held),
            "{held}"
        );
    }

    #[test]
    fn the_tokens_of_many_organizations_are_cached_together() {
        let cache = KeyCache::new(10);
        let noon = Clock::manual(Timestamp::from_millis(0)).monotonic();
        for number in 0..20_000 {
            let token = Arc::new(ServiceToken::example(number));
            cache.remember_service_token(digest(number), &token, noon, cache.changes());
        }
        let is_cached = |number: &u64| cache.service_token(&digest(*number), noon).is_some();
        assert_eq!((0..20_000).filter(is_cached).count(), 20_000);
    }

    #[test]
    fn what_was_unknown_before_something_was_created_is_asked_for_again() {
        let cache = KeyCache::new(10);
        let noon = Clock::manual(Timestamp::from_millis(0)).monotonic();
        let Led::Unasked(epoch) = cache.secrets.get(&digest(1), noon) else {
            panic!("nothing is cached yet")
        };
        cache.secrets.remember_unknown(digest(1), noon, epoch);
        assert!(matches!(cache.secrets.get(&digest(1), noon), Led::Nowhere));
        cache.forget_unknown();
        assert!(matches!(
            cache.secrets.get(&digest(1), noon),
            Led::Unasked(_)
        ));
        // The lookup was before the creation, caching its result after.
        cache.secrets.remember_unknown(digest(1), noon, epoch);
        assert!(matches!(
            cache.secrets.get(&digest(1), noon),
            Led::Unasked(_)
        ));
    }

    fn digest(number: u64) -> KeyDigest {
        let mut bytes = vec![0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        KeyDigest::try_from(bytes).unwrap()
    }
}
