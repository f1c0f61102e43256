//! Turns to run. The next turn goes to whoever has used the least lately, with the cost of the turn counted, so that
//! however many callers a tenant has, and however large their work is, another tenant waits for one turn of it at most; nor
//! do the tenants of one person have more turns than another person's one ([`Served`]).

#[cfg(test)]
mod tests;

use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{Unfinished, Whose, served::Served};
use crate::clock::Monotonic;

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
    /// What all turns had cost when the caller came.
    since: f64,
    cost: f64,
    turn: oneshot::Sender<Permit<K>>,
}

/// A turn. When dropped, it passes to the next caller.
#[derive(Debug)]
pub(super) struct Permit<K: Copy + Eq + Hash> {
    /// `None` once it has passed.
    turns: Option<Arc<Turns<K>>>,
    whose: Whose<K>,
    cost: f64,
    began: Monotonic,
}

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

    fn begin(self: &Arc<Self>, whose: Whose<K>, cost: f64) -> Permit<K> {
        self.served.begins(&whose, cost);
        Permit {
            turns: Some(Arc::clone(self)),
            whose,
            cost,
            began: self.served.now(),
        }
    }

    /// Waits for a turn, for work with this cost.
    ///
    /// # Errors
    /// If the process is ending.
    pub async fn wait(
        self: &Arc<Self>,
        whose: &Whose<K>,
        cost: f64,
    ) -> Result<Permit<K>, Unfinished> {
        let turn = {
            let mut line = self.lock();
            if line.free > 0 {
                line.free -= 1;
                return Ok(self.begin(*whose, cost));
            }
            line.join(*whose, self.served.total(), cost)
        };
        turn.await.map_err(|_| Unfinished)
    }

    fn pass_on(self: &Arc<Self>) {
        loop {
            let Some(next) = self.next_or_free() else {
                return;
            };
            let permit = self.begin(next.whose, next.cost);
            match next.turn.send(permit) {
                Ok(()) => return,
                // This caller is gone.
                Err(mut permit) => permit.turns = None,
            }
        }
    }

    /// Takes the caller whose turn it is out of the line. Without one, the turn becomes free.
    fn next_or_free(&self) -> Option<Caller<K>> {
        let mut line = self.lock();
        line.waiting.retain(|caller| !caller.turn.is_closed());
        let order =
            |caller: &Caller<K>| self.served.order(&caller.whose, caller.since, caller.cost);
        let callers = line.waiting.iter().map(order).enumerate();
        // Of equal ones, the first.
        let next = callers.min_by(|(_, one), (_, other)| one.total_cmp(other));
        let Some((next, _)) = next else {
            line.free += 1;
            return None;
        };
        Some(line.waiting.remove(next))
    }

    #[cfg(test)]
    pub fn free(&self) -> usize {
        self.lock().free
    }
}

impl<K: Copy + Eq + Hash> Line<K> {
    fn join(&mut self, whose: Whose<K>, since: f64, cost: f64) -> oneshot::Receiver<Permit<K>> {
        // Callers that are gone would otherwise stay until their turn, and their places no longer limit them.
        self.waiting.retain(|caller| !caller.turn.is_closed());
        let (turn, wait) = oneshot::channel();
        self.waiting.push(Caller {
            whose,
            since,
            cost,
            turn,
        });
        wait
    }
}

impl<K: Copy + Eq + Hash> Permit<K> {
    /// Passes the turn on, and waits for another one. It is the same one if nobody else is next: whoever joined the line after
    /// passing it on would always have to wait for someone.
    ///
    /// # Errors
    /// If the process is ending.
    pub async fn next(self, cost: f64) -> Result<Self, Unfinished> {
        let turns = self.turns.as_ref().ok_or(Unfinished)?;
        let since = turns.served.total();
        let turn = turns.lock().join(self.whose, since, cost);
        drop(self);
        turn.await.map_err(|_| Unfinished)
    }
}

impl<K: Copy + Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.served.ended(&self.whose, self.cost, self.began);
            turns.pass_on();
        }
    }
}
