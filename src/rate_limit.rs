//! Rate limits: the number of requests that a key can make per minute, by endpoint class (design §6).
//!
//! The window slides: no period of 60 s contains more requests than the class allows. Only allowed requests are
//! counted, so that a client that retries too early does not delay its next allowed request. Each instance counts only
//! the requests that it handles itself.

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

/// The subject of a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// A key, with all its secrets.
    Key(KeyId),
    /// An agent whose public ID is sent instead of a key.
    Agent(AgentId),
}

/// The state of a rate limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The endpoint class of the request.
    pub class: ClassIndex,
    /// The limit, in requests per minute.
    pub limit: NonZeroU32,
    /// The number of further requests allowed now.
    pub remaining: u32,
    /// Milliseconds until the oldest counted request leaves the window; 0 if none is counted.
    pub frees_in: i64,
    /// Milliseconds until a rejected request would be allowed; 0 if it was allowed. Longer than
    /// [`frees_in`](Self::frees_in) if the request costs more than one.
    pub fits_in: i64,
}

/// The number of requests for which one request counts in the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost(NonZeroU32);

impl Cost {
    /// The maximum cost.
    pub const MAX: u32 = 10_000;

    /// Creates a cost of 1 to [`Cost::MAX`].
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

/// The windows of a holder, one per class. The cached key or agent refers to them, so that a request needs no lookup.
#[derive(Debug)]
pub(crate) struct Windows(Box<[OnceLock<Box<Mutex<Window>>>]>);

/// The windows of all recently active holders.
#[derive(Debug, Default)]
pub(crate) struct RateLimits(Mutex<Holders>);

#[derive(Debug, Default)]
struct Holders {
    windows: HashMap<Holder, Arc<Windows>>,
    /// The number of holders at which idle ones are evicted.
    sweep_at: usize,
}

/// The minimum number of holders for a sweep. With fewer, eviction is not worthwhile.
const SMALLEST_SWEEP: usize = 1_024;

impl RateLimits {
    /// Returns the windows of a holder. They are shared by all callers and are kept when the key or agent changes.
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
    /// Evicts idle entries (empty window, no cached key or agent refers to them). The next sweep runs at twice the
    /// remaining size.
    fn sweep(&mut self, now: Monotonic) {
        self.windows
            .retain(|_, windows| Arc::strong_count(windows) > 1 || !windows.are_idle(now));
        self.sweep_at = SMALLEST_SWEEP.max(2 * self.windows.len());
    }
}

impl Windows {
    /// Counts a request if the limit allows it. Both results contain the state of the limit.
    pub(crate) fn take(
        &self,
        class: ClassIndex,
        cost: Cost,
        convention: &Convention,
        now: Monotonic,
    ) -> Result<Standing, Standing> {
        self.ask(class, cost, convention, now, Window::take)
    }

    /// Checks whether a request would be allowed, without counting it.
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
            "holders with counted requests are kept"
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
