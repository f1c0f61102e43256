//! CPU-bound work, such as hashing a password or reading an import. It runs outside the threads that serve requests,
//! with limited concurrency and a bounded queue.
//!
//! Each queue has its own threads. A hash takes 19 MiB, and the allocator retains memory freed by a thread for that
//! thread. With a larger pool of threads, such as tokio's, each of them would retain that much.
//!
//! - A caller without a place in the queue is rejected before any work is done.
//! - Nobody can fill the queue: each tenant or network has a share of the places.
//! - Nobody waits behind all that another has in the queue: tenants and networks take turns ([`turns`]).
//! - A place is held until the work ends, even if the request is cancelled: running work cannot be cancelled.
//! - Work is not started if its request was cancelled while waiting: the waiting future is dropped with the request.

mod turns;

use std::{
    collections::HashMap,
    fmt::Debug,
    hash::Hash,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
};

use tokio::sync::{Notify, oneshot};

use self::turns::{Permit, Turns};

/// How long to wait before retrying, in seconds.
const RETRY_AFTER: u32 = 2;

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

/// A queue for one kind of work. `K` identifies the tenant whose work it is.
#[derive(Debug)]
pub struct WorkQueue<K> {
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

/// The number of places in use, by tenant.
#[derive(Debug)]
struct Places<K> {
    max: usize,
    max_each: usize,
    taken: Mutex<HashMap<K, usize>>,
    /// Notified when someone with a share left finds no place.
    wanted: Notify,
}

/// A place in the queue, for work that is waiting or running.
#[derive(Debug)]
#[must_use]
pub struct Place<K: Eq + Hash> {
    places: Arc<Places<K>>,
    whose: K,
    turns: Arc<Turns<K>>,
    threads: Arc<Threads>,
}

/// A place in the queue together with a turn to run.
#[derive(Debug)]
pub struct Turn<K: Eq + Hash> {
    _permit: Permit<K>,
    place: Place<K>,
}

impl<K: Eq + Hash> Turn<K> {
    /// Ends the turn so that other work can run, but keeps the place while the result of the work is in memory.
    pub fn end(self) -> Place<K> {
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

impl<K> Places<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash + Debug + Send + Sync + 'static> WorkQueue<K> {
    /// Creates a queue that runs `at_once` pieces of work concurrently and has `max` places in total, including
    /// running work, with at most `max_each` places per `K`.
    pub fn new(at_once: usize, max: usize, max_each: usize) -> Self {
        Self {
            turns: Arc::new(Turns::new(at_once)),
            places: Arc::new(Places {
                max,
                max_each,
                taken: Mutex::default(),
                wanted: Notify::new(),
            }),
            threads: Arc::new(Threads {
                count: at_once,
                work: OnceLock::new(),
            }),
        }
    }

    /// Number of places in use.
    pub fn taken(&self) -> usize {
        self.places.lock().values().sum()
    }

    /// The places in use, and all places.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.taken(), self.places.max)
    }

    /// Takes a place in the queue.
    ///
    /// # Errors
    /// If no place is left, in total or for `whose`.
    pub fn enter(&self, whose: K) -> Result<Place<K>, Busy> {
        let mut taken = self.places.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&whose).copied().unwrap_or(0);
        if own >= self.places.max_each {
            return Err(Busy::default());
        }
        if all >= self.places.max {
            self.places.wanted.notify_waiters();
            return Err(Busy::default());
        }
        taken.insert(whose.clone(), own + 1);
        Ok(Place {
            places: Arc::clone(&self.places),
            whose,
            turns: Arc::clone(&self.turns),
            threads: Arc::clone(&self.threads),
        })
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Place<K> {
    /// Waits until someone with a share left finds no place, for work that can give up its own.
    pub fn wanted(&self) -> impl Future<Output = ()> + Send + use<K> {
        let places = Arc::clone(&self.places);
        async move { places.wanted.notified().await }
    }

    /// Waits for a turn, for work that needs none of the queue's threads. The turn lasts until the returned value is
    /// dropped; the place remains taken.
    ///
    /// # Errors
    /// If the process is ending.
    pub async fn turn(&self) -> Result<impl Send + use<K>, Unfinished> {
        self.turns.wait(&self.whose).await
    }

    /// Waits for a turn, then does the work on one of the queue's threads. The turn lasts until the returned [`Turn`]
    /// is dropped, or until the work ends if the caller is gone.
    ///
    /// # Errors
    /// If the work panicked or the process is ending.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Turn<K>), Unfinished> {
        let permit = self.turns.wait(&self.whose).await?;
        let threads = Arc::clone(&self.threads);
        let turn = Turn {
            _permit: permit,
            place: self,
        };
        let (sender, done) = oneshot::channel();
        threads.send(Box::new(move || {
            // Fails if the caller is gone.
            let _ = sender.send((work(), turn));
        }))?;
        done.await.map_err(|_| Unfinished)
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(own) = taken.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

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

    #[tokio::test]
    async fn a_place_is_wanted_by_who_has_a_share_left_and_finds_none() {
        let queue = WorkQueue::new(1, 3, 2);
        let place = queue.enter("a").unwrap();
        let _others = [queue.enter("a").unwrap(), queue.enter("b").unwrap()];
        let mut wanted = std::pin::pin!(place.wanted());
        assert!(futures_util::poll!(&mut wanted).is_pending());
        assert!(queue.enter("a").is_err());
        assert!(futures_util::poll!(&mut wanted).is_pending());
        assert!(queue.enter("c").is_err());
        assert!(futures_util::poll!(&mut wanted).is_ready());
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
        assert_eq!(queue.places.lock()["a"], 1);
        end.send(()).unwrap();
        let ((), _turn) = queue.enter("b").unwrap().run(|| ()).await.unwrap();
        assert!(!queue.places.lock().contains_key("a"));
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
        assert!(!queue.places.lock().contains_key("b"));
        drop(turn);
        let ((), _turn) = queue.enter("c").unwrap().run(|| ()).await.unwrap();
        assert!(starts.recv().is_err());
    }
}
