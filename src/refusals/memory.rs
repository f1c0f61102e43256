//! Refusals in memory until they are stored.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use super::ClientFamily;
use crate::{
    convention::ClassIndex,
    id::{AgentId, KeyId, OrgId, RefusalId},
    network::Network,
    outcome::Outcome,
    time::Timestamp,
    usage::recorder::this_thread,
    verify::InvalidReason,
};

/// The most refusals of an organization that wait in a shard. Further ones replace the oldest.
const MAX_EACH: usize = 50;
/// About the most refusals that wait in a shard. An organization with more than its part of them replaces its own.
const MAX: usize = 5_000;
/// The shards, so that threads rarely wait for each other. Threads of larger machines share them.
const SHARDS: usize = 16;

/// A rejected request, as it waits to be stored.
#[derive(Debug, Clone)]
pub(super) struct Noted {
    pub at: Timestamp,
    pub outcome: Outcome,
    pub reason: Option<InvalidReason>,
    pub key_id: Option<KeyId>,
    pub agent_id: Option<AgentId>,
    /// The prefix of a key that does not exist.
    pub prefix: Option<String>,
    pub class: ClassIndex,
    pub origin: Option<String>,
    pub network: Option<Network>,
    pub client: Option<ClientFamily>,
    /// Separated by spaces.
    pub missing_scopes: String,
}

/// The refusals that are not stored yet.
#[derive(Debug)]
pub struct Refusals {
    shards: Box<[Mutex<Shard>]>,
    /// Those that are being stored, or could not be stored.
    pub(super) unstored: tokio::sync::Mutex<Vec<(OrgId, RefusalId, Noted)>>,
}

#[derive(Debug, Default)]
struct Shard(HashMap<OrgId, VecDeque<Noted>>);

impl Default for Refusals {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            unstored: tokio::sync::Mutex::default(),
        }
    }
}

impl Refusals {
    /// Adds a refusal of an organization.
    pub(super) fn add(&self, org_id: OrgId, noted: Noted) {
        let shard = &self.shards[this_thread() % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.add(org_id, noted);
    }

    /// Takes all refusals.
    pub(super) fn take(&self) -> Vec<(OrgId, Noted)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let orgs = std::mem::take(&mut shard.0).into_iter();
            all.extend(
                orgs.flat_map(|(org_id, of_org)| {
                    of_org.into_iter().map(move |noted| (org_id, noted))
                }),
            );
        }
        all
    }
}

impl Shard {
    fn add(&mut self, org_id: OrgId, noted: Noted) {
        let orgs = self.0.len().max(1);
        let of_org = self.0.entry(org_id).or_default();
        let allowed = (MAX / orgs).clamp(1, MAX_EACH);
        while of_org.len() >= allowed {
            of_org.pop_front();
        }
        of_org.push_back(noted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(number: i64) -> Noted {
        Noted {
            at: Timestamp::from_millis(number),
            outcome: Outcome::RateLimited,
            reason: None,
            key_id: None,
            agent_id: None,
            prefix: None,
            class: ClassIndex::default(),
            origin: None,
            network: None,
            client: None,
            missing_scopes: String::new(),
        }
    }

    #[test]
    fn a_flood_keeps_the_newest_and_takes_no_place_of_another_organization() {
        let org = |number: u16| {
            let [high, low] = number.to_be_bytes();
            OrgId::new(0, [high, low, 0, 0, 0, 0, 0, 0, 0, 0])
        };
        let mut shard = Shard::default();
        shard.add(org(0), noted(-1));
        for number in 0..10_000 {
            shard.add(org(1), noted(number));
        }
        let held: Vec<i64> = shard.0[&org(1)]
            .iter()
            .map(|noted| noted.at.as_millis())
            .collect();
        assert_eq!((held.len(), held[0], held[49]), (MAX_EACH, 9_950, 9_999));
        assert_eq!(shard.0[&org(0)].len(), 1);
        for number in 2..20_000 {
            shard.add(org(number), noted(0));
            shard.add(org(number), noted(1));
        }
        let all: usize = shard.0.values().map(VecDeque::len).sum();
        assert!(all < 20_000 + 2 * MAX, "{all}");
    }
}
