//! The places of a queue, and the line of those who wait for one.
//!
//! The next place goes to whoever has the fewest, then to whoever has used the least lately, then to whoever came first. A
//! newcomer without any place does not have to wait until one is free: in queues whose work can be given up ([`GivesWay`]), one
//! piece of the tenant or person with the most gives its place to it.
//!
//! Who would wait for too long does not join the line. What is ahead of someone is computed from what everyone has used and
//! still has to do ([`Places::ahead_of`]), as the turns are given.

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Busy, Whose, served::Served};

/// How many times a tenant's share its persons can have together, each one place beyond the share.
const PERSONS: usize = 4;

/// Which work gives its place to a newcomer who has none. Work that is running never does.
#[derive(Debug, Clone, Copy)]
pub enum GivesWay {
    /// None.
    Never,
    /// None, but shares shrink as the queue fills, so that there is a place for who comes later.
    Shrinks,
    /// In a queue without a line: what would get a place last, if it were given anew to all who have one and the newcomer.
    Last,
    /// What came last of who has the most, if that is more than one; or otherwise what has not begun of who has had turns lately,
    /// if the newcomer has had none.
    Newest,
    /// What came first of who has the most; if nobody has more than one, only to who has waited for this long.
    Oldest(Duration),
}

/// The places in use, and the line.
#[derive(Debug)]
pub(super) struct Places<K> {
    pub max: usize,
    at_once: usize,
    max_each: usize,
    gives_way: GivesWay,
    served: Arc<Served<K>>,
    state: Mutex<State<K>>,
    /// Notified when who waits in line can be next.
    changed: Notify,
}

#[derive(Debug)]
struct State<K> {
    next_number: u64,
    held: BTreeMap<u64, Held<K>>,
    /// The number of places that each tenant and person holds.
    holds: HashMap<K, usize>,
    line: BTreeMap<u64, InLine<K>>,
}

#[derive(Debug)]
struct Held<K> {
    whose: Whose<K>,
    /// What the rest of the work costs.
    cost: f64,
    is_running: bool,
    lost: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
struct InLine<K> {
    whose: Whose<K>,
    /// What all turns had cost when the caller came.
    since: f64,
    cost: f64,
}

/// A place that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub number: u64,
    /// Cancelled when the place is given to someone else.
    pub lost: CancellationToken,
}

/// One of those who wait in line, until this is dropped.
pub(super) struct Waiter<'a, K: Copy + Eq + Hash> {
    places: &'a Places<K>,
    number: u64,
}

impl<K: Copy + Eq + Hash> Places<K> {
    pub fn new(
        (at_once, max, max_each): (usize, usize, usize),
        gives_way: GivesWay,
        served: Arc<Served<K>>,
    ) -> Self {
        Self {
            max,
            at_once,
            max_each,
            gives_way,
            served,
            state: Mutex::new(State {
                next_number: 0,
                held: BTreeMap::new(),
                holds: HashMap::new(),
                line: BTreeMap::new(),
            }),
            changed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long who waits in line leaves a place to who has no other.
    pub fn patience(&self) -> Duration {
        match self.gives_way {
            GivesWay::Never | GivesWay::Shrinks | GivesWay::Last | GivesWay::Newest => {
                Duration::MAX
            }
            GivesWay::Oldest(after) => after,
        }
    }

    /// Number of places in use.
    pub fn taken(&self) -> usize {
        self.lock().held.len()
    }

    /// Number of places that a tenant or person has.
    #[cfg(test)]
    pub fn held_by(&self, party: K) -> usize {
        self.lock().of(party)
    }

    /// Number of those who wait in line.
    #[cfg(test)]
    pub fn in_line(&self) -> usize {
        self.lock().line.len()
    }

    /// Takes a place that is free or [given up](GivesWay::Last), if nobody waits for one.
    ///
    /// # Errors
    /// If there is none, in total or for this tenant.
    pub fn take(&self, whose: Whose<K>) -> Result<Taken, Busy> {
        let mut state = self.lock();
        let is_full = state.held.len() >= self.max;
        if !self.has_share(&state, &whose)
            || !state.line.is_empty()
            || is_full && !matches!(self.gives_way, GivesWay::Last)
        {
            return Err(Busy::default());
        }
        let taken = state.take(whose, 1.0);
        if is_full {
            let last = self.last(&state).unwrap_or(taken.number);
            if let Some(held) = state.remove(last) {
                held.lost.cancel();
            }
            if last == taken.number {
                return Err(Busy::default());
            }
        }
        Ok(taken)
    }

    /// The place of whoever has the most, then of whoever has used the most lately, then the newest. Of the tenants of one person,
    /// the same decides. Work that is running keeps its place.
    fn last(&self, state: &State<K>) -> Option<u64> {
        let waiting = state.held.iter().filter(|(_, held)| !held.is_running);
        let order = waiting.map(|(number, held)| {
            let has = (state.most(&held.whose), state.of(held.whose.tenant));
            let by_tenant = self.served.lately(&held.whose.tenant.into());
            (has, self.served.lately(&held.whose), by_tenant, *number)
        });
        let last = order.max_by(|one, other| {
            let by_use = one.1.total_cmp(&other.1).then(one.2.total_cmp(&other.2));
            one.0.cmp(&other.0).then(by_use).then(one.3.cmp(&other.3))
        });
        last.map(|(.., number)| number)
    }

    /// Whether work with this cost would be done within this time.
    ///
    /// # Errors
    /// If the tenant's share is used up, by its places and those that it waits for, or the work would take longer.
    pub fn check(&self, whose: Whose<K>, cost: f64, within: Duration) -> Result<(), Busy> {
        self.check_in(&self.lock(), whose, cost, within)
    }

    fn check_in(
        &self,
        state: &State<K>,
        whose: Whose<K>,
        cost: f64,
        within: Duration,
    ) -> Result<(), Busy> {
        if !self.has_share(state, &whose) {
            return Err(Busy::default());
        }
        let work = self.ahead_of(state, &whose, cost) / self.at_once as f64 + cost;
        let millis = self.served.millis(work);
        match millis > within.as_millis() as f64 {
            true => Err(Busy::after(millis)),
            false => Ok(()),
        }
    }

    /// What is done before work of this cost is finished: of each tenant, what it has not used less than this one will have by
    /// then.
    fn ahead_of(&self, state: &State<K>, whose: &Whose<K>, cost: f64) -> f64 {
        let own = self.served.lately(whose) + cost;
        let held = state.held.values().map(|held| (held.whose, held.cost));
        let in_line = state
            .line
            .values()
            .map(|waiter| (waiter.whose, waiter.cost));
        let mut by_tenant = HashMap::<K, (Whose<K>, f64)>::new();
        for (whose, cost) in held.chain(in_line) {
            by_tenant.entry(whose.tenant).or_insert((whose, 0.0)).1 += cost;
        }
        let ahead = by_tenant.values().map(|(other, left)| {
            if other.tenant == whose.tenant {
                return *left;
            }
            (own - self.served.lately(other)).clamp(0.0, *left)
        });
        ahead.sum()
    }

    /// Joins the line, for work with this cost that is to be done within this time.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn join(
        &self,
        whose: Whose<K>,
        cost: f64,
        within: Duration,
    ) -> Result<Waiter<'_, K>, Busy> {
        let mut state = self.lock();
        self.check_in(&state, whose, cost, within)?;
        let number = state.number();
        let since = self.served.total();
        state.line.insert(number, InLine { whose, since, cost });
        drop(state);
        Ok(Waiter {
            places: self,
            number,
        })
    }

    /// Whether the tenant's share has a place for this person. Whoever has none gets one even if others have used up the share, or
    /// two downloads of one admin would keep the owners from theirs.
    fn has_share(&self, state: &State<K>, whose: &Whose<K>) -> bool {
        let has_none = whose.person.is_some_and(|person| state.asked(person) == 0);
        let share = if has_none {
            PERSONS * self.max_each
        } else {
            self.max_each
        };
        let share = match self.gives_way {
            GivesWay::Shrinks => (share * (self.max - state.held.len())).div_ceil(self.max),
            GivesWay::Never | GivesWay::Last | GivesWay::Newest | GivesWay::Oldest(_) => share,
        };
        state.asked(whose.tenant) < share
    }

    /// Waits until who waits in line can be next. What happens after this call is not missed.
    pub fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }

    /// Notes that the work of a place begins or ends. Returns whether the place is still held.
    pub fn runs(&self, number: u64, is_running: bool) -> bool {
        let mut state = self.lock();
        let held = state.held.get_mut(&number);
        held.map(|held| held.is_running = is_running).is_some()
    }

    /// Notes that a part of the work of a place begins.
    pub fn spend(&self, number: u64, cost: f64) {
        if let Some(held) = self.lock().held.get_mut(&number) {
            held.cost = (held.cost - cost).max(0.0);
        }
    }

    /// Frees a place, unless it was given to someone else.
    pub fn free(&self, number: u64) {
        self.lock().remove(number);
        self.changed.notify_waiters();
    }

    /// Who is next in line.
    fn next(&self, state: &State<K>) -> Option<u64> {
        let order = |waiter: &InLine<K>| {
            let order = self.served.order(&waiter.whose, waiter.since, waiter.cost);
            (state.most(&waiter.whose), order)
        };
        // Of equal ones, the first.
        let waiting = state.line.iter();
        let waiting = waiting.map(|(number, waiter)| (order(waiter), *number));
        let next = waiting.min_by(|((one, order), _), ((other, after), _)| {
            one.cmp(other).then(order.total_cmp(after))
        });
        next.map(|(_, number)| number)
    }

    /// The place that is given to a newcomer, if any is.
    fn given_up(&self, state: &State<K>, newcomer: &InLine<K>, has_waited: bool) -> Option<u64> {
        let waiting = state.held.iter().filter(|(_, held)| !held.is_running);
        let candidates = waiting
            .clone()
            .map(|(number, held)| (state.most(&held.whose), *number));
        let (_, number) = match self.gives_way {
            GivesWay::Never | GivesWay::Shrinks | GivesWay::Last => None,
            GivesWay::Newest => candidates.filter(|(most, _)| *most > 1).max().or_else(|| {
                let used =
                    waiting.map(|(number, held)| (self.served.counted(&held.whose), *number));
                let (used, number) = used.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
                let by_newcomer = self.served.lately(&newcomer.whose) + newcomer.cost;
                (used > by_newcomer).then_some((1, number))
            }),
            GivesWay::Oldest(_) => candidates
                .filter(|(most, _)| *most > 1 || has_waited)
                .max_by_key(|(most, number)| (*most, Reverse(*number))),
        }?;
        Some(number)
    }
}

impl<K: Copy + Eq + Hash> State<K> {
    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    fn of(&self, party: K) -> usize {
        self.holds.get(&party).copied().unwrap_or(0)
    }

    /// The places of the tenant or of the person, whichever has more.
    fn most(&self, whose: &Whose<K>) -> usize {
        let each = whose.parties().map(|party| self.of(party));
        each.max().unwrap_or(0)
    }

    /// The places that a tenant or person has or waits for.
    fn asked(&self, party: K) -> usize {
        let waiting = self.line.values();
        let waiting = waiting.filter(|waiter| waiter.whose.parties().any(|its| its == party));
        self.of(party) + waiting.count()
    }

    fn take(&mut self, whose: Whose<K>, cost: f64) -> Taken {
        let (number, lost) = (self.number(), CancellationToken::new());
        for party in whose.parties() {
            *self.holds.entry(party).or_default() += 1;
        }
        let held = Held {
            whose,
            cost,
            is_running: false,
            lost: lost.clone(),
        };
        self.held.insert(number, held);
        Taken { number, lost }
    }

    fn remove(&mut self, number: u64) -> Option<Held<K>> {
        let held = self.held.remove(&number)?;
        for party in held.whose.parties() {
            if let Some(count) = self.holds.get_mut(&party) {
                *count -= 1;
                if *count == 0 {
                    self.holds.remove(&party);
                }
            }
        }
        Some(held)
    }
}

impl<K: Copy + Eq + Hash> Waiter<'_, K> {
    /// Takes a place, if the caller is next in line and one is free or given up. `has_waited` is whether the caller has waited for
    /// as long as [`Places::patience`].
    pub fn take(&self, has_waited: bool) -> Option<Taken> {
        let mut state = self.places.lock();
        if self.places.next(&state)? != self.number {
            return None;
        }
        let newcomer = *state.line.get(&self.number)?;
        let InLine { whose, cost, .. } = newcomer;
        if state.held.len() >= self.places.max {
            if state.most(&whose) > 0 {
                return None;
            }
            let given_up = self.places.given_up(&state, &newcomer, has_waited)?;
            state.remove(given_up)?.lost.cancel();
        }
        state.line.remove(&self.number);
        Some(state.take(whose, cost))
    }
}

impl<K: Copy + Eq + Hash> Drop for Waiter<'_, K> {
    fn drop(&mut self) {
        self.places.lock().line.remove(&self.number);
        // The next in line can have waited for this one.
        self.places.changed.notify_waiters();
    }
}
