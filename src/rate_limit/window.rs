//! A sliding window of 60 s.

use crate::{clock::Monotonic, time::SECOND};

/// The length of the window, in seconds.
pub const WINDOW_SECONDS: i64 = 60;

/// The current second and the 60 before it. They cover the whole window.
const SECONDS: usize = WINDOW_SECONDS as usize + 1;

/// The number of counted requests in each of the last seconds. The requests of one second count until the last of them
/// is 60 s old.
#[derive(Debug)]
pub(super) struct Window {
    /// The latest second that was observed.
    second: i64,
    /// Counts by second modulo [`SECONDS`].
    passed: [u32; SECONDS],
    /// The time of the last request of each second, in milliseconds within the second.
    last: [u16; SECONDS],
    /// The sum of the counts.
    count: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            second: i64::MIN,
            passed: [0; SECONDS],
            last: [0; SECONDS],
            count: 0,
        }
    }
}

impl Window {
    /// Counts a request with this `cost` if the limit allows it. Returns whether it was counted.
    pub fn take(&mut self, limit: u32, cost: u32, now: Monotonic) -> bool {
        let has_room = self.has_room(limit, cost, now);
        if has_room {
            let place = place(self.second);
            // A request that waited can have an earlier second.
            let millis = (now.as_millis() - self.second * SECOND).clamp(0, SECOND - 1);
            let millis = u16::try_from(millis).unwrap_or_default();
            self.last[place] = self.last[place].max(millis);
            self.passed[place] += cost;
            self.count += cost;
        }
        has_room
    }

    /// Whether the limit allows a request with this `cost`.
    pub fn has_room(&mut self, limit: u32, cost: u32, now: Monotonic) -> bool {
        self.move_to(now);
        cost <= limit.saturating_sub(self.count)
    }

    /// The number of counted requests.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Milliseconds until the oldest counted request leaves the window; 0 if none is counted.
    pub fn frees_in(&self, now: Monotonic) -> i64 {
        (self.second.saturating_sub(WINDOW_SECONDS)..=self.second)
            .find(|second| self.passed[place(*second)] > 0)
            .map_or(0, |second| self.frees_at(second) - now.as_millis())
    }

    /// When the requests of a second leave the window, in milliseconds of the monotonic clock.
    fn frees_at(&self, second: i64) -> i64 {
        (second + WINDOW_SECONDS) * SECOND + i64::from(self.last[place(second)])
    }

    /// Milliseconds until enough requests have left the window for a request with this `cost`, if there are no others
    /// in the meantime. If the cost exceeds the limit, milliseconds until the window is empty.
    pub fn fits_in(&self, limit: u32, cost: u32, now: Monotonic) -> i64 {
        let mut left = self.count;
        let mut fits_in = 0;
        for second in self.second.saturating_sub(WINDOW_SECONDS)..=self.second {
            if cost <= limit.saturating_sub(left) {
                break;
            }
            let passed = self.passed[place(second)];
            if passed > 0 {
                left -= passed;
                fits_in = self.frees_at(second) - now.as_millis();
            }
        }
        fits_in
    }

    /// Whether the window is empty.
    pub fn is_idle(&mut self, now: Monotonic) -> bool {
        self.move_to(now);
        self.count == 0
    }

    /// Removes seconds that have left the window. An earlier second, from a request that waited, changes nothing.
    fn move_to(&mut self, now: Monotonic) {
        let second = now.as_millis().div_euclid(SECOND);
        let width = SECONDS as i64;
        for gone in self.second.max(second.saturating_sub(width)) + 1..=second {
            self.forget(gone);
        }
        self.second = self.second.max(second);
        let oldest = self.second.saturating_sub(WINDOW_SECONDS);
        if self.passed[place(oldest)] > 0 && self.frees_at(oldest) <= now.as_millis() {
            self.forget(oldest);
        }
    }

    fn forget(&mut self, second: i64) {
        let place = place(second);
        self.count -= std::mem::take(&mut self.passed[place]);
        self.last[place] = 0;
    }
}

fn place(second: i64) -> usize {
    second.rem_euclid(SECONDS as i64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Monotonic {
        Monotonic::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_up_to_the_limit_and_again_when_it_is_a_minute_old() {
        let mut window = Window::default();
        let burst = at(999);
        assert!((0..5).all(|_| window.take(5, 1, burst)));
        assert!(!window.take(5, 1, burst));
        assert!(!window.take(5, 1, at(60_998)), "59.999 s later");
        let frees_at = at(999 + window.frees_in(burst));
        assert_eq!(frees_at, at(60_999));
        assert!(!window.take(5, 1, frees_at.plus(-1)));
        assert!((0..5).all(|_| window.take(5, 1, frees_at)));
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_away() {
        let mut window = Window::default();
        assert!((0..5).all(|_| window.take(5, 1, at(3_600_000))));
        assert!(!window.take(5, 1, at(0)));
        assert!(!window.take(5, 1, at(3_600_000)));
        assert!(window.frees_in(at(3_600_000)) > 0);
        assert!(window.take(5, 1, at(3_661_000)));
    }

    #[test]
    fn what_counts_as_several_waits_until_that_many_are_gone() {
        let mut window = Window::default();
        for second in 0..5 {
            assert!(window.take(10, 2, at(second * SECOND)));
        }
        let now = at(5 * SECOND);
        assert!(!window.take(10, 3, now));
        assert_eq!(window.frees_in(now), 55 * SECOND);
        assert_eq!(
            window.fits_in(10, 3, now),
            56 * SECOND,
            "when two seconds have left the window"
        );
        assert_eq!(
            window.fits_in(10, 11, now),
            59 * SECOND,
            "when the window is empty"
        );
        assert!(!window.has_room(10, 3, at(61 * SECOND - 1)));
        assert!(window.has_room(10, 3, at(61 * SECOND)));
        assert!(
            window.has_room(10, 4, at(61 * SECOND)),
            "checking counts nothing"
        );
        assert!(window.take(10, 4, at(61 * SECOND)));
        assert_eq!(window.count(), 10);
    }

    proptest! {
        #[test]
        fn no_minute_holds_more_than_the_limit_and_none_that_has_room_refuses(
            limit in 1_u32..20,
            requests in prop::collection::vec(
                (prop_oneof![0_i64..50, 0_i64..5_000, 0_i64..130_000], prop_oneof![4 => Just(1_u32), 1 => 1_u32..6]),
                1..300,
            ),
        ) {
            let mut window = Window::default();
            let mut now = 1_700_000_000_123;
            let mut passed: Vec<(i64, u32)> = Vec::new();
            for (gap, cost) in requests {
                let cost = cost.min(limit);
                now += gap;
                let within = |millis: i64| -> u32 {
                    passed.iter().filter(|(at, _)| now - at < millis).map(|(_, cost)| cost).sum()
                };
                let (in_a_minute, in_a_second_more) = (within(60_000), within(61_000));
                if window.take(limit, cost, at(now)) {
                    prop_assert!(in_a_minute + cost <= limit);
                } else {
                    prop_assert!(in_a_second_more + cost > limit);
                    let wait = window.fits_in(limit, cost, at(now));
                    prop_assert!((1..=60_000).contains(&wait));
                    prop_assert!(window.frees_in(at(now)) <= wait);
                    prop_assert!(!window.has_room(limit, cost, at(now + wait - 1)));
                    prop_assert!(window.take(limit, cost, at(now + wait)));
                    now += wait;
                }
                passed.push((now, cost));
                prop_assert!(window.count() <= limit);
            }
        }
    }
}
