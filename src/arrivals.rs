//! Uploads in progress, such as imports. An upload is received completely before it waits in a queue, so that a stalled
//! upload takes no place there.
//!
//! Each tenant has a maximum number of uploads. The bytes of all uploads have a limit in total, which does not count
//! small files, so that large files cannot block small ones.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::work_queue::Busy;

/// The maximum size of a small file in bytes. The number of connections limits how many there are.
pub const SMALL: usize = 64 * 1024;

/// The uploads in progress. `K` identifies the tenant.
#[derive(Debug)]
pub struct Arrivals<K> {
    max_each: usize,
    max_bytes: usize,
    held: Arc<Mutex<Held<K>>>,
}

#[derive(Debug)]
struct Held<K> {
    files: HashMap<K, usize>,
    /// The bytes of files that are not small.
    bytes: usize,
}

/// An upload in progress or a received file. Dropping it releases its share.
#[derive(Debug)]
#[must_use]
pub struct Arrival<K: Eq + Hash> {
    held: Arc<Mutex<Held<K>>>,
    max_bytes: usize,
    whose: K,
    bytes: usize,
}

impl<K: Clone + Eq + Hash> Arrivals<K> {
    /// Allows `max_each` uploads of each `K`, and `max_bytes` in total.
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

    /// Starts an upload.
    ///
    /// # Errors
    /// If `whose` has the maximum number of uploads.
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
    /// Adds received bytes.
    ///
    /// # Errors
    /// If the uploads exceed their limit in total.
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
