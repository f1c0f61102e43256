//! The places of a queue, and the line of those who wait for one.
//!
//! The next place goes to whoever has the fewest, then to whoever had no turn lately, then to whoever came first. A newcomer
//! without any place does not have to wait until one is free: in queues whose work can be given up ([`GivesWay`]), one piece
//! of the tenant or person with the most gives its place to it.

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
    /// What came last of who has the most, if that is more than one.
    Newest,
    /// What came first of who has the most; if nobody has more than one, only to who has waited for this long.
    Oldest(Duration),
}

/// The places in use, and the line.
#[derive(Debug)]
pub(super) struct Places<K> {
    pub max: usize,
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
    is_running: bool,
    lost: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
struct InLine<K> {
    whose: Whose<K>,
    /// What all turns had cost by then.
    joined: u64,
    cost: u64,
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
    pub fn new(max: usize, max_each: usize, gives_way: GivesWay, served: Arc<Served<K>>) -> Self {
        Self {
            max,
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
            GivesWay::Never | GivesWay::Newest => Duration::MAX,
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

    /// Takes a free place, if there is one for which nobody waits.
    ///
    /// # Errors
    /// If there is none, in total or for this tenant.
    pub fn take(&self, whose: Whose<K>) -> Result<Taken, Busy> {
        let mut state = self.lock();
        if !self.has_share(&state, &whose) || !state.line.is_empty() || state.held.len() >= self.max
        {
            return Err(Busy::default());
        }
        Ok(state.take(whose))
    }

    /// Joins the line, for work with this cost.
    ///
    /// # Errors
    /// If the tenant's share is used up: by its places, and those that it waits for.
    pub fn join(&self, whose: Whose<K>, cost: u64) -> Result<Waiter<'_, K>, Busy> {
        let joined = self.served.now();
        let mut state = self.lock();
        if !self.has_share(&state, &whose) {
            return Err(Busy::default());
        }
        let number = state.number();
        state.line.insert(
            number,
            InLine {
                whose,
                joined,
                cost,
            },
        );
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

    /// Frees a place, unless it was given to someone else.
    pub fn free(&self, number: u64) {
        self.lock().remove(number);
        self.changed.notify_waiters();
    }

    /// Who is next in line.
    fn next(&self, state: &State<K>) -> Option<u64> {
        let order = |waiter: &InLine<K>| {
            let order = self.served.order(&waiter.whose, waiter.joined, waiter.cost);
            (state.most(&waiter.whose), order)
        };
        // Of equal ones, the first.
        let next = state.line.iter().min_by_key(|(_, waiter)| order(waiter));
        next.map(|(number, _)| *number)
    }

    /// The place that is given to a newcomer, if any is.
    fn given_up(&self, state: &State<K>, has_waited: bool) -> Option<u64> {
        let waiting = state.held.iter().filter(|(_, held)| !held.is_running);
        let candidates = waiting.map(|(number, held)| (state.most(&held.whose), *number));
        let (_, number) = match self.gives_way {
            GivesWay::Never => None,
            GivesWay::Newest => candidates.filter(|(most, _)| *most > 1).max(),
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

    fn take(&mut self, whose: Whose<K>) -> Taken {
        let (number, lost) = (self.number(), CancellationToken::new());
        for party in whose.parties() {
            *self.holds.entry(party).or_default() += 1;
        }
        let held = Held {
            whose,
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
        let whose = state.line.get(&self.number)?.whose;
        if state.held.len() >= self.places.max {
            if state.most(&whose) > 0 {
                return None;
            }
            let given_up = self.places.given_up(&state, has_waited)?;
            state.remove(given_up)?.lost.cancel();
        }
        state.line.remove(&self.number);
        Some(state.take(whose))
    }
}

impl<K: Copy + Eq + Hash> Drop for Waiter<'_, K> {
    fn drop(&mut self) {
        self.places.lock().line.remove(&self.number);
        // The next in line can have waited for this one.
        self.places.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;

    fn places(max: usize, gives_way: GivesWay) -> Places<char> {
        Places::new(max, 2, gives_way, Arc::new(Served::new(100)))
    }

    fn of(tenant: char, person: char) -> Whose<char> {
        Whose {
            tenant,
            person: Some(person),
        }
    }

    #[test]
    fn the_one_with_the_fewest_places_is_next_then_who_had_no_turn_lately_then_the_first() {
        let places = places(6, GivesWay::Never);
        let _of_x = [of('a', 'X'), of('b', 'X')].map(|whose| places.take(whose).unwrap());
        let others = "cpqr"
            .chars()
            .map(|tenant| places.take(tenant.into()).unwrap());
        let others: Vec<_> = others.collect();
        places.served.note(&'d'.into(), 1);
        let more_of_x = places.join(of('e', 'X'), 1).unwrap();
        let second_of_c = places.join('c'.into(), 1).unwrap();
        let had_a_turn = places.join('d'.into(), 1).unwrap();
        let first = places.join('f'.into(), 1).unwrap();
        let second = places.join('g'.into(), 1).unwrap();
        let mut free: Vec<u64> = others.iter().skip(1).map(|place| place.number).collect();
        for next in [&first, &second, &had_a_turn, &second_of_c, &more_of_x] {
            assert!(next.take(false).is_none(), "there is no place");
            places.free(free.remove(0));
            for waiter in [&first, &second, &had_a_turn, &second_of_c, &more_of_x] {
                let taken = waiter.take(false);
                assert_eq!(taken.is_some(), std::ptr::eq(waiter, next));
                free.extend(taken.map(|place| place.number));
            }
        }
    }

    #[test]
    fn nobody_takes_a_place_before_those_who_wait_nor_waits_beyond_a_share() {
        let places = places(1, GivesWay::Never);
        let held = places.take('a'.into()).unwrap();
        let waits = places.join('a'.into(), 1).unwrap();
        assert!(
            places.join('a'.into(), 1).is_err(),
            "one place and one in line"
        );
        let (one, two) = (
            places.join('b'.into(), 1).unwrap(),
            places.join('b'.into(), 1).unwrap(),
        );
        assert!(places.join('b'.into(), 1).is_err());
        places.free(held.number);
        assert!(places.take('c'.into()).is_err());
        drop((waits, one, two));
        places.take('c'.into()).unwrap();
    }

    #[test]
    fn whoever_has_none_gets_a_place_beyond_the_share_that_others_of_the_tenant_use() {
        let places = places(20, GivesWay::Newest);
        let _admin = [(); 2].map(|()| places.take(of('a', 'A')).unwrap());
        assert!(places.take(of('a', 'A')).is_err());
        assert!(places.take('a'.into()).is_err(), "nobody is known");
        let _owner = places.take(of('a', 'B')).unwrap();
        assert!(places.take(of('a', 'B')).is_err());
        let _others: Vec<_> = "CDEFG"
            .chars()
            .map(|person| places.take(of('a', person)).unwrap())
            .collect();
        assert!(places.take(of('a', 'H')).is_err());
    }

    #[test]
    fn a_newcomer_gets_the_place_that_came_last_of_who_has_the_most() {
        let places = places(4, GivesWay::Newest);
        let running = places.take(of('a', 'X')).unwrap();
        let kept = places.take(of('b', 'X')).unwrap();
        let single = places.take('s'.into()).unwrap();
        let last = places.take(of('c', 'X')).unwrap();
        assert!(places.runs(running.number, true));
        let other = places.join('n'.into(), 1).unwrap();
        other.take(false).unwrap();
        assert!(last.lost.is_cancelled() && !places.runs(last.number, true));
        assert_eq!((places.held_by('X'), places.taken()), (2, 4));
        let another = places.join('o'.into(), 1).unwrap();
        another.take(false).unwrap();
        assert!(kept.lost.is_cancelled());
        // Nobody has more than one now.
        assert!(places.join('p'.into(), 1).unwrap().take(false).is_none());
        assert!(!running.lost.is_cancelled() && !single.lost.is_cancelled());
        // To free a place that was given up frees no other.
        places.free(kept.number);
        assert_eq!(places.taken(), 4);
    }

    #[rstest]
    #[case(GivesWay::Newest)]
    #[case(GivesWay::Oldest(Duration::ZERO))]
    fn whoever_has_a_place_gets_none_of_others(#[case] gives_way: GivesWay) {
        let places = places(3, gives_way);
        let _held =
            [of('a', 'X'), of('a', 'X'), of('b', 'Y')].map(|whose| places.take(whose).unwrap());
        let waits = places.join(of('c', 'Y'), 1).unwrap();
        assert!(waits.take(false).is_none());
    }

    #[test]
    fn one_newcomer_gets_one_place_of_the_oldest() {
        let places = places(4, GivesWay::Oldest(Duration::from_secs(3)));
        let held = ['a', 'b', 'c', 'c'].map(|tenant| places.take(tenant.into()).unwrap());
        let lost = || {
            held.iter()
                .map(|place| place.lost.is_cancelled())
                .collect::<Vec<_>>()
        };
        let newcomers = ['n', 'o', 'p'].map(|tenant| places.join(tenant.into(), 1).unwrap());
        assert!(newcomers[0].take(false).is_some());
        assert_eq!(
            lost(),
            [false, false, true, false],
            "of who has two, at once"
        );
        assert!(newcomers[1].take(false).is_none());
        assert!(newcomers[1].take(true).is_some());
        assert_eq!(
            lost(),
            [true, false, true, false],
            "of who has one, to who has waited"
        );
        assert!(newcomers[2].take(false).is_none());
    }
}
