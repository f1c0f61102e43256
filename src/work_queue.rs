//! CPU-bound work, such as hashing a password or reading an import. It runs outside the threads that serve requests,
//! with limited concurrency and a bounded queue.
//!
//! Each queue has its own threads. A hash takes 19 MiB, and the allocator retains memory freed by a thread for that
//! thread. With a larger pool of threads, such as tokio's, each of them would retain that much.
//!
//! - A caller without a place in the queue is rejected before any work is done.
//! - Nobody can fill the queue: each tenant or network has a share of the places. Within a tenant, nobody keeps others out.
//!   In a queue whose work is never given up ([`WorkQueue::new`]), shares shrink as it fills: only as many as it has places fill it.
//! - Nobody waits behind all that another has in the queue: whoever has used the least lately has the next turn ([`turns`]), and
//!   large work has a turn for each of its parts ([`Turn::next_part`]).
//! - Who waits in line for a place is next with the fewest places, and one person counts with all their tenants ([`places`]).
//! - Who would not be done in time is rejected at once, and no turn is given to a request that has too little time left for it.
//! - A place is held until the work ends, even if the request is cancelled: running work cannot be cancelled.
//! - Work is not started if its request was cancelled while waiting: the waiting future is dropped with the request.

mod places;
mod served;
#[cfg(test)]
mod tests;
mod turns;
mod whose;

use std::{
    fmt::Debug,
    hash::Hash,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use tokio::{select, sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

pub use self::{places::GivesWay, whose::Whose};
use self::{
    places::{Places, Taken},
    served::{Order, Served},
    turns::{Permit, Turns},
};
use crate::clock::{Clock, Monotonic};

/// How long to wait before retrying, in seconds, and how long at most.
const RETRY_AFTER: u32 = 2;
const MAX_RETRY_AFTER: f64 = 60.0;
/// How long [`WorkQueue::enter_in_line`] waits for a place.
const LONGEST_IN_LINE: Duration = Duration::from_secs(15);
/// The time that a request has in total, in milliseconds.
const OF_A_REQUEST: i64 = 30_000;
/// The time that a request must have left at a turn, in milliseconds: to do a part of the work, and to respond.
const LEFT_AT_A_TURN: i64 = 3_000;
/// How long a unit of cost is expected to take, in milliseconds, until turns have shown it.
const MILLIS_PER_UNIT: f64 = 25.0;

/// The queue is full, or the caller's share of it is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Latchkey is busy. Try again in {retry_after} seconds.")]
pub struct Busy {
    /// Seconds to wait before retrying.
    pub retry_after: u32,
}

impl Busy {
    /// Too busy for this many milliseconds.
    fn after(millis: f64) -> Self {
        let seconds = (millis / 1_000.0).clamp(RETRY_AFTER.into(), MAX_RETRY_AFTER);
        Self {
            retry_after: seconds as u32,
        }
    }
}

/// What is asked of a queue for a request.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// What the work costs in all its parts, in units that the callers of a queue choose.
    pub cost: f64,
    /// When the request began, if it has to be answered in time.
    pub begun: Option<Monotonic>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            cost: 1.0,
            begun: None,
        }
    }
}

impl Wanted {
    /// How much time is left for turns.
    fn left(&self, now: Monotonic) -> Duration {
        let Some(begun) = self.begun else {
            return Duration::MAX;
        };
        let left = OF_A_REQUEST - LEFT_AT_A_TURN - now.since(begun);
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }
}

impl Default for Busy {
    fn default() -> Self {
        Self {
            retry_after: RETRY_AFTER,
        }
    }
}

/// The process is ending, or the work panicked.
#[derive(Debug, thiserror::Error)]
#[error("the work was interrupted")]
pub struct Unfinished;

/// Why work was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// It was interrupted.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    /// Its place was given to someone who had none.
    #[error(transparent)]
    Busy(#[from] Busy),
}

/// A queue for one kind of work. `K` identifies the tenants and persons whose work it is.
#[derive(Debug)]
pub struct WorkQueue<K: Copy + Eq + Hash> {
    served: Arc<Served<K>>,
    turns: Arc<Turns<K>>,
    places: Arc<Places<K>>,
    threads: Arc<Threads>,
}

/// The worker threads, started on first use. They end with the queue.
#[derive(Debug)]
struct Threads {
    count: usize,
    work: OnceLock<mpsc::Sender<Work>>,
}

type Work = Box<dyn FnOnce() + Send>;

/// A place in the queue, for work that is waiting or running.
#[derive(Debug)]
#[must_use]
pub struct Place<K: Copy + Eq + Hash> {
    taken: Taken,
    whose: Whose<K>,
    wanted: Wanted,
    places: Arc<Places<K>>,
    turns: Arc<Turns<K>>,
    served: Arc<Served<K>>,
    threads: Arc<Threads>,
}

/// A place in the queue together with a turn to run.
#[derive(Debug)]
pub struct Turn<K: Copy + Eq + Hash> {
    permit: Permit<K>,
    place: Place<K>,
}

impl<K: Copy + Eq + Hash> Turn<K> {
    /// Ends the turn so that other work can run, but keeps the place while the result of the work is in memory.
    pub fn end(self) -> Place<K> {
        self.place.places.runs(self.place.taken.number, false);
        self.place
    }
}

impl Threads {
    fn send(&self, work: Work) -> Result<(), Unfinished> {
        let sender = self.work.get_or_init(|| {
            let (sender, receiver) = mpsc::channel::<Work>();
            let receiver = Arc::new(Mutex::new(receiver));
            for _ in 0..self.count {
                let receiver = Arc::clone(&receiver);
                let started = thread::Builder::new()
                    .name("work".to_owned())
                    .spawn(move || do_work(&receiver));
                if let Err(error) = started {
                    tracing::error!(%error, "failed to start a worker thread");
                }
            }
            sender
        });
        sender.send(work).map_err(|_| Unfinished)
    }
}

fn do_work(receiver: &Mutex<mpsc::Receiver<Work>>) {
    loop {
        let next = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(work) = next else { return };
        // If the work panics, its result channel is dropped, and the waiting caller gets an error.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}

impl<K: Copy + Eq + Hash + Debug + Send + Sync + 'static> WorkQueue<K> {
    /// Creates a queue that runs `at_once` pieces of work concurrently and has `max` places in total, including
    /// running work, with at most `max_each` places per tenant, and fewer when many are taken.
    pub fn new(at_once: usize, max: usize, max_each: usize) -> Self {
        let order = Order::of(max);
        Self::in_order(
            (at_once, max, max_each),
            GivesWay::Shrinks,
            order,
            Clock::System,
        )
    }

    /// Creates a queue for [`Self::enter_in_line`]. Whoever had no turn lately is next there, for the places and the
    /// turns: those who come again and again, however many they are, do not keep out someone who comes once. `largest` is what the
    /// largest work costs.
    pub fn in_line(
        sizes: (usize, usize, usize),
        largest: f64,
        gives_way: GivesWay,
        clock: Clock,
    ) -> Self {
        Self::in_order(sizes, gives_way, Order::in_line(largest), clock)
    }

    /// Creates a queue in which a newcomer gets a place even if others have all of them: the work of whoever has the most, or has used
    /// the most lately, [loses](Place::lost) its place. Whoever had no turn lately has the next one, however long others wait.
    pub fn for_newcomers(sizes: (usize, usize, usize), clock: Clock) -> Self {
        Self::in_order(sizes, GivesWay::Last, Order::for_newcomers(sizes.1), clock)
    }

    fn in_order(
        (at_once, max, max_each): (usize, usize, usize),
        gives_way: GivesWay,
        order: Order,
        clock: Clock,
    ) -> Self {
        let served = Arc::new(Served::new(clock, order, MILLIS_PER_UNIT));
        let places = Places::new((at_once, max, max_each), gives_way, Arc::clone(&served));
        Self {
            turns: Arc::new(Turns::new(at_once, Arc::clone(&served))),
            places: Arc::new(places),
            served,
            threads: Arc::new(Threads {
                count: at_once,
                work: OnceLock::new(),
            }),
        }
    }

    /// Number of places in use.
    pub fn taken(&self) -> usize {
        self.places.taken()
    }

    /// The places in use, and all places.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.taken(), self.places.max)
    }

    /// Takes a place in the queue.
    ///
    /// # Errors
    /// If no place is left, in total or for the tenant.
    pub fn enter(&self, whose: impl Into<Whose<K>>) -> Result<Place<K>, Busy> {
        let whose = whose.into();
        Ok(self.place(self.places.take(whose)?, whose, Wanted::default()))
    }

    /// Takes a place in the queue, and waits in line for some seconds if none is left in total.
    ///
    /// # Errors
    /// If no place is left for the tenant, or none becomes free in total.
    pub async fn enter_in_line(&self, whose: impl Into<Whose<K>>) -> Result<Place<K>, Busy> {
        self.enter_in_line_for(whose, Wanted::default()).await
    }

    /// Whether [`Self::enter_in_line_for`] would reject this at once.
    ///
    /// # Errors
    /// If no place is left for the tenant, or the work would not be done in time.
    pub fn check(&self, whose: impl Into<Whose<K>>, wanted: Wanted) -> Result<(), Busy> {
        let left = wanted.left(self.served.now());
        self.places.check(whose.into(), wanted.cost, left)
    }

    /// Like [`Self::enter_in_line`], for work that costs several times as much as the least, or for a request that has to be
    /// answered in time.
    ///
    /// # Errors
    /// If no place is left for the tenant, none becomes free in total, or the work would not be done in time.
    pub async fn enter_in_line_for(
        &self,
        whose: impl Into<Whose<K>>,
        wanted: Wanted,
    ) -> Result<Place<K>, Busy> {
        let whose = whose.into();
        let left = wanted.left(self.served.now());
        let waiter = self.places.join(whose, wanted.cost, left)?;
        let mut longest = pin!(sleep(LONGEST_IN_LINE.min(left)));
        let mut patience = pin!(sleep(self.places.patience()));
        let mut has_waited = false;
        loop {
            let mut changed = pin!(self.places.changed());
            if let Some(taken) = waiter.take(has_waited) {
                return Ok(self.place(taken, whose, wanted));
            }
            select! {
                () = &mut changed => {}
                () = &mut patience, if !has_waited => has_waited = true,
                () = &mut longest => return Err(Busy::default()),
            }
        }
    }

    fn place(&self, taken: Taken, whose: Whose<K>, wanted: Wanted) -> Place<K> {
        Place {
            taken,
            whose,
            wanted,
            places: Arc::clone(&self.places),
            turns: Arc::clone(&self.turns),
            served: Arc::clone(&self.served),
            threads: Arc::clone(&self.threads),
        }
    }
}

impl<K: Copy + Eq + Hash + Send + Sync + 'static> Place<K> {
    /// Cancelled when the place is given to someone who has none.
    pub fn lost(&self) -> CancellationToken {
        self.taken.lost.clone()
    }

    /// Waits for a turn, for work that needs none of the queue's threads. The turn lasts until the returned value is
    /// dropped; the place remains taken.
    ///
    /// # Errors
    /// If the process is ending.
    pub async fn turn(&self) -> Result<impl Send + use<K>, Unfinished> {
        self.turns.wait(&self.whose, self.wanted.cost).await
    }

    /// Waits for a turn, then does the work on one of the queue's threads. The turn lasts until the returned [`Turn`]
    /// is dropped, or until the work ends if the caller is gone.
    ///
    /// # Errors
    /// If the place was given to someone else before the turn, the work panicked or the process is ending.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Turn<K>), NotDone> {
        Ok(self.begin().await?.run(work).await?)
    }

    /// Waits for a turn for all of the work, which lasts until the returned value is dropped.
    ///
    /// # Errors
    /// If the place was given to someone else before the turn, the request has too little time left, or the process is ending.
    pub async fn begin(self) -> Result<Turn<K>, NotDone> {
        let cost = self.wanted.cost;
        self.begin_part(cost).await
    }

    /// Waits for a turn for a part of the work, which costs this much. [`Turn::next_part`] goes on.
    ///
    /// # Errors
    /// If the place was given to someone else before the turn, the request has too little time left, or the process is ending.
    pub async fn begin_part(self, cost: f64) -> Result<Turn<K>, NotDone> {
        let turns = Arc::clone(&self.turns);
        let whose = self.whose;
        let turn = async move { turns.wait(&whose, cost).await };
        self.in_turn(turn, cost).await
    }

    async fn in_turn(
        self,
        turn: impl Future<Output = Result<Permit<K>, Unfinished>>,
        cost: f64,
    ) -> Result<Turn<K>, NotDone> {
        let left = self.wanted.left(self.served.now());
        let permit = select! {
            biased;
            () = self.taken.lost.cancelled() => return Err(Busy::default().into()),
            permit = turn => permit?,
            () = sleep(left) => return Err(Busy::default().into()),
        };
        if left.is_zero() {
            return Err(Busy::default().into());
        }
        self.places.spend(self.taken.number, cost);
        if !self.places.runs(self.taken.number, true) {
            return Err(Busy::default().into());
        }
        Ok(Turn {
            permit,
            place: self,
        })
    }
}

impl<K: Copy + Eq + Hash + Send + Sync + 'static> Turn<K> {
    /// Ends this turn, and waits for one for the next part of the work. Work that has begun is not given up for others.
    ///
    /// # Errors
    /// If the request has too little time left, or the process is ending.
    pub async fn next_part(self, cost: f64) -> Result<Self, NotDone> {
        let Self { permit, place } = self;
        place.in_turn(permit.next(cost), cost).await
    }

    /// Does work on one of the queue's threads. The turn goes on afterwards.
    ///
    /// # Errors
    /// If the work panicked or the process is ending.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Self), Unfinished> {
        let threads = Arc::clone(&self.place.threads);
        let (sender, done) = oneshot::channel();
        threads.send(Box::new(move || {
            // Fails if the caller is gone.
            let _ = sender.send((work(), self));
        }))?;
        done.await.map_err(|_| Unfinished)
    }
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        self.places.free(self.taken.number);
    }
}
