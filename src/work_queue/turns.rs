//! Turns to run, which the waiting callers get in rotation: the first caller of each tenant, then the second of each,
//! and so on. However many callers a tenant has, another tenant waits for one of them at most.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::Unfinished;

/// A number of turns, and the callers that wait for one. `K` identifies a tenant.
#[derive(Debug)]
pub(super) struct Turns<K>(Mutex<Line<K>>);

#[derive(Debug)]
struct Line<K> {
    free: usize,
    /// The waiting callers by tenant, of which none is without any. The tenant whose turn is next is first.
    waiting: VecDeque<(K, VecDeque<Caller<K>>)>,
}

type Caller<K> = oneshot::Sender<Permit<K>>;

/// A turn. When dropped, it passes to the next caller.
#[derive(Debug)]
pub(super) struct Permit<K>(Option<Arc<Turns<K>>>);

impl<K> Turns<K> {
    pub fn new(free: usize) -> Self {
        Self(Mutex::new(Line {
            free,
            waiting: VecDeque::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Line<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass_on(self: &Arc<Self>) {
        loop {
            let next = self.lock().next_or_free();
            let Some(next) = next else { return };
            match next.send(Permit(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // This caller is gone.
                Err(mut permit) => permit.0 = None,
            }
        }
    }

    #[cfg(test)]
    pub fn free(&self) -> usize {
        self.lock().free
    }
}

impl<K: Clone + Eq> Turns<K> {
    /// Waits for a turn.
    ///
    /// # Errors
    /// If the process is ending.
    pub async fn wait(self: &Arc<Self>, whose: &K) -> Result<Permit<K>, Unfinished> {
        let turn = {
            let mut line = self.lock();
            if line.free > 0 {
                line.free -= 1;
                return Ok(Permit(Some(Arc::clone(self))));
            }
            line.join(whose)
        };
        turn.await.map_err(|_| Unfinished)
    }
}

impl<K> Line<K> {
    /// Takes the caller whose turn it is out of the line. Without one, the turn becomes free.
    fn next_or_free(&mut self) -> Option<Caller<K>> {
        let next = self.waiting.pop_front().and_then(|(whose, mut callers)| {
            let next = callers.pop_front();
            if !callers.is_empty() {
                self.waiting.push_back((whose, callers));
            }
            next
        });
        if next.is_none() {
            self.free += 1;
        }
        next
    }
}

impl<K: Clone + Eq> Line<K> {
    fn join(&mut self, whose: &K) -> oneshot::Receiver<Permit<K>> {
        // Callers that are gone would otherwise stay until their turn, and their places no longer limit them.
        for (_, callers) in &mut self.waiting {
            callers.retain(|caller| !caller.is_closed());
        }
        self.waiting.retain(|(_, callers)| !callers.is_empty());
        let (caller, turn) = oneshot::channel();
        match self.waiting.iter_mut().find(|(other, _)| other == whose) {
            Some((_, callers)) => callers.push_back(caller),
            None => {
                let callers = VecDeque::from([caller]);
                self.waiting.push_back((whose.clone(), callers));
            }
        }
        turn
    }
}

impl<K> Drop for Permit<K> {
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

    async fn waiting(turns: &Arc<Turns<char>>, whose: char) -> Waiting {
        let turns = Arc::clone(turns);
        let mut waiting: Waiting = Box::pin(async move { turns.wait(&whose).await });
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
        let turns = Arc::new(Turns::new(1));
        let running = turns.wait(&'a').await.unwrap();
        let mut callers = vec![];
        for whose in "aaaabbbcab".chars() {
            callers.push((whose, waiting(&turns, whose).await));
        }
        drop(running);
        assert_eq!(order(callers).await, "abcabababa");
        assert_eq!(turns.free(), 1);
    }

    #[tokio::test]
    async fn a_turn_passes_over_callers_that_are_gone_and_none_is_lost() {
        let turns = Arc::new(Turns::new(1));
        let running = turns.wait(&'a').await.unwrap();
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
