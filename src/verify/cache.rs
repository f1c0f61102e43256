//! What verification holds in memory: bounded, and trusted for [`TRUSTED_FOR`] after it was read, and after the last heartbeat
//! (see [`crate::instances`]).
//!
//! Three memories, so that one change touches one entry: a secret's digest leads to its key, which never changes; a key's
//! id to what it is; an org's id to what its owners set. Agents are found by their public ID in the same way.
//!
//! While something is being read from the database its seat is taken by a placeholder, which does two things: requests for
//! the same thing wait for one read instead of making their own; and a change that is stored meanwhile removes the
//! placeholder, so that the old state, once read, finds no seat to go into.
//!
//! What leads nowhere is remembered too, for [`UNKNOWN_FOR`], and forgotten whenever anything new is created.

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
    service_tokens::token::ServiceToken,
    time::SECOND,
};

use super::{known_agent::KnownAgent, known_key::KnownKey, known_org::KnownOrg};

/// For how many milliseconds a key is decided on from memory: with the database down, warm keys are answered for 60 s.
pub const TRUSTED_FOR: i64 = 60 * SECOND;
/// For how many milliseconds it is remembered that nothing is known under a text.
pub const UNKNOWN_FOR: i64 = 10 * SECOND;
/// How many digests that belong to no key are remembered: 5 MB, and a flood of made-up keys pushes out only its own.
const UNKNOWN_CAPACITY: usize = 65_536;
/// How many service tokens are kept in memory. An instance has a handful.
const TOKEN_CAPACITY: usize = 1_024;
/// How many orgs are kept in memory for each hundred keys.
const ORGS_IN_HUNDRED: usize = 50;

/// Keys, agents, orgs and service tokens in memory.
#[derive(Debug)]
pub struct KeyCache {
    /// The secret, and the key that it is one of.
    pub(super) secrets: Index<KeyDigest, (KeyId, SecretId)>,
    pub(super) keys: Memory<KeyId, KnownKey>,
    pub(super) public_ids: Index<PublicId, AgentId>,
    pub(super) agents: Memory<AgentId, KnownAgent>,
    pub(super) orgs: Memory<OrgId, KnownOrg>,
    service_tokens: Cache<KeyDigest, (Arc<ServiceToken>, Monotonic)>,
    /// Digests that are no service token's.
    pub(crate) unknown_tokens: Index<KeyDigest, ()>,
    changes: AtomicU64,
    /// From then on nothing is decided on from memory; never for a process that sends no heartbeats.
    trusted_until: AtomicMonotonic,
}

/// What a text leads to, which never changes, and which texts lead nowhere.
#[derive(Debug)]
pub(crate) struct Index<I, T> {
    known: Cache<I, T>,
    unknown: Cache<I, (Monotonic, u64)>,
    /// Counts how often what is unknown was forgotten.
    epoch: AtomicU64,
}

/// What an [`Index`] has to say of a text.
pub(crate) enum Led<T> {
    To(T),
    Nowhere,
    /// Not known; with the epoch to give to [`Index::remember_unknown`].
    Unasked(u64),
}

/// What is known under each id.
#[derive(Debug)]
pub(super) struct Memory<I, T>(Cache<I, Loaded<T>>);

/// Something, and when it was read from the database.
#[derive(Debug)]
struct Loaded<T> {
    value: Arc<T>,
    at: Monotonic,
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

/// What a [`Memory`] has to say of an id.
pub(super) enum Lookup<'a, I, T> {
    Known(Arc<T>),
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
            secrets: Index::new(capacity),
            keys: Memory::new(capacity),
            public_ids: Index::new(capacity),
            agents: Memory::new(capacity),
            orgs: Memory::new((capacity / 100).saturating_mul(ORGS_IN_HUNDRED).max(100)),
            service_tokens: Cache::new(TOKEN_CAPACITY),
            unknown_tokens: Index::new(TOKEN_CAPACITY),
            changes: AtomicU64::new(0),
            trusted_until: AtomicMonotonic::never(),
        }
    }

    /// Sets from when on nothing is decided on from memory.
    pub(crate) fn trust_until(&self, at: Monotonic) {
        self.trusted_until.store(at);
    }

    /// What was read then, or before, is not trusted now.
    pub(crate) fn stale_since(&self, now: Monotonic) -> Monotonic {
        if now < self.trusted_until.load() {
            now.plus(-TRUSTED_FOR)
        } else {
            now
        }
    }

    /// Drops a key whose stored state has changed, and the seat of a read that began before.
    pub(crate) fn forget_key(&self, id: KeyId) {
        self.keys.0.remove(&id);
        self.note_change();
    }

    /// Drops an agent whose stored state has changed, and the seat of a read that began before.
    pub(crate) fn forget_agent(&self, id: AgentId) {
        self.agents.0.remove(&id);
        self.note_change();
    }

    /// Drops an org whose settings have changed, and the seat of a read that began before.
    pub(crate) fn forget_org(&self, id: OrgId) {
        self.orgs.0.remove(&id);
        self.note_change();
    }

    /// Drops a service token.
    pub(crate) fn forget_service_token(&self, id: ServiceTokenId) {
        self.service_tokens.retain(|_, (token, _)| token.id != id);
        self.note_change();
    }

    /// Forgets which texts are no keys and no agents: one of them may be, now.
    pub(crate) fn forget_unknown(&self) {
        self.secrets.forget_unknown();
        self.public_ids.forget_unknown();
        self.unknown_tokens.forget_unknown();
    }

    /// Forgets all that may have changed while nobody listened.
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

    /// How many changes of keys, agents and orgs this instance knows of, for what is derived from all of them.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The service tokens in memory.
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

    /// Puts a token into memory, unless something changed since `changes` were counted, before it was read.
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

    pub(super) fn remember(&self, text: I, to: T) {
        self.known.insert(text, to);
    }

    /// Notes that a text led nowhere when it was looked up in `epoch`: something that was created since then is found.
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

    /// What is known under an id, unless it was read at `stale` or before.
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
    /// Puts what was read at `at` into memory, unless it was changed since the seat was taken.
    pub(super) fn fill(self, value: Arc<T>, at: Monotonic) {
        // An error says that the seat is gone: what was read may be old, and the next request reads anew.
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
    fn what_was_unknown_before_something_was_created_is_asked_for_again() {
        let cache = KeyCache::new(10);
        let noon = Clock::manual(Timestamp::from_millis(0)).monotonic();
        let Led::Unasked(epoch) = cache.secrets.get(&digest(1), noon) else {
            panic!("nothing was asked for")
        };
        cache.secrets.remember_unknown(digest(1), noon, epoch);
        assert!(matches!(cache.secrets.get(&digest(1), noon), Led::Nowhere));
        cache.forget_unknown();
        assert!(matches!(
            cache.secrets.get(&digest(1), noon),
            Led::Unasked(_)
        ));
        // Looked up before it was created, noted after.
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
