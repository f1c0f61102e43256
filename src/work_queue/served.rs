//! When each tenant and person last had a turn, which decides who is next.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Whose;

/// For how many turns it is remembered who had one, at least.
const REMEMBERED: u64 = 2_048;

/// The number of turns so far, and when in this count each tenant and person had theirs.
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
    /// Whoever had none of the last `head_start` turns goes before those who did, even if these have waited for longer.
    /// Nobody is passed by those who come more than `head_start` turns later, so everyone's turn comes.
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

    /// The number of turns so far.
    pub fn now(&self) -> u64 {
        self.lock().now
    }

    /// Notes that a turn begins.
    pub fn note(&self, whose: &Whose<K>) {
        let mut turns = self.lock();
        turns.now += 1;
        let now = turns.now;
        turns.last.extend(whose.parties().map(|party| (party, now)));
        if turns.last.len() as u64 > 4 * REMEMBERED {
            turns.last.retain(|_, last| *last + REMEMBERED > now);
        }
    }

    /// The order of those who wait: the smallest is next, and of equal ones who came first.
    pub fn order(&self, whose: &Whose<K>, joined: u64) -> u64 {
        let turns = self.lock();
        let last = whose.parties().filter_map(|party| turns.last.get(&party));
        let last = last.copied().max().unwrap_or(0);
        last.max(joined.saturating_sub(self.head_start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_had_turns_lately_is_forgotten_in_the_end() {
        let served = Served::new(0);
        for number in 0..100_000 {
            served.note(&Whose::from(number));
            assert!(served.lock().last.len() as u64 <= 4 * REMEMBERED);
        }
        assert_eq!(served.order(&Whose::from(99_000), 0), 99_001);
    }
}
