//! Uploads in progress, such as imports. An upload is received completely before it waits in a queue, so that a stalled
//! upload takes no place there.
//!
//! Each tenant and each person has a maximum number of uploads, of which the first has more room than the others. The bytes of
//! all uploads have a limit in total, which does not count small files, so that large files cannot block small ones. A part of
//! it is for those who had no upload lately, whatever many others upload again and again.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    clock::{Clock, Monotonic},
    work_queue::{Busy, Whose},
};

/// The maximum size of a small file in bytes. The number of connections limits how many there are.
pub const SMALL: usize = 64 * 1024;

/// The uploads of two such periods were made lately, in milliseconds.
const PERIOD: i64 = 60_000;

/// The uploads in progress. `K` identifies the tenants and persons.
#[derive(Debug)]
pub struct Arrivals<K> {
    max_each: usize,
    max_each_person: usize,
    max_bytes: usize,
    clock: Clock,
    held: Arc<Mutex<Held<K>>>,
}

#[derive(Debug)]
struct Held<K> {
    files: HashMap<K, usize>,
    /// Who had uploads that are not small in this period and the previous one.
    lately: [HashSet<K>; 2],
    period_began: Monotonic,
    /// The bytes of files that are not small.
    bytes: usize,
}

/// An upload in progress or a received file. Dropping it releases its share.
#[derive(Debug)]
#[must_use]
pub struct Arrival<K: Copy + Eq + Hash> {
    held: Arc<Mutex<Held<K>>>,
    max_bytes: usize,
    whose: Whose<K>,
    bytes: usize,
    /// Whether the tenant or person had another upload in progress when this one began, or lately.
    is_another: bool,
}

impl<K: Copy + Eq + Hash> Arrivals<K> {
    /// Allows `max_each` uploads of each tenant, `max_each_person` of each person, and `max_bytes` in total.
    pub fn new(max_each: usize, max_each_person: usize, max_bytes: usize, clock: Clock) -> Self {
        let period_began = clock.monotonic();
        Self {
            max_each,
            max_each_person,
            max_bytes,
            clock,
            held: Arc::new(Mutex::new(Held {
                files: HashMap::new(),
                lately: Default::default(),
                period_began,
                bytes: 0,
            })),
        }
    }

    /// Starts an upload.
    ///
    /// # Errors
    /// If the tenant or the person has the maximum number of uploads.
    pub fn begin(&self, whose: impl Into<Whose<K>>) -> Result<Arrival<K>, Busy> {
        let whose = whose.into();
        let mut held = lock(&self.held);
        let of = |party| held.files.get(&party).copied().unwrap_or(0);
        let of_person = whose.person.map_or(0, of);
        if of(whose.tenant) >= self.max_each || of_person >= self.max_each_person {
            return Err(Busy::default());
        }
        held.forget(self.clock.monotonic());
        let had_one = |party| held.lately.iter().any(|period| period.contains(&party));
        let has_one = |party| held.files.contains_key(&party) || had_one(party);
        let is_another = whose.parties().any(has_one);
        for party in whose.parties() {
            *held.files.entry(party).or_default() += 1;
        }
        Ok(Arrival {
            held: Arc::clone(&self.held),
            max_bytes: self.max_bytes,
            whose,
            bytes: 0,
            is_another,
        })
    }
}

impl<K: Copy + Eq + Hash> Arrival<K> {
    /// Adds received bytes.
    ///
    /// # Errors
    /// If the uploads exceed their limit in total.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Busy> {
        let (before, now) = (counted(self.bytes), counted(self.bytes + bytes));
        let mut held = lock(&self.held);
        // The rest is for those who have no other.
        let max = match self.is_another {
            true => self.max_bytes / 4 * 3,
            false => self.max_bytes,
        };
        if held.bytes + now - before > max {
            return Err(Busy::default());
        }
        held.bytes += now - before;
        self.bytes += bytes;
        if before == 0 && now > 0 {
            held.lately[0].extend(self.whose.parties());
        }
        Ok(())
    }
}

impl<K: Copy + Eq + Hash> Drop for Arrival<K> {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.bytes -= counted(self.bytes);
        for party in self.whose.parties() {
            if let Some(own) = held.files.get_mut(&party) {
                *own -= 1;
                if *own == 0 {
                    held.files.remove(&party);
                }
            }
        }
    }
}

impl<K: Eq + Hash> Held<K> {
    /// Begins a new period when it is time.
    fn forget(&mut self, now: Monotonic) {
        let elapsed = now.since(self.period_began);
        if elapsed >= PERIOD {
            self.lately.rotate_right(1);
            self.lately[0].clear();
            if elapsed >= 2 * PERIOD {
                self.lately[1].clear();
            }
            self.period_began = now;
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
    use crate::time::Timestamp;

    fn clock() -> Clock {
        Clock::manual(Timestamp::from_millis(0))
    }

    #[test]
    fn each_has_a_share_and_small_files_fit_when_large_ones_do_not() {
        let arrivals = Arrivals::new(2, 2, 4 * SMALL, clock());
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

    #[test]
    fn a_quarter_of_the_bytes_is_for_those_who_have_no_other_upload() {
        let arrivals = Arrivals::new(2, 2, 16 * SMALL, clock());
        let mut held = vec![];
        for tenant in "aabb".chars() {
            let mut upload = arrivals.begin(tenant).unwrap();
            let grown = upload.grow(6 * SMALL).is_ok();
            held.push((upload, grown));
        }
        let grown: Vec<bool> = held.iter().map(|(_, grown)| *grown).collect();
        // The second of "a" ends at twelve; there is no room for the first of "b".
        assert_eq!(grown, [true, true, false, false]);
        assert!(arrivals.begin('c').unwrap().grow(4 * SMALL).is_ok());
    }

    #[test]
    fn many_who_upload_again_and_again_leave_room_for_who_did_not_lately() {
        let clock = clock();
        let arrivals = Arrivals::new(2, 2, 16 * SMALL, clock.clone());
        let upload = |tenant: u32| {
            let mut upload = arrivals.begin(tenant).unwrap();
            upload.grow(2 * SMALL).ok().map(|()| upload)
        };
        drop((0..8).map(upload).collect::<Vec<_>>());
        let again: Vec<_> = (0..8).map(upload).collect();
        assert_eq!(again.iter().flatten().count(), 6);
        let newcomers = [100, 101].map(upload);
        assert_eq!(newcomers.iter().flatten().count(), 2);
        drop((again, newcomers));
        clock.advance(2 * PERIOD);
        assert_eq!(
            (0..8)
                .map(upload)
                .collect::<Vec<_>>()
                .iter()
                .flatten()
                .count(),
            8
        );
    }

    #[test]
    fn a_person_has_a_share_in_all_their_tenants() {
        let arrivals = Arrivals::new(2, 3, 4 * SMALL, clock());
        let of = |tenant| Whose {
            tenant,
            person: Some('X'),
        };
        let mut held: Vec<_> = "aab"
            .chars()
            .map(|tenant| arrivals.begin(of(tenant)).unwrap())
            .collect();
        assert!(arrivals.begin(of('c')).is_err());
        let _other = arrivals.begin('c').unwrap();
        held.pop();
        let _again = arrivals.begin(of('c')).unwrap();
    }
}
