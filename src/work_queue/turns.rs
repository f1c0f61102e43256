//! Turns to run, which the waiting callers get in rotation: the first caller of each tenant, then the second of each,
//! and so on. However many callers a tenant has, another tenant waits for one of them at most; nor do the tenants of one
//! person have more turns than another person's one ([`Served::order`]).

use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{Unfinished, Whose, served::Served};

/// A number of turns, and the callers that wait for one. `K` identifies a tenant or person.
#[derive(Debug)]
pub(super) struct Turns<K: Copy + Eq + Hash> {
    served: Arc<Served<K>>,
    line: Mutex<Line<K>>,
}

#[derive(Debug)]
struct Line<K: Copy + Eq + Hash> {
    free: usize,
    /// The waiting callers, in the order in which they came.
    waiting: Vec<Caller<K>>,
}

#[derive(Debug)]
struct Caller<K: Copy + Eq + Hash> {
    whose: Whose<K>,
    joined: u64,
    cost: u64,
    turn: oneshot::Sender<Permit<K>>,
}

/// A turn. When dropped, it passes to the next caller.
#[derive(Debug)]
pub(super) struct Permit<K: Copy + Eq + Hash>(Option<Arc<Turns<K>>>);

impl<K: Copy + Eq + Hash> Turns<K> {
    pub fn new(free: usize, served: Arc<Served<K>>) -> Self {
        let waiting = vec![];
        Self {
            served,
            line: Mutex::new(Line { free, waiting }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line<K>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, for work with this cost.
    ///
    /// # Errors
    /// If the process is ending.
    pub async fn wait(
        self: &Arc<Self>,
        whose: &Whose<K>,
        cost: u64,
    ) -> Result<Permit<K>, Unfinished> {
        let turn = {
            let mut line = self.lock();
            if line.free > 0 {
                line.free -= 1;
                self.served.note(whose, cost);
                return Ok(Permit(Some(Arc::clone(self))));
            }
            // Callers that are gone would otherwise stay until their turn, and their places no longer limit them.
            line.waiting.retain(|caller| !caller.turn.is_closed());
            let (turn, wait) = oneshot::channel();
            line.waiting.push(Caller {
                whose: *whose,
                joined: self.served.now(),
                cost,
                turn,
            });
            wait
        };
        turn.await.map_err(|_| Unfinished)
    }

    fn pass_on(self: &Arc<Self>) {
        loop {
            let Some(next) = self.next_or_free() else {
                return;
            };
            match next.turn.send(Permit(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // This caller is gone.
                Err(mut permit) => permit.0 = None,
            }
        }
    }

    /// Takes the caller whose turn it is out of the line. Without one, the turn becomes free.
    fn next_or_free(&self) -> Option<Caller<K>> {
        let mut line = self.lock();
        line.waiting.retain(|caller| !caller.turn.is_closed());
        let order =
            |caller: &Caller<K>| self.served.order(&caller.whose, caller.joined, caller.cost);
        let callers = line.waiting.iter().enumerate();
        // Of equal ones, the first.
        let next = callers
            .min_by_key(|(_, caller)| order(caller))
            .map(|(place, _)| place);
        let Some(next) = next else {
            line.free += 1;
            return None;
        };
        let next = line.waiting.remove(next);
        self.served.note(&next.whose, next.cost);
        Some(next)
    }

    #[cfg(test)]
    pub fn free(&self) -> usize {
        self.lock().free
    }
}

impl<K: Copy + Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::Pin, task::Poll};

    use futures_util::poll;

    use super::*;

    type Waiting = Pin<Box<dyn Future<Output = Result<Permit<char>, Unfinished>>>>;

    fn turns(head_start: u64) -> Arc<Turns<char>> {
        Arc::new(Turns::new(1, Arc::new(Served::new(head_start))))
    }

    async fn waiting(turns: &Arc<Turns<char>>, whose: impl Into<Whose<char>>) -> Waiting {
        waiting_for(turns, whose, 1).await
    }

    async fn waiting_for(
        turns: &Arc<Turns<char>>,
        whose: impl Into<Whose<char>>,
        cost: u64,
    ) -> Waiting {
        let (turns, whose) = (Arc::clone(turns), whose.into());
        let mut waiting: Waiting = Box::pin(async move { turns.wait(&whose, cost).await });
        assert!(poll!(&mut waiting).is_pending());
        waiting
    }

    /// The order in which the callers get their turns, when each turn ends before the next begins.
    async fn order(mut callers: Vec<(char, Waiting)>) -> String {
        let mut order = String::new();
        while !callers.is_empty() {
            let mut next = None;
            for (place, (_, caller)) in callers.iter_mut().enumerate() {
                if let Poll::Ready(turn) = poll!(caller) {
                    assert!(next.is_none(), "two turns at a time");
                    next = Some((place, turn.unwrap()));
                }
            }
            let (place, turn) = next.unwrap();
            order.push(callers.remove(place).0);
            drop(turn);
        }
        order
    }

    #[tokio::test]
    async fn tenants_take_turns_however_many_callers_each_has() {
        let turns = turns(0);
        let running = turns.wait(&'a'.into(), 1).await.unwrap();
        let mut callers = vec![];
        for whose in "aaaabbbcab".chars() {
            callers.push((whose, waiting(&turns, whose).await));
        }
        drop(running);
        assert_eq!(order(callers).await, "abcabababa");
        assert_eq!(turns.free(), 1);
    }

    #[tokio::test]
    async fn the_tenants_of_one_person_have_the_turns_of_one() {
        let turns = turns(0);
        let of = |tenant, person| Whose {
            tenant,
            person: Some(person),
        };
        let running = turns.wait(&of('a', 'X'), 1).await.unwrap();
        let mut callers = vec![];
        for tenant in "bcdef".chars() {
            callers.push((tenant, waiting(&turns, of(tenant, 'X')).await));
        }
        callers.push(('y', waiting(&turns, of('y', 'Y')).await));
        callers.push(('z', waiting(&turns, 'z').await));
        drop(running);
        assert_eq!(order(callers).await, "byzcdef");
    }

    #[tokio::test]
    async fn with_a_head_start_those_who_had_no_turn_lately_pass_those_who_did_but_not_for_ever() {
        let turns = turns(4);
        let mut running = turns.wait(&'a'.into(), 1).await.unwrap();
        let mut a = waiting(&turns, 'a').await;
        for (number, newcomer) in "bcdefghi".chars().enumerate() {
            let newcomer = waiting(&turns, newcomer).await;
            drop(running);
            if let Poll::Ready(turn) = poll!(&mut a) {
                assert_eq!(number, 4);
                drop((newcomer, turn));
                return;
            }
            running = newcomer.await.unwrap();
        }
        panic!("passed for ever");
    }

    #[tokio::test]
    async fn small_work_goes_before_large_work_that_came_first_but_not_for_ever() {
        let turns = turns(1_000);
        let mut running = turns.wait(&'a'.into(), 1).await.unwrap();
        let mut callers = vec![];
        for large in "bcd".chars() {
            callers.push((large, waiting_for(&turns, large, 50).await));
        }
        callers.push(('s', waiting_for(&turns, 's', 2).await));
        drop(running);
        assert_eq!(order(callers).await, "sbcd");
        // Two tenants with small work again and again do not keep out one with large work.
        running = turns.wait(&'x'.into(), 1).await.unwrap();
        let mut large = waiting_for(&turns, 'l', 50).await;
        for number in 0..1_000 {
            let small = waiting_for(&turns, ['y', 'z'][number % 2], 2).await;
            drop(running);
            if let Poll::Ready(turn) = poll!(&mut large) {
                drop((small, turn));
                return;
            }
            running = small.await.unwrap();
        }
        panic!("passed for ever");
    }

    #[tokio::test]
    async fn a_turn_passes_over_callers_that_are_gone_and_none_is_lost() {
        let turns = turns(0);
        let running = turns.wait(&'a'.into(), 1).await.unwrap();
        for _ in 0..100 {
            drop(waiting(&turns, 'b').await);
        }
        let held = turns.lock().waiting.len();
        assert_eq!(held, 1, "callers that are gone are removed");
        let given = waiting(&turns, 'c').await;
        let stays = waiting(&turns, 'd').await;
        drop(running);
        // The first caller has its turn already, and goes without taking it.
        drop(given);
        assert_eq!(order(vec![('d', stays)]).await, "d");
        assert_eq!(turns.free(), 1);
    }
}
