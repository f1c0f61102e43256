//! Slows down guessing of passwords, per account and per address, without locking the victim out (ASVS 6.3.1).
//!
//! Each subject has ten tries at once and then one every half minute. A right password takes its tries back, so whoever
//! knows it is not slowed down by their own sign-ins; an account under attack from many addresses is still open to its
//! owner once each half minute.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::time::{SECOND, Timestamp};

/// Tries that may be made at once.
const BURST: i64 = 10;
/// Milliseconds after which one more try may be made.
const REFILL: i64 = 30 * SECOND;
/// Subjects remembered at most. Beyond it, those that have recovered are forgotten.
const MOST_SUBJECTS: usize = 50_000;

/// Who has tried how often. In memory, per instance.
#[derive(Debug, Default)]
pub struct Throttle {
    /// By subject, when its last debt will be paid off (the generic cell rate algorithm's arrival time).
    paid_off_at: Mutex<HashMap<String, Timestamp>>,
}

/// A try that has been counted.
#[must_use]
#[derive(Debug)]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    subjects: Vec<String>,
}

impl Throttle {
    /// Counts a try against every subject, or gives the seconds to wait when one of them has none left.
    pub fn attempt(&self, now: Timestamp, subjects: &[String]) -> Result<Attempt<'_>, i64> {
        let mut paid_off_at = self
            .paid_off_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let wait = subjects
            .iter()
            .filter_map(|subject| paid_off_at.get(subject))
            .map(|at| at.since(now) - (BURST - 1) * REFILL)
            .max()
            .unwrap_or(0);
        if wait > 0 {
            return Err((wait + SECOND - 1) / SECOND);
        }
        if paid_off_at.len() >= MOST_SUBJECTS {
            paid_off_at.retain(|_, at| *at > now);
        }
        for subject in subjects {
            let at = paid_off_at.entry(subject.clone()).or_insert(now);
            *at = (*at).max(now).plus(REFILL);
        }
        Ok(Attempt {
            throttle: self,
            subjects: subjects.to_vec(),
        })
    }
}

impl Attempt<'_> {
    /// Takes the try back unless the password was wrong: a right one costs nothing, nor does one that was not compared.
    pub fn unless_wrong<E>(self, verified: Result<bool, E>) -> Result<bool, E> {
        if !matches!(verified, Ok(false)) {
            self.take_back();
        }
        verified
    }

    fn take_back(self) {
        let mut paid_off_at = self
            .throttle
            .paid_off_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for subject in &self.subjects {
            if let Some(at) = paid_off_at.get_mut(subject) {
                *at = at.plus(-REFILL);
            }
        }
    }
}

/// The name under which tries from an address are counted: an IPv6 address by its /64, which is one household's.
pub fn address_subject(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("address {v4}"),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("address {a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_000_000_000);

    #[test]
    fn ten_tries_then_one_each_half_minute() {
        let throttle = Throttle::default();
        let subject = ["account a".to_owned()];
        for _ in 0..10 {
            let _ = throttle.attempt(NOON, &subject).unwrap();
        }
        assert_eq!(throttle.attempt(NOON, &subject).unwrap_err(), 30);
        assert_eq!(
            throttle.attempt(NOON.plus(29_500), &subject).unwrap_err(),
            1
        );
        let _ = throttle.attempt(NOON.plus(30_000), &subject).unwrap();
        assert!(throttle.attempt(NOON.plus(30_000), &subject).is_err());
        assert!(throttle.attempt(NOON, &["account b".to_owned()]).is_ok());
    }

    #[test]
    fn right_passwords_cost_nothing() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            let attempt = throttle.attempt(NOON, &["account a".to_owned()]).unwrap();
            attempt.unless_wrong(Ok::<bool, ()>(true)).unwrap();
            let attempt = throttle.attempt(NOON, &["account a".to_owned()]).unwrap();
            attempt.unless_wrong(Err("busy")).unwrap_err();
        }
    }

    #[test]
    fn an_ipv6_address_counts_as_its_network() {
        let of = |text: &str| address_subject(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:aaaa::1"), of("2001:db8:1:2:bbbb::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
