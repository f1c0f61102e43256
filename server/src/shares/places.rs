//! Places and turns: counts the requests in progress by client.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The requests in progress, by client.
#[derive(Debug)]
pub struct Places<K> {
    max_each: usize,
    at_once: usize,
    taken: Mutex<HashMap<K, Taken>>,
}

#[derive(Debug)]
struct Taken {
    count: usize,
    turns: Arc<Semaphore>,
}

/// A place. It is taken until this is dropped.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    places: Arc<Places<K>>,
    whose: K,
    turns: Arc<Semaphore>,
}

/// A place and its turn.
#[derive(Debug)]
pub struct Turn<K: Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    _place: Place<K>,
}

impl<K: Copy + Eq + Hash> Places<K> {
    /// Each client has `max_each` places, of which `at_once` have their turn at the same time.
    pub fn new(max_each: usize, at_once: usize) -> Arc<Self> {
        Arc::new(Self {
            max_each,
            at_once,
            taken: Mutex::default(),
        })
    }

    /// Takes a place if one is free.
    fn enter(self: &Arc<Self>, whose: K) -> Option<Place<K>> {
        let mut all = self.lock();
        let taken = all.entry(whose).or_insert_with(|| Taken {
            count: 0,
            turns: Arc::new(Semaphore::new(self.at_once)),
        });
        if taken.count == self.max_each {
            return None;
        }
        taken.count += 1;
        Some(Place {
            places: Arc::clone(self),
            whose,
            turns: Arc::clone(&taken.turns),
        })
    }

    /// Takes a place and waits for a turn. Returns `None` if no place is free.
    pub async fn turn(self: &Arc<Self>, whose: K) -> Option<Turn<K>> {
        let place = self.enter(whose)?;
        Some(Turn {
            _permit: place.turn().await?,
            _place: place,
        })
    }
}

impl<K: Eq + Hash> Places<K> {
    /// Whether all places are free.
    #[cfg(test)]
    pub fn nobody_is_here(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Place<K> {
    /// Waits for a turn. Always returns `Some`, because the semaphore is never closed.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut all = self.places.lock();
        if let Some(taken) = all.get_mut(&self.whose) {
            taken.count -= 1;
            if taken.count == 0 {
                all.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn one_waits_for_their_own_turn_and_nobody_for_anothers() {
        let places = Places::new(3, 2);
        let first = places.turn("a").await.unwrap();
        let _second = places.turn("a").await.unwrap();
        let third = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.turn("a").await }
        });
        tokio::task::yield_now().await;
        assert!(!third.is_finished());
        assert!(places.turn("a").await.is_none(), "it has three places");
        assert!(places.turn("b").await.is_some());
        drop(first);
        assert!(timeout(SOON, third).await.unwrap().unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_gives_their_place_back() {
        let places = Places::new(2, 1);
        let first = places.turn("a").await.unwrap();
        let waiting = timeout(SOON, places.turn("a")).await;
        assert!(waiting.is_err());
        assert_eq!(places.lock()["a"].count, 1);
        drop(first);
        assert!(places.nobody_is_here());
    }
}
