//! The shape of use over days and hours.

use latchkey::time::{DAY, HOUR, MINUTE, Timestamp};

use super::{
    noise::{noise, whole},
    period::Period,
};

/// How long use is stored by minute, with some to spare: before, one entry an hour is enough.
const BY_MINUTE: i64 = 49 * HOUR;
/// Requests of one outcome.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// On a working day, at the end of the period.
    pub daily: f64,
    /// How much of it there was at the start of the period.
    pub at_first: f64,
    pub from: Timestamp,
    pub until: Timestamp,
    pub seed: u64,
}

impl Flow {
    /// The number of requests by time, without empty times.
    pub fn counts(self, period: Period) -> Vec<(Timestamp, i64)> {
        let mut counts = Vec::new();
        let until = self.until.min(period.now);
        let mut hour = self.from.floor(HOUR);
        while hour < until {
            let requests = self.per_hour(period, hour);
            let number = (hour.as_millis() / HOUR).unsigned_abs();
            if period.now.since(hour) > BY_MINUTE {
                let at = hour.plus(30 * MINUTE);
                counts.push((at, whole(requests, noise(self.seed, number, 1))));
            } else {
                for part in 0..60 {
                    let at = hour.plus(part * MINUTE);
                    let noise = noise(self.seed, number, 2 + part.unsigned_abs());
                    counts.push((at, whole(requests / 60.0, noise)));
                }
            }
            hour = hour.plus(HOUR);
        }
        counts.retain(|(at, count)| *count > 0 && *at >= self.from && *at < until);
        counts
    }

    fn per_hour(self, period: Period, hour: Timestamp) -> f64 {
        let whole = period.now.since(period.start).max(1) as f64;
        let gone = hour.since(period.start) as f64 / whole;
        let grown = self.at_first + (1.0 - self.at_first) * gone;
        let number = (hour.as_millis() / HOUR).unsigned_abs();
        let jitter = 0.8 + 0.4 * noise(self.seed, number, 0);
        self.daily / 24.0 * grown * of_weekday(hour) * of_hour(hour) * jitter
    }
}

/// Weekends have less than half of a working day.
fn of_weekday(at: Timestamp) -> f64 {
    // 1970 began on a Thursday.
    let weekday = (at.as_millis() / DAY + 3) % 7;
    if weekday >= 5 { 0.42 } else { 1.0 }
}

/// The most at 14:00 UTC, the least twelve hours later.
fn of_hour(at: Timestamp) -> f64 {
    let hour = (at.as_millis() / HOUR % 24) as f64;
    1.0 + 0.75 * ((hour - 14.0) / 24.0 * std::f64::consts::TAU).cos()
}

/// Whether a day is a Saturday or Sunday.
pub fn is_weekend(at: Timestamp) -> bool {
    of_weekday(at) < 1.0
}
