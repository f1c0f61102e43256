//! CPU-bound work, such as hashing a password or reading an import. It runs outside the threads that serve requests,
//! with limited concurrency and a bounded queue.
//!
//! Each queue has its own threads. A hash takes 19 MiB, and the allocator retains memory freed by a thread for that
//! thread. With a larger pool of threads, such as tokio's, each of them would retain that much.
//!
//! - A caller without a place in the queue is rejected before any work is done.
//! - Nobody can fill the queue: each tenant or network has a share of the places. Within a tenant, nobody keeps others out.
//! - Nobody waits behind all that another has in the queue: tenants and networks take turns ([`turns`]).
//! - Who waits in line for a place is next with the fewest places, and one person counts with all their tenants ([`places`]).
//! - A place is held until the work ends, even if the request is cancelled: running work cannot be cancelled.
//! - Work is not started if its request was cancelled while waiting: the waiting future is dropped with the request.

mod places;
mod served;
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
    served::Served,
    turns::{Permit, Turns},
};

/// How much all work costs, for each place of a queue with a line, until a tenant no longer counts as served lately: at least what
/// twice as many of the largest imports cost as there are places.
const HEAD_START: u64 = 128;
/// How long to wait before retrying, in seconds.
const RETRY_AFTER: u32 = 2;
/// How long [`WorkQueue::enter_in_line`] waits for a place.
const LONGEST_IN_LINE: Duration = Duration::from_secs(15);

/// The queue is full, or the caller's share of it is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Latchkey is busy. Try again in {retry_after} seconds.")]
pub struct Busy {
    /// Seconds to wait before retrying.
    pub retry_after: u32,
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
    cost: u64,
    places: Arc<Places<K>>,
    turns: Arc<Turns<K>>,
    threads: Arc<Threads>,
}

/// A place in the queue together with a turn to run.
#[derive(Debug)]
pub struct Turn<K: Copy + Eq + Hash> {
    _permit: Permit<K>,
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
    /// running work, with at most `max_each` places per tenant.
    pub fn new(at_once: usize, max: usize, max_each: usize) -> Self {
        Self::with_line(at_once, max, max_each, GivesWay::Never, 0)
    }

    /// Creates a queue for [`Self::enter_in_line`]. Whoever had no turn lately is next there, for the places and the turns:
    /// those who come again and again, however many they are, do not keep out someone who comes once.
    pub fn in_line(at_once: usize, max: usize, max_each: usize, gives_way: GivesWay) -> Self {
        Self::with_line(at_once, max, max_each, gives_way, HEAD_START * max as u64)
    }

    fn with_line(
        at_once: usize,
        max: usize,
        max_each: usize,
        gives_way: GivesWay,
        head_start: u64,
    ) -> Self {
        let served = Arc::new(Served::new(head_start));
        Self {
            turns: Arc::new(Turns::new(at_once, Arc::clone(&served))),
            places: Arc::new(Places::new(max, max_each, gives_way, served)),
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
        Ok(self.place(self.places.take(whose)?, whose, 1))
    }

    /// Takes a place in the queue, and waits in line for some seconds if none is left in total.
    ///
    /// # Errors
    /// If no place is left for the tenant, or none becomes free in total.
    pub async fn enter_in_line(&self, whose: impl Into<Whose<K>>) -> Result<Place<K>, Busy> {
        self.enter_in_line_for(whose, 1).await
    }

    /// Like [`Self::enter_in_line`], for work that costs several times as much as the least.
    ///
    /// # Errors
    /// If no place is left for the tenant, or none becomes free in total.
    pub async fn enter_in_line_for(
        &self,
        whose: impl Into<Whose<K>>,
        cost: u64,
    ) -> Result<Place<K>, Busy> {
        let whose = whose.into();
        let waiter = self.places.join(whose, cost)?;
        let mut longest = pin!(sleep(LONGEST_IN_LINE));
        let mut patience = pin!(sleep(self.places.patience()));
        let mut has_waited = false;
        loop {
            let mut changed = pin!(self.places.changed());
            if let Some(taken) = waiter.take(has_waited) {
                return Ok(self.place(taken, whose, cost));
            }
            select! {
                () = &mut changed => {}
                () = &mut patience, if !has_waited => has_waited = true,
                () = &mut longest => return Err(Busy::default()),
            }
        }
    }

    fn place(&self, taken: Taken, whose: Whose<K>, cost: u64) -> Place<K> {
        Place {
            taken,
            whose,
            cost,
            places: Arc::clone(&self.places),
            turns: Arc::clone(&self.turns),
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
        self.turns.wait(&self.whose, self.cost).await
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

    /// Waits for a turn, which lasts until the returned value is dropped.
    ///
    /// # Errors
    /// If the place was given to someone else before the turn, or the process is ending.
    pub async fn begin(self) -> Result<Turn<K>, NotDone> {
        let permit = select! {
            biased;
            () = self.taken.lost.cancelled() => return Err(Busy::default().into()),
            permit = self.turns.wait(&self.whose, self.cost) => permit?,
        };
        if !self.places.runs(self.taken.number, true) {
            return Err(Busy::default().into());
        }
        Ok(Turn {
            _permit: permit,
            place: self,
        })
    }
}

impl<K: Copy + Eq + Hash + Send + Sync + 'static> Turn<K> {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::poll;
    use rstest::rstest;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn each_has_a_share_and_the_queue_has_an_end() {
        let queue = WorkQueue::new(1, 3, 2);
        let first = queue.enter("a").unwrap();
        let _second = queue.enter("a").unwrap();
        assert!(queue.enter("a").is_err());
        let _third = queue.enter("b").unwrap();
        assert!(queue.enter("c").is_err());
        drop(first);
        let _again = queue.enter("c").unwrap();
        assert!(queue.enter("d").is_err());
    }

    /// Imports of 10 milliseconds each, by `tenants`, of which each has three connections that try again and again.
    async fn flooded(queue: &Arc<WorkQueue<u32>>, tenants: &[Whose<u32>]) {
        for whose in tenants {
            for _ in 0..3 {
                let (queue, whose) = (Arc::clone(queue), *whose);
                tokio::spawn(async move {
                    loop {
                        if let Ok(place) = queue.enter_in_line(whose).await {
                            import(place).await;
                        }
                        sleep(Duration::from_millis(50)).await;
                    }
                });
            }
        }
        sleep(Duration::from_millis(10)).await;
    }

    /// Takes a place and a turn like an import, without its threads, whose time would not be that of the test.
    async fn import(place: Place<u32>) -> bool {
        let lost = place.lost();
        select! {
            () = lost.cancelled() => false,
            turn = place.turn() => {
                let _turn = turn;
                place.places.runs(place.taken.number, true);
                sleep(Duration::from_millis(500)).await;
                true
            }
        }
    }

    #[rstest]
    // Each tenant is a person of its own, or they are those of two.
    #[case(None)]
    #[case(Some(2))]
    #[tokio::test(start_paused = true)]
    async fn forty_tenants_that_ask_again_and_again_keep_nobody_out(#[case] persons: Option<u32>) {
        let queue = Arc::new(WorkQueue::in_line(1, 32, 2, GivesWay::Newest));
        let tenants: Vec<_> = (0..40)
            .map(|tenant| Whose {
                tenant,
                person: persons.map(|persons| 1_000 + tenant % persons),
            })
            .collect();
        flooded(&queue, &tenants).await;
        // Also among those who all came just before.
        for (number, most) in (2_000..).zip([25, 3, 3, 3]) {
            let imported = timeout(Duration::from_secs(most), async {
                while !import(queue.enter_in_line(number).await.unwrap()).await {}
            });
            assert!(imported.await.is_ok(), "{number} took more than {most} s");
            sleep(Duration::from_secs(20)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_work_whose_place_is_given_to_someone_else_is_told_to_come_back() {
        let queue = WorkQueue::in_line(1, 3, 2, GivesWay::Newest);
        let ((), _turn) = queue.enter("a").unwrap().run(|| ()).await.unwrap();
        let waits = queue.enter("b").unwrap();
        let mut loses = pin!(queue.enter("b").unwrap().run(|| ()));
        assert!(poll!(&mut loses).is_pending());
        let _newcomer = queue.enter_in_line("c").await.unwrap();
        assert!(matches!(loses.await, Err(NotDone::Busy(_))));
        assert_eq!(queue.taken(), 3);
        assert!(!waits.lost().is_cancelled());
        // Nobody has more than one now.
        assert!(queue.enter_in_line("d").await.is_err());
        assert_eq!(queue.places.in_line(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_in_line_has_a_place_before_those_who_come_later() {
        let queue = WorkQueue::in_line(1, 1, 1, GivesWay::Never);
        let first = queue.enter("a").unwrap();
        let mut second = pin!(queue.enter_in_line("b"));
        assert!(poll!(&mut second).is_pending());
        let mut third = pin!(queue.enter_in_line("c"));
        assert!(poll!(&mut third).is_pending());
        drop(first);
        assert!(queue.enter("a").is_err());
        let second = second.await.unwrap();
        assert!(poll!(&mut third).is_pending());
        drop(second);
        let third = third.await.unwrap();
        // Someone who no longer waits holds up nobody.
        {
            let mut gone = pin!(queue.enter_in_line("d"));
            assert!(poll!(&mut gone).is_pending());
        }
        drop(third);
        let _last = queue.enter("a").unwrap();
    }

    #[tokio::test]
    async fn work_keeps_its_turn_when_its_request_is_gone() {
        let queue = WorkQueue::new(1, 4, 4);
        let (end, ended) = mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let request = tokio::spawn(queue.enter("a").unwrap().run(move || {
            begin.send(()).unwrap();
            ended.recv().unwrap();
        }));
        begun.await.unwrap();
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        assert_eq!(queue.turns.free(), 0);
        assert_eq!(queue.places.held_by("a"), 1);
        end.send(()).unwrap();
        let ((), _turn) = queue.enter("b").unwrap().run(|| ()).await.unwrap();
        assert!(queue.places.held_by("a") == 0);
    }

    #[tokio::test]
    async fn nothing_starts_for_a_request_that_is_gone() {
        let queue = WorkQueue::new(1, 4, 4);
        let ((), turn) = queue.enter("a").unwrap().run(|| ()).await.unwrap();
        let (started, starts) = mpsc::channel();
        let waiting = tokio::spawn(
            queue
                .enter("b")
                .unwrap()
                .run(move || started.send(()).unwrap()),
        );
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert!(queue.places.held_by("b") == 0);
        drop(turn);
        let ((), _turn) = queue.enter("c").unwrap().run(|| ()).await.unwrap();
        assert!(starts.recv().is_err());
    }
}
