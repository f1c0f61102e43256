//! The expiry of imported keys.

use crate::time::{DAY, SentInstant, Timestamp, parse_day};

const LONGEST_LIFE_DAYS: i64 = 36_500;

/// Parses the expiry. `Ok(None)` means that the key never expires, which is the default.
pub fn expiry(at: &str, in_days: &str, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    match (at, in_days) {
        ("", "") => Ok(None),
        ("", days) => match days.parse::<i64>() {
            Ok(days @ 1..=LONGEST_LIFE_DAYS) => Ok(Some(now.plus(days * DAY))),
            _ => Err("expires_in_days must be a number from 1 to 36500."),
        },
        (at, "") => instant(at).map(Some).ok_or(
            "Must be the last day, such as 2027-01-31, or a time, such as 2027-01-31T12:00:00Z.",
        ),
        _ => Err("Use either expires_at or expires_in_days, not both."),
    }
}

/// Parses an RFC 3339 timestamp. A date means the last millisecond of that day in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let at = text.parse().map(SentInstant::timestamp);
    at.ok().or_else(|| parse_day(text).map(Timestamp::end_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_day_an_instant_or_a_length() {
        let now = Timestamp::from_millis(1_795_262_400_000);
        let at = |at, days| expiry(at, days, now).map(|at| at.map(Timestamp::as_millis));
        assert_eq!(at("", ""), Ok(None));
        assert_eq!(at("", "2"), Ok(Some(1_795_262_400_000 + 2 * DAY)));
        assert_eq!(at("1970-01-01", ""), Ok(Some(DAY - 1)));
        assert_eq!(at("1970-01-01T00:00:01+00:00", ""), Ok(Some(1_000)));
        let last = Ok(Some(Timestamp::LAST.as_millis()));
        assert_eq!(at("9999-12-31", ""), last);
        assert_eq!(at("9999-12-31T23:59:59.999Z", ""), last);
        for (text, days) in [
            ("1970-01-01T00:00", ""),
            ("soon", ""),
            ("", "0"),
            ("", "-1"),
            ("1970-01-01", "2"),
            ("10000-01-01", ""),
        ] {
            at(text, days).unwrap_err();
        }
    }
}
