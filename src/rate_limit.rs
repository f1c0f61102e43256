//! Rate limits: how many requests a key may make in a minute, by endpoint class (design §6).
//!
//! The window slides: no span of 60 s, wherever it begins, holds more requests than the class allows. Only requests
//! that pass are counted, so a client that tries again too early does not push its turn away. Each instance counts what
//! it answers itself.

mod window;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use crate::{
    clock::Monotonic,
    convention::{ClassIndex, Convention},
    id::{AgentId, KeyId},
};

pub use self::window::WINDOW_SECONDS;
use self::window::Window;

/// Who has a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// A key, with all its secrets.
    Key(KeyId),
    /// An agent whose public ID stands in for a key.
    Agent(AgentId),
}

/// Where a holder stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What kind of request it was.
    pub class: ClassIndex,
    /// Requests per minute.
    pub limit: NonZeroU32,
    /// How many more would pass now.
    pub remaining: u32,
    /// In how many milliseconds the earliest of the counted requests stops counting; 0 when there is none.
    pub frees_in: i64,
    /// In how many milliseconds a request that was refused would pass: later than [`frees_in`](Self::frees_in) when it
    /// counts as several. 0 for one that passed.
    pub fits_in: i64,
}

/// As how many requests one counts in the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost(NonZeroU32);

impl Cost {
    /// The highest.
    pub const MAX: u32 = 10_000;

    /// A cost of 1 to [`Cost::MAX`].
    pub fn new(requests: u32) -> Option<Self> {
        let within = Some(requests).filter(|requests| *requests <= Self::MAX);
        within.and_then(NonZeroU32::new).map(Self)
    }

    /// The number of requests.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self(NonZeroU32::MIN)
    }
}

/// What a holder has used of each class. What is known of the holder keeps it, so that a request needs no look-up.
#[derive(Debug)]
pub(crate) struct Windows(Box<[OnceLock<Box<Mutex<Window>>>]>);

/// The windows of everyone who made requests lately.
#[derive(Debug, Default)]
pub(crate) struct RateLimits(Mutex<Holders>);

#[derive(Debug, Default)]
struct Holders {
    windows: HashMap<Holder, Arc<Windows>>,
    /// At how many holders those that are idle are dropped.
    sweep_at: usize,
}

/// Below as many holders it is not worth looking for idle ones.
const SMALLEST_SWEEP: usize = 1_024;

impl RateLimits {
    /// What a holder has used: the same, however often it is asked for, and whatever of the holder is changed meanwhile.
    pub(crate) fn of(
        &self,
        holder: Holder,
        convention: &Convention,
        now: Monotonic,
    ) -> Arc<Windows> {
        let mut holders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if holders.windows.len() >= holders.sweep_at {
            holders.sweep(now);
        }
        let windows = holders.windows.entry(holder).or_insert_with(|| {
            let unused = convention.classes.keys().map(|_| OnceLock::new());
            Arc::new(Windows(unused.collect()))
        });
        Arc::clone(windows)
    }
}

impl Holders {
    /// Drops whom nobody asks about and who would start afresh anyway. Each sweep doubles the distance to the next.
    fn sweep(&mut self, now: Monotonic) {
        self.windows
            .retain(|_, windows| Arc::strong_count(windows) > 1 || !windows.are_idle(now));
        self.sweep_at = SMALLEST_SWEEP.max(2 * self.windows.len());
    }
}

impl Windows {
    /// Counts a request if it may pass; the error says where the holder stands when it may not.
    pub(crate) fn take(
        &self,
        class: ClassIndex,
        cost: Cost,
        convention: &Convention,
        now: Monotonic,
    ) -> Result<Standing, Standing> {
        self.ask(class, cost, convention, now, Window::take)
    }

    /// Whether a request would pass, which it is not counted for.
    pub(crate) fn would_take(
        &self,
        class: ClassIndex,
        cost: Cost,
        convention: &Convention,
        now: Monotonic,
    ) -> Result<Standing, Standing> {
        self.ask(class, cost, convention, now, Window::has_room)
    }

    fn ask(
        &self,
        class: ClassIndex,
        cost: Cost,
        convention: &Convention,
        now: Monotonic,
        passes: impl FnOnce(&mut Window, u32, u32, Monotonic) -> bool,
    ) -> Result<Standing, Standing> {
        let limit = class.per_minute(convention);
        let window = self.0[class.place()].get_or_init(Box::default);
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = passes(&mut window, limit.get(), cost.get(), now);
        let standing = Standing {
            class,
            limit,
            remaining: limit.get().saturating_sub(window.count()),
            frees_in: window.frees_in(now),
            fits_in: match passed {
                true => 0,
                false => window.fits_in(limit.get(), cost.get(), now),
            },
        };
        if passed { Ok(standing) } else { Err(standing) }
    }

    fn are_idle(&self, now: Monotonic) -> bool {
        self.0.iter().filter_map(OnceLock::get).all(|window| {
            let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
            window.is_idle(now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Holder {
        Holder::Key(KeyId::new(
            i64::try_from(number).unwrap(),
            [u8::try_from(number % 251).unwrap(); 10],
        ))
    }

    #[test]
    fn holders_who_are_idle_are_dropped_and_others_keep_their_counts() {
        let convention = Convention::built_in("agentix").unwrap();
        let class = ClassIndex::default_of(&convention);
        let limits = RateLimits::default();
        let one = Cost::default();
        let noon = Monotonic::from_millis(43_200_000);
        let busy = limits.of(key(0), &convention, noon);
        for number in 1..=4_000 {
            let idle = limits.of(key(number), &convention, noon);
            idle.take(class, one, &convention, noon).unwrap();
        }
        assert_eq!(
            limits.0.lock().unwrap().windows.len(),
            4_001,
            "whoever used a minute's share is kept"
        );
        let later = noon.plus(120_000);
        let taken = busy.take(class, one, &convention, later);
        assert_eq!(taken.unwrap().remaining, 59);
        limits.0.lock().unwrap().sweep(later);
        assert_eq!(limits.0.lock().unwrap().windows.len(), 1);
        let same = limits.of(key(0), &convention, later);
        let taken = same.take(class, one, &convention, later);
        assert_eq!(taken.unwrap().remaining, 58);
    }
}
