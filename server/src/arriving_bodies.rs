//! Receives the bodies of requests before the requests wait for a turn (`shares.rs`), so that a body that does not arrive
//! blocks no other request, and whoever loses a right while their body arrives has lost it when the request is handled.
//!
//! A client can have a limited number of bodies in transit. A body beyond that limit cancels the oldest one of the same
//! client, since a body normally follows its header immediately. Large bodies have a limit in total, until their requests
//! have a turn. Beyond it, the client with the most large bytes loses its oldest large body.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody as _};
use futures_util::{future::ready, stream};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::{select, sync::Notify, time::sleep};

/// The maximum size of a small body in bytes. The number of connections limits how many there are.
pub const SMALL: usize = 64 * 1024;
/// The maximum size of all large bodies in bytes.
const MAX_LARGE: usize = 128 * 1024 * 1024;

/// Why a body was not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReceived {
    /// A newer body displaced it.
    Displaced,
    Late,
    TooLarge,
    /// The client closed the connection, or the body is invalid.
    Unreadable,
}

/// The bodies in transit, and the large ones whose requests wait for a turn. `K` identifies the client.
#[derive(Debug)]
pub struct ArrivingBodies<K> {
    /// The maximum number of bodies that one client can have in transit.
    max_each: usize,
    /// The maximum time for a body to arrive.
    within: Duration,
    held: Mutex<Held<K>>,
}

#[derive(Debug)]
struct Held<K> {
    /// The bodies of each client, by numbers in the order in which they began.
    by_client: HashMap<K, BTreeMap<u64, Entry>>,
    /// The bytes of all large bodies.
    large: usize,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    bytes: usize,
    is_whole: bool,
    displaced: Arc<Notify>,
}

/// A body that counts until this is dropped.
#[derive(Debug)]
struct Arrival<'a, K: Copy + Eq + Hash> {
    bodies: &'a ArrivingBodies<K>,
    whose: K,
    number: u64,
    bytes: usize,
    displaced: Arc<Notify>,
}

/// A body that has arrived.
#[derive(Debug)]
pub struct Arrived<'a, K: Copy + Eq + Hash> {
    body: Body,
    /// Counts a large body until its request has a turn.
    arrival: Option<Arrival<'a, K>>,
}

impl<K: Copy + Eq + Hash> ArrivingBodies<K> {
    /// Each client can have `max_each` bodies in transit, and each has to arrive within this time.
    pub fn new(max_each: usize, within: Duration) -> Self {
        Self {
            max_each,
            within,
            held: Mutex::new(Held {
                by_client: HashMap::new(),
                large: 0,
                next: 0,
            }),
        }
    }

    /// Receives a body of at most `max` bytes.
    ///
    /// # Errors
    /// If the body does not arrive, or is too large.
    pub async fn receive(
        &self,
        whose: K,
        body: Body,
        max: usize,
    ) -> Result<Arrived<'_, K>, NotReceived> {
        if body.size_hint().lower() > max as u64 {
            return Err(NotReceived::TooLarge);
        }
        if body.is_end_stream() {
            return Ok(Arrived {
                body,
                arrival: None,
            });
        }
        let mut arrival = self.begin(whose);
        let displaced = Arc::clone(&arrival.displaced);
        let whole = select! {
            // A body that has already arrived is accepted, even if it was displaced or timed out meanwhile.
            biased;
            whole = arrival.read(Limited::new(body, max)) => whole?,
            () = displaced.notified() => return Err(NotReceived::Displaced),
            () = sleep(self.within) => return Err(NotReceived::Late),
        };
        Ok(Arrived {
            body: whole.into(),
            arrival: arrival.arrived(),
        })
    }

    /// Like [`Self::receive`], but leaves it to the handler to report a body that is too large or cannot be read: reading
    /// it fails again.
    ///
    /// # Errors
    /// [`NotReceived::Displaced`] and [`NotReceived::Late`].
    pub async fn receive_or_fail_later(
        &self,
        whose: K,
        body: Body,
        max: usize,
    ) -> Result<Arrived<'_, K>, NotReceived> {
        let body = match self.receive(whose, body, max).await {
            Err(NotReceived::TooLarge) => Body::new(Limited::new(Body::from("x"), 0)),
            Err(NotReceived::Unreadable) => {
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                Body::from_stream(stream::once(ready(Err::<Bytes, _>(error))))
            }
            received => return received,
        };
        Ok(Arrived {
            body,
            arrival: None,
        })
    }

    fn begin(&self, whose: K) -> Arrival<'_, K> {
        let mut held = self.lock();
        let number = held.next;
        held.next += 1;
        let displaced = Arc::new(Notify::new());
        let own = held.by_client.entry(whose).or_default();
        let in_transit = own.iter().filter(|(_, entry)| !entry.is_whole);
        let first = in_transit.clone().map(|(number, _)| *number).next();
        let is_full = own.len() >= self.max_each && in_transit.count() >= self.max_each;
        let entry = Entry {
            bytes: 0,
            is_whole: false,
            displaced: Arc::clone(&displaced),
        };
        own.insert(number, entry);
        if let Some(first) = first.filter(|_| is_full) {
            held.displace(whose, first);
        }
        Arrival {
            bodies: self,
            whose,
            number,
            bytes: 0,
            displaced,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held<K>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Held<K> {
    fn entry(&mut self, whose: K, number: u64) -> Option<&mut Entry> {
        self.by_client.get_mut(&whose)?.get_mut(&number)
    }

    fn remove(&mut self, whose: K, number: u64) -> Option<Entry> {
        let own = self.by_client.get_mut(&whose)?;
        let removed = own.remove(&number)?;
        if own.is_empty() {
            self.by_client.remove(&whose);
        }
        self.large -= removed.large();
        Some(removed)
    }

    fn displace(&mut self, whose: K, number: u64) {
        if let Some(entry) = self.remove(whose, number) {
            entry.displaced.notify_one();
        }
    }

    /// Takes the oldest large body from the client with the most large bytes. This looks at all bodies.
    fn displace_one_of_the_heaviest(&mut self) {
        let of = |own: &BTreeMap<u64, Entry>| own.values().map(Entry::large).sum::<usize>();
        let heaviest = self.by_client.iter().max_by_key(|(_, own)| of(own));
        let oldest = heaviest.and_then(|(whose, own)| {
            let (number, _) = own.iter().find(|(_, entry)| entry.large() > 0)?;
            Some((*whose, *number))
        });
        if let Some((whose, number)) = oldest {
            self.displace(whose, number);
        }
    }
}

impl Entry {
    /// The bytes that count toward the limit of large bodies.
    fn large(&self) -> usize {
        if self.bytes > SMALL { self.bytes } else { 0 }
    }
}

impl<'a, K: Copy + Eq + Hash> Arrival<'a, K> {
    async fn read(&mut self, mut body: Limited<Body>) -> Result<Vec<u8>, NotReceived> {
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    NotReceived::TooLarge
                } else {
                    NotReceived::Unreadable
                }
            })?;
            if let Ok(data) = frame.into_data() {
                self.grow(data.len())?;
                whole.extend_from_slice(&data);
            }
        }
        Ok(whole)
    }

    /// Counts received bytes. A large body that was displaced does not grow.
    fn grow(&mut self, bytes: usize) -> Result<(), NotReceived> {
        self.bytes += bytes;
        let mut held = self.bodies.lock();
        if let Some(entry) = held.entry(self.whose, self.number) {
            let before = entry.large();
            entry.bytes = self.bytes;
            let now = entry.large();
            held.large += now - before;
            if held.large > MAX_LARGE {
                held.displace_one_of_the_heaviest();
            }
        }
        let is_there = self.bytes <= SMALL || held.entry(self.whose, self.number).is_some();
        is_there.then_some(()).ok_or(NotReceived::Displaced)
    }

    /// A small body no longer counts when it has arrived.
    fn arrived(self) -> Option<Self> {
        let is_large = self.bytes > SMALL;
        if let Some(entry) = self.bodies.lock().entry(self.whose, self.number) {
            entry.is_whole = true;
        }
        is_large.then_some(self)
    }
}

impl<K: Copy + Eq + Hash> Drop for Arrival<'_, K> {
    fn drop(&mut self) {
        self.bodies.lock().remove(self.whose, self.number);
    }
}

impl<K: Copy + Eq + Hash> Arrived<'_, K> {
    /// Waits for the turn of the request, and returns it with the body. Returns `None` if there is no turn, or the body is
    /// displaced while it waits.
    pub async fn in_turn<T>(self, turn: impl Future<Output = Option<T>>) -> Option<(T, Body)> {
        let Some(arrival) = &self.arrival else {
            return Some((turn.await?, self.body));
        };
        select! {
            biased;
            turn = turn => Some((turn?, self.body)),
            () = arrival.displaced.notified() => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
    use tokio::time::advance;

    use super::*;

    const MAX_EACH: usize = 32;
    const MAX: usize = 4 * 1024 * 1024;
    const WITHIN: Duration = Duration::from_secs(10);

    fn bodies() -> ArrivingBodies<&'static str> {
        ArrivingBodies::new(MAX_EACH, WITHIN)
    }

    /// A body that begins with this text and never completes.
    fn half(text: impl Into<Bytes>) -> Body {
        let first = stream::iter([Ok::<_, Infallible>(text.into())]);
        Body::from_stream(first.chain(stream::pending()))
    }

    async fn whole(received: Result<Arrived<'_, &str>, NotReceived>) -> Result<Bytes, NotReceived> {
        let (_, body) = received?.in_turn(ready(Some(()))).await.unwrap();
        Ok(body.collect().await.unwrap().to_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_body_ends_soon_and_leaves_nothing() {
        let bodies = bodies();
        let mut received = std::pin::pin!(bodies.receive("a", half("email="), SMALL));
        assert!(received.as_mut().now_or_never().is_none());
        advance(WITHIN - Duration::from_secs(1)).await;
        assert!(received.as_mut().now_or_never().is_none());
        advance(Duration::from_secs(2)).await;
        assert_eq!(received.await.unwrap_err(), NotReceived::Late);
        assert!(bodies.lock().by_client.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_ends_the_first_of_its_client() {
        let bodies = bodies();
        let mut elsewhere = std::pin::pin!(bodies.receive("b", half("email="), SMALL));
        assert!(elsewhere.as_mut().now_or_never().is_none());
        let mut first = std::pin::pin!(bodies.receive("a", half("email="), SMALL));
        assert!(first.as_mut().now_or_never().is_none());
        let mut others: FuturesUnordered<_> = (1..MAX_EACH)
            .map(|_| bodies.receive("a", half("email="), SMALL))
            .collect();
        assert!(others.next().now_or_never().is_none());
        assert!(first.as_mut().now_or_never().is_none());
        let received = bodies.receive("a", Body::from("email=a"), SMALL).await;
        assert_eq!(whole(received).await, Ok(Bytes::from("email=a")));
        assert_eq!(first.await.unwrap_err(), NotReceived::Displaced);
        assert!(others.next().now_or_never().is_none());
        assert!(elsewhere.now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_not_received_whatever_it_states() {
        let bodies = bodies();
        let long = "a".repeat(SMALL + 1);
        let unstated =
            || Body::from_stream(stream::iter([Ok::<_, Infallible>("a".repeat(SMALL + 1))]));
        for body in [Body::from(long.clone()), unstated()] {
            let received = bodies.receive("a", body, SMALL).await;
            assert_eq!(received.unwrap_err(), NotReceived::TooLarge);
        }
        for body in [Body::from(long), unstated()] {
            let later = bodies.receive_or_fail_later("a", body, SMALL).await;
            let (_, body) = later.unwrap().in_turn(ready(Some(()))).await.unwrap();
            let error = axum::body::to_bytes(body, MAX).await.unwrap_err();
            assert!(error.into_inner().to_string().contains("length limit"));
        }
        let longest = Body::from("a".repeat(SMALL));
        assert!(bodies.receive("a", longest, SMALL).await.is_ok());
        assert!(bodies.lock().by_client.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn when_memory_is_full_whoever_has_the_most_loses_the_oldest_and_nobody_else_anything() {
        let bodies = bodies();
        let file = || Bytes::from(vec![b'a'; MAX]);
        let mut small = std::pin::pin!(bodies.receive("c", half("a"), MAX));
        assert!(small.as_mut().now_or_never().is_none());
        // A large body counts while it arrives, and until its request has a turn.
        let mut first = std::pin::pin!(bodies.receive("a", half(file()), MAX + 1));
        assert!(first.as_mut().now_or_never().is_none());
        let second = bodies.receive("a", file().into(), MAX).await.unwrap();
        let mut waits = std::pin::pin!(second.in_turn(std::future::pending::<Option<()>>()));
        assert!(waits.as_mut().now_or_never().is_none());
        let mut of_b = Vec::new();
        for _ in 2..MAX_LARGE / MAX {
            of_b.push(bodies.receive("b", file().into(), MAX).await.unwrap());
        }
        assert_eq!(bodies.lock().large, MAX_LARGE);
        let one_more = bodies.receive("c", file().into(), MAX).await.unwrap();
        assert_eq!(bodies.lock().large, MAX_LARGE);
        let oldest = of_b.remove(0);
        assert!(
            oldest
                .in_turn(std::future::pending::<Option<()>>())
                .await
                .is_none()
        );
        assert!(first.as_mut().now_or_never().is_none());
        assert!(waits.as_mut().now_or_never().is_none());
        assert!(small.as_mut().now_or_never().is_none());
        let last = of_b.pop().unwrap();
        assert!(last.in_turn(ready(Some(()))).await.is_some());
        drop((one_more, of_b));
        assert_eq!(bodies.lock().large, 2 * MAX);
    }
}
