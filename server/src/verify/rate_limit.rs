//! The state of a key's rate limit: as JSON for the API server, and as headers for its client
//! (draft-ietf-httpapi-ratelimit-headers).

use std::fmt;

use latchkey::{
    convention::Convention,
    rate_limit::{Standing, WINDOW_SECONDS},
    time::SECOND,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The current state of a key's rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct RateLimit<'a> {
    /// The endpoint class that the request counted against.
    class: &'a str,
    /// The number of requests allowed in each window of `window_seconds`.
    limit: u32,
    /// The length of the sliding window in seconds.
    window_seconds: i64,
    /// The number of requests that are still allowed now.
    remaining: u32,
    /// Seconds until the oldest counted request leaves the window.
    reset_seconds: i64,
    #[serde(skip)]
    retry_after: i64,
}

/// The value of `RateLimit-Policy`, such as `"chat";q=60;w=60`.
#[derive(Debug, PartialEq, Eq)]
pub struct Policy<'a>(pub RateLimit<'a>);

/// The value of `RateLimit`, such as `"chat";r=12;t=41`.
#[derive(Debug, PartialEq, Eq)]
pub struct Remaining<'a>(pub RateLimit<'a>);

impl<'a> RateLimit<'a> {
    /// Converts a standing to the object of the API.
    pub fn of(standing: &Standing, convention: &'a Convention) -> Self {
        Self {
            class: standing.class.name(convention),
            limit: standing.limit.get(),
            window_seconds: WINDOW_SECONDS,
            remaining: standing.remaining,
            reset_seconds: whole_seconds(standing.frees_in),
            retry_after: whole_seconds(standing.fits_in),
        }
    }

    /// The number of seconds after which a rejected client can retry.
    pub fn retry_after(&self) -> i64 {
        self.retry_after
    }
}

/// Converts milliseconds to seconds, rounded up and clamped to the length of the window, in case the clock was set
/// back.
fn whole_seconds(millis: i64) -> i64 {
    let seconds = millis.div_euclid(SECOND) + i64::from(millis.rem_euclid(SECOND) > 0);
    seconds.min(WINDOW_SECONDS)
}

// The name of a class consists of a–z, 0–9 and `-`, so it needs no escaping.
impl fmt::Display for Policy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RateLimit {
            class,
            limit,
            window_seconds,
            ..
        } = self.0;
        write!(f, "\"{class}\";q={limit};w={window_seconds}")
    }
}

impl fmt::Display for Remaining<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RateLimit {
            class,
            remaining,
            reset_seconds,
            ..
        } = self.0;
        write!(f, "\"{class}\";r={remaining};t={reset_seconds}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_second_is_waited_for_and_no_wait_is_longer_than_the_window() {
        let seconds = [0, 1, 999, 1_000, 1_001, 59_001, 60_000, 60_001, 3_600_000];
        assert_eq!(seconds.map(whole_seconds), [0, 1, 1, 1, 2, 60, 60, 60, 60]);
    }
}
