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
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use tokio::{
    select,
    sync::{Notify, oneshot},
    time::sleep,
};

use self::turns::{Permit, Turns};

/// How long to wait before retrying, in seconds.
const RETRY_AFTER: u32 = 2;
/// How long [`WorkQueue::enter_in_line`] waits for a place.
const LONGEST_IN_LINE: Duration = Duration::from_secs(5);
/// How often those who can give up their place are asked again meanwhile.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(250);

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
    state: Mutex<State<K>>,
    /// Notified when someone with a share left finds no place.
    wanted: Notify,
    /// Notified when a place is free again.
    freed: Notify,
}

#[derive(Debug)]
struct State<K> {
    taken: HashMap<K, usize>,
    /// The number of those who wait in line. Nobody else takes a place before them.
    in_line: usize,
}

/// One of those who wait in line.
struct InLine<'a, K>(&'a Places<K>);

impl<K> Drop for InLine<'_, K> {
    fn drop(&mut self) {
        self.0.lock().in_line -= 1;
        // The next in line can have a place that this one was woken for.
        self.0.freed.notify_one();
    }
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
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
                state: Mutex::new(State {
                    taken: HashMap::new(),
                    in_line: 0,
                }),
                wanted: Notify::new(),
                freed: Notify::new(),
            }),
            threads: Arc::new(Threads {
                count: at_once,
                work: OnceLock::new(),
            }),
        }
    }

    /// Number of places in use.
    pub fn taken(&self) -> usize {
        self.places.lock().taken.values().sum()
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
        self.take(&whose, false)?.ok_or_else(Busy::default)
    }

    /// Takes a place in the queue, and waits in line for a few seconds if none is left in total. Those who can give up their
    /// place learn that it is wanted ([`Place::wanted`]).
    ///
    /// # Errors
    /// If no place is left for `whose`, or none becomes free in total.
    pub async fn enter_in_line(&self, whose: K) -> Result<Place<K>, Busy> {
        if let Some(place) = self.take(&whose, false)? {
            return Ok(place);
        }
        self.places.lock().in_line += 1;
        let _in_line = InLine(&self.places);
        let mut longest = pin!(sleep(LONGEST_IN_LINE));
        loop {
            let mut freed = pin!(self.places.freed.notified());
            // From here on, a place that becomes free is noticed.
            freed.as_mut().enable();
            if let Some(place) = self.take(&whose, true)? {
                return Ok(place);
            }
            self.places.wanted.notify_waiters();
            select! {
                () = freed => {}
                () = sleep(ASK_AGAIN_AFTER) => {}
                () = &mut longest => return Err(Busy::default()),
            }
        }
    }

    /// Takes a place, if there is one. Without having waited in line, there is none as long as others wait.
    fn take(&self, whose: &K, has_waited: bool) -> Result<Option<Place<K>>, Busy> {
        let mut state = self.places.lock();
        let all: usize = state.taken.values().sum();
        let own = state.taken.get(whose).copied().unwrap_or(0);
        if own >= self.places.max_each {
            return Err(Busy::default());
        }
        if all >= self.places.max || (state.in_line > 0 && !has_waited) {
            return Ok(None);
        }
        state.taken.insert(whose.clone(), own + 1);
        Ok(Some(Place {
            places: Arc::clone(&self.places),
            whose: whose.clone(),
            turns: Arc::clone(&self.turns),
            threads: Arc::clone(&self.threads),
        }))
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
        let mut state = self.places.lock();
        if let Some(own) = state.taken.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                state.taken.remove(&self.whose);
            }
        }
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::poll;

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

    #[tokio::test(start_paused = true)]
    async fn a_place_is_wanted_by_who_has_a_share_left_and_finds_none() {
        let queue = WorkQueue::new(1, 3, 2);
        let place = queue.enter("a").unwrap();
        let _others = [queue.enter("a").unwrap(), queue.enter("b").unwrap()];
        let mut wanted = pin!(place.wanted());
        assert!(poll!(&mut wanted).is_pending());
        assert!(queue.enter_in_line("a").await.is_err());
        assert!(poll!(&mut wanted).is_pending());
        // Nobody gives up a place.
        assert!(queue.enter_in_line("c").await.is_err());
        assert!(poll!(&mut wanted).is_ready());
        assert_eq!(queue.places.lock().in_line, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_in_line_has_a_place_before_those_who_come_later() {
        let queue = WorkQueue::new(1, 1, 1);
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
        assert_eq!(queue.places.lock().taken["a"], 1);
        end.send(()).unwrap();
        let ((), _turn) = queue.enter("b").unwrap().run(|| ()).await.unwrap();
        assert!(!queue.places.lock().taken.contains_key("a"));
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
        assert!(!queue.places.lock().taken.contains_key("b"));
        drop(turn);
        let ((), _turn) = queue.enter("c").unwrap().run(|| ()).await.unwrap();
        assert!(starts.recv().is_err());
    }
}
