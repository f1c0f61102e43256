//! Files on their way, such as imports: received whole before they wait for a turn, so that one that never arrives takes
//! no place in a queue.
//!
//! Each tenant has a share of them. All together have a limit on the bytes that have arrived, for which small files do not
//! count, so that nobody with large ones keeps them out.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::work_queue::Busy;

/// The most bytes of a small file: the number of connections limits how many there are.
pub const SMALL: usize = 64 * 1024;

/// The files on their way. `K` names whose they are.
#[derive(Debug)]
pub struct Arrivals<K> {
    max_each: usize,
    max_bytes: usize,
    held: Arc<Mutex<Held<K>>>,
}

#[derive(Debug)]
struct Held<K> {
    files: HashMap<K, usize>,
    /// Of the files that are not small.
    bytes: usize,
}

/// A file that arrives, or has arrived. What it takes up is free when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Arrival<K: Eq + Hash> {
    held: Arc<Mutex<Held<K>>>,
    max_bytes: usize,
    whose: K,
    bytes: usize,
}

impl<K: Clone + Eq + Hash> Arrivals<K> {
    /// Room for `max_each` files of each `K`, and `max_bytes` of all.
    pub fn new(max_each: usize, max_bytes: usize) -> Self {
        Self {
            max_each,
            max_bytes,
            held: Arc::new(Mutex::new(Held {
                files: HashMap::new(),
                bytes: 0,
            })),
        }
    }

    /// Begins to receive a file.
    ///
    /// # Errors
    /// When `whose` has no share left.
    pub fn begin(&self, whose: K) -> Result<Arrival<K>, Busy> {
        let mut held = lock(&self.held);
        let own = held.files.get(&whose).copied().unwrap_or(0);
        if own >= self.max_each {
            return Err(Busy::default());
        }
        held.files.insert(whose.clone(), own + 1);
        Ok(Arrival {
            held: Arc::clone(&self.held),
            max_bytes: self.max_bytes,
            whose,
            bytes: 0,
        })
    }
}

impl<K: Eq + Hash> Arrival<K> {
    /// Notes that so many bytes more have arrived.
    ///
    /// # Errors
    /// When that is more than there is room for.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Busy> {
        let (before, now) = (counted(self.bytes), counted(self.bytes + bytes));
        let mut held = lock(&self.held);
        if held.bytes + now - before > self.max_bytes {
            return Err(Busy::default());
        }
        held.bytes += now - before;
        self.bytes += bytes;
        Ok(())
    }
}

impl<K: Eq + Hash> Drop for Arrival<K> {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.bytes -= counted(self.bytes);
        if let Some(own) = held.files.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                held.files.remove(&self.whose);
            }
        }
    }
}

fn counted(bytes: usize) -> usize {
    if bytes > SMALL { bytes } else { 0 }
}

fn lock<K>(held: &Mutex<Held<K>>) -> MutexGuard<'_, Held<K>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_share_and_small_files_fit_when_large_ones_do_not() {
        let arrivals = Arrivals::new(2, 4 * SMALL);
        let mut large = arrivals.begin("a").unwrap();
        large.grow(3 * SMALL).unwrap();
        let second = arrivals.begin("a").unwrap();
        assert!(arrivals.begin("a").is_err());
        let mut other = arrivals.begin("b").unwrap();
        other.grow(SMALL).unwrap();
        assert!(other.grow(SMALL).is_err());
        drop((large, second));
        other.grow(SMALL).unwrap();
        drop(other);
        let held = lock(&arrivals.held);
        assert_eq!((held.files.len(), held.bytes), (0, 0));
    }
}
