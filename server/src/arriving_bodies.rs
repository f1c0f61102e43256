//! Receives the bodies of requests before the requests wait for a turn (`shares.rs`), so that a body that does not arrive
//! blocks no other request, and whoever loses a right while their body arrives has lost it when the request is handled.
//!
//! A client can have a limited number of bodies in transit. A body beyond that limit cancels the oldest one of the same
//! client, since a body normally follows its header immediately. Large bodies also share a memory, until their requests have
//! a turn ([`large`]).

pub mod large;
#[cfg(test)]
mod tests;

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

use self::large::{Brings, Large, LargeBodies};

/// The maximum size of a small body in bytes. The number of connections limits how many there are.
pub const SMALL: usize = 64 * 1024;
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

/// The bodies in transit. `K` identifies the client.
#[derive(Debug)]
pub struct ArrivingBodies<K> {
    /// The maximum number of bodies that one client can have in transit.
    max_each: usize,
    /// The maximum time for a body to arrive.
    within: Duration,
    large: Arc<LargeBodies>,
    in_transit: Mutex<InTransit<K>>,
}

#[derive(Debug)]
struct InTransit<K> {
    /// The bodies of each client, by numbers in the order in which they began.
    by_client: HashMap<K, BTreeMap<u64, Arc<Notify>>>,
    next: u64,
}

/// A body that is in transit until this is dropped.
#[derive(Debug)]
struct Arrival<'a, K: Copy + Eq + Hash> {
    bodies: &'a ArrivingBodies<K>,
    whose: K,
    number: u64,
    brings: Brings,
    bytes: usize,
    displaced: Arc<Notify>,
    large: Option<Large>,
}

/// A body that has arrived.
#[derive(Debug)]
pub struct Arrived {
    body: Body,
    /// Counts a large body until its request has a turn.
    large: Option<(Large, Arc<Notify>)>,
}

impl<K: Copy + Eq + Hash> ArrivingBodies<K> {
    /// Each client can have `max_each` bodies in transit, and each has to arrive within this time.
    pub fn new(max_each: usize, within: Duration, large: &Arc<LargeBodies>) -> Self {
        Self {
            max_each,
            within,
            large: Arc::clone(large),
            in_transit: Mutex::new(InTransit {
                by_client: HashMap::new(),
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
        brings: Brings,
        body: Body,
        max: usize,
    ) -> Result<Arrived, NotReceived> {
        if body.size_hint().lower() > max as u64 {
            return Err(NotReceived::TooLarge);
        }
        if body.is_end_stream() {
            return Ok(Arrived { body, large: None });
        }
        let mut arrival = self.begin(whose, brings);
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
            large: arrival.large.take().map(|large| (large, displaced)),
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
        brings: Brings,
        body: Body,
        max: usize,
    ) -> Result<Arrived, NotReceived> {
        let body = match self.receive(whose, brings, body, max).await {
            Err(NotReceived::TooLarge) => Body::new(Limited::new(Body::from("x"), 0)),
            Err(NotReceived::Unreadable) => {
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                Body::from_stream(stream::once(ready(Err::<Bytes, _>(error))))
            }
            received => return received,
        };
        Ok(Arrived { body, large: None })
    }

    fn begin(&self, whose: K, brings: Brings) -> Arrival<'_, K> {
        let mut in_transit = self.lock();
        let number = in_transit.next;
        in_transit.next += 1;
        let displaced = Arc::new(Notify::new());
        let own = in_transit.by_client.entry(whose).or_default();
        if own.len() >= self.max_each
            && let Some((_, first)) = own.pop_first()
        {
            first.notify_one();
        }
        own.insert(number, Arc::clone(&displaced));
        Arrival {
            bodies: self,
            whose,
            number,
            brings,
            bytes: 0,
            displaced,
            large: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, InTransit<K>> {
        let in_transit = self.in_transit.lock();
        in_transit.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Arrival<'_, K> {
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
        if self.bytes <= SMALL {
            return Ok(());
        }
        let large = self.large.get_or_insert_with(|| {
            let all = &self.bodies.large;
            all.begin(self.brings, Arc::clone(&self.displaced))
        });
        let in_transit = self.bodies.lock();
        let own = in_transit.by_client.get(&self.whose);
        let is_in_transit = own.is_some_and(|own| own.contains_key(&self.number));
        (is_in_transit && large.grow_to(self.bytes))
            .then_some(())
            .ok_or(NotReceived::Displaced)
    }
}

impl<K: Copy + Eq + Hash> Drop for Arrival<'_, K> {
    fn drop(&mut self) {
        let mut in_transit = self.bodies.lock();
        if let Some(own) = in_transit.by_client.get_mut(&self.whose) {
            own.remove(&self.number);
            if own.is_empty() {
                in_transit.by_client.remove(&self.whose);
            }
        }
    }
}

impl Arrived {
    /// Waits for the turn of the request, and returns it with the body. Returns `None` if there is no turn, or the body is
    /// displaced while it waits.
    pub async fn in_turn<T>(self, turn: impl Future<Output = Option<T>>) -> Option<(T, Body)> {
        let Some((_large, displaced)) = &self.large else {
            return Some((turn.await?, self.body));
        };
        select! {
            biased;
            turn = turn => Some((turn?, self.body)),
            () = displaced.notified() => None,
        }
    }
}
