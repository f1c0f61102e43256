//! What the turns of each tenant and person have cost lately, which decides who is next, and how long work takes.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Whose;
use crate::clock::{Clock, Monotonic};

/// How many tenants and persons are remembered, at least.
const REMEMBERED: usize = 2_048;
/// The time after which half of what someone's turns have cost is forgotten, in milliseconds: long compared to the time in which
/// many tenants have a turn each, so that those who come again and again stay behind someone who comes once.
const HALF_LIFE: f64 = 300_000.0;
/// How much the waiting of others counts against what someone has used, for queues with a line: a unit that was used lets others
/// go first for the time of this many.
const WEIGHT_IN_LINE: f64 = 64.0;
/// The most of what someone has used that counts so much, as a multiple of the largest work: others who had a turn lately go first
/// once or twice, and not until each of them has used as much as an organization that imports every night, or the network of an
/// office in the morning.
const MOST_LATELY: f64 = 2.0;
/// How much it counts beyond that, for each time that it doubles: a little, so that those who come again and again stay behind
/// someone who came a few times.
const WEIGHT_OF_DOUBLING: f64 = 4.0;
/// How much a single turn changes what is known of the time that work takes.
const LEARNED: f64 = 0.1;

/// What turns have cost lately, in the units of their callers, and the time that a unit takes.
#[derive(Debug)]
pub(super) struct Served<K> {
    clock: Clock,
    order: Order,
    state: Mutex<State<K>>,
}

/// How those who wait are ordered: by when they came and what they have used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    /// What a unit that was used counts, in units that others use while someone waits.
    pub weight: f64,
    /// The most that counts of what someone has used. So nobody is passed by others for ever.
    pub most: f64,
    /// What each doubling of it counts besides.
    pub doubling: f64,
}

impl Order {
    /// For a queue with so many places.
    pub fn of(places: usize) -> Self {
        Self {
            weight: 1.0,
            most: places as f64,
            doubling: 0.0,
        }
    }

    /// For a queue with a line, whose largest work costs this much.
    pub fn in_line(largest: f64) -> Self {
        Self {
            weight: WEIGHT_IN_LINE,
            most: MOST_LATELY * largest,
            doubling: WEIGHT_OF_DOUBLING,
        }
    }

    /// For a queue with so many places, in which whoever had no turn lately goes before all others that have a place.
    pub fn for_newcomers(places: usize) -> Self {
        Self {
            weight: 4.0 * places as f64,
            most: MOST_LATELY,
            doubling: WEIGHT_OF_DOUBLING,
        }
    }
}

#[derive(Debug)]
struct State<K> {
    used: HashMap<K, Used>,
    /// What all turns have cost.
    total: f64,
    millis_per_unit: f64,
}

#[derive(Debug, Clone, Copy)]
struct Used {
    cost: f64,
    at: Monotonic,
}

impl Used {
    /// What of it counts.
    fn lately(self, now: Monotonic) -> f64 {
        self.cost * (-(now.since(self.at) as f64) / HALF_LIFE).exp2()
    }
}

impl<K: Copy + Eq + Hash> Served<K> {
    /// A unit is expected to take this long, until turns show how long it takes.
    pub fn new(clock: Clock, order: Order, millis_per_unit: f64) -> Self {
        Self {
            clock,
            order,
            state: Mutex::new(State {
                used: HashMap::new(),
                total: 0.0,
                millis_per_unit,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Monotonic {
        self.clock.monotonic()
    }

    /// What the turns of the tenant have cost lately, or those of the person with all their tenants, whichever is more.
    pub fn lately(&self, whose: &Whose<K>) -> f64 {
        let (now, state) = (self.now(), self.lock());
        let used = whose.parties().filter_map(|party| state.used.get(&party));
        used.map(|used| used.lately(now)).fold(0.0, f64::max)
    }

    /// The part of it that decides whose work gives its place to a newcomer.
    pub fn counted(&self, whose: &Whose<K>) -> f64 {
        self.lately(whose).min(self.order.most)
    }

    /// What all turns have cost so far, which is when someone begins to wait.
    pub fn total(&self) -> f64 {
        self.lock().total
    }

    /// The order of those who wait since then: the smallest is next, and of equal ones who came first.
    pub fn order(&self, whose: &Whose<K>, since: f64, cost: f64) -> f64 {
        let used = self.lately(whose);
        let lately = used.min(self.order.most);
        since + self.order.weight * (lately + cost) + self.order.doubling * (1.0 + used).log2()
    }

    /// How long work with this cost takes, in milliseconds.
    pub fn millis(&self, cost: f64) -> f64 {
        cost * self.lock().millis_per_unit
    }

    /// Notes that a turn begins.
    pub fn begins(&self, whose: &Whose<K>, cost: f64) {
        self.lock().total += cost;
        self.add(whose, cost);
    }

    /// Notes that a turn has ended. If it took longer than its cost lets expect, it has cost more.
    pub fn ended(&self, whose: &Whose<K>, cost: f64, began: Monotonic) {
        let took = self.now().since(began) as f64;
        if took <= 0.0 {
            return;
        }
        let mut state = self.lock();
        let more = took / state.millis_per_unit - cost;
        // Work that costs almost nothing says nothing about the rest.
        if cost >= 1.0 {
            state.millis_per_unit += LEARNED * (took / cost - state.millis_per_unit);
        }
        drop(state);
        if more > 0.0 {
            self.add(whose, more);
        }
    }

    fn add(&self, whose: &Whose<K>, cost: f64) {
        let (now, mut state) = (self.now(), self.lock());
        for party in whose.parties() {
            let used = state
                .used
                .entry(party)
                .or_insert(Used { cost: 0.0, at: now });
            *used = Used {
                cost: used.lately(now) + cost,
                at: now,
            };
        }
        if state.used.len() > 4 * REMEMBERED {
            let mut all: Vec<f64> = state.used.values().map(|used| used.lately(now)).collect();
            let (_, border, _) = all.select_nth_unstable_by(2 * REMEMBERED, f64::total_cmp);
            let border = *border;
            state.used.retain(|_, used| used.lately(now) > border);
        }
    }
}
