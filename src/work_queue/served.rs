//! When each tenant and person last had a turn, which decides who is next. Time is what all work so far has cost.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Whose;

/// How many tenants and persons are remembered, at least.
const REMEMBERED: usize = 2_048;

/// What the turns so far have cost, and when in this count each tenant and person had theirs.
#[derive(Debug)]
pub(super) struct Served<K> {
    head_start: u64,
    turns: Mutex<Turns<K>>,
}

#[derive(Debug)]
struct Turns<K> {
    now: u64,
    last: HashMap<K, u64>,
}

impl<K: Copy + Eq + Hash> Served<K> {
    /// Whoever had no turn since all cost `head_start` less goes before those who did, even if these have waited for longer, and
    /// work that costs little before work that costs more. Nobody is passed by those who come when all has cost more than
    /// `head_start` and the own cost since, so everyone's turn comes.
    pub fn new(head_start: u64) -> Self {
        Self {
            head_start,
            turns: Mutex::new(Turns {
                now: 0,
                last: HashMap::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns<K>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What all turns so far have cost.
    pub fn now(&self) -> u64 {
        self.lock().now
    }

    /// Notes that a turn begins.
    pub fn note(&self, whose: &Whose<K>, cost: u64) {
        let mut turns = self.lock();
        turns.now += cost;
        let now = turns.now;
        turns.last.extend(whose.parties().map(|party| (party, now)));
        if turns.last.len() > 4 * REMEMBERED {
            let mut all: Vec<u64> = turns.last.values().copied().collect();
            let (_, border, _) = all.select_nth_unstable(2 * REMEMBERED);
            let border = *border;
            turns.last.retain(|_, last| *last >= border);
        }
    }

    /// The order of those who wait: the smallest is next, and of equal ones who came first.
    pub fn order(&self, whose: &Whose<K>, joined: u64, cost: u64) -> u64 {
        let turns = self.lock();
        let last = whose.parties().filter_map(|party| turns.last.get(&party));
        let last = last.copied().max().unwrap_or(0);
        last.max(joined.saturating_sub(self.head_start)) + cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_had_turns_lately_is_forgotten_in_the_end() {
        let served = Served::new(0);
        for number in 0..100_000 {
            served.note(&Whose::from(number), 3);
            assert!(served.lock().last.len() <= 4 * REMEMBERED);
        }
        assert_eq!(served.order(&Whose::from(99_000), 0, 5), 3 * 99_001 + 5);
    }
}
