//! Timestamps as dates and text. All stored timestamps are in the years 0000 to 9999, which every interface can read
//! and write. The range of jiff's own `Timestamp` ends two hours before the end of the year 9999.

use std::{fmt, str::FromStr};

use jiff::{
    SignedDuration,
    civil::{Date, DateTime},
    fmt::temporal::Pieces,
};
use serde::{Deserialize, Serialize, Serializer};

use super::{DAY, Timestamp};

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Timestamp {
    /// The first instant of the year 0000.
    pub const FIRST: Self = Self::from_millis(-62_167_219_200_000);
    /// The last millisecond of the year 9999.
    pub const LAST: Self = Self::from_millis(253_402_300_799_999);

    /// The timestamp in RFC 3339, as in JSON and files.
    pub fn rfc3339(self) -> Rfc3339 {
        Rfc3339(self.utc())
    }

    /// The date and time in UTC. Timestamps outside [`FIRST`](Self::FIRST) to [`LAST`](Self::LAST) are clamped.
    pub fn utc(self) -> DateTime {
        let within = self.clamp(Self::FIRST, Self::LAST);
        EPOCH.saturating_add(SignedDuration::from_millis(within.as_millis()))
    }

    /// The first instant of a day in UTC.
    pub fn start_of(day: Date) -> Self {
        Self::from_millis(millis_of(day.to_datetime(jiff::civil::Time::midnight())))
    }

    /// The last millisecond of a day in UTC.
    pub fn end_of(day: Date) -> Self {
        Self::start_of(day).plus(DAY - 1)
    }
}

/// Parses a day as in forms and files, such as `2027-01-31`.
pub fn parse_day(text: &str) -> Option<Date> {
    let is_day = text.len() == "2027-01-31".len() && text.starts_with(|c: char| c.is_ascii_digit());
    text.parse().ok().filter(|_| is_day)
}

fn millis_of(utc: DateTime) -> i64 {
    let since = utc.duration_since(EPOCH);
    // Rounds down, also before 1970.
    since.as_secs() * 1_000 + i64::from(since.subsec_nanos()).div_euclid(1_000_000)
}

/// An RFC 3339 timestamp as it was sent, which can be more precise than a stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SentInstant {
    floor: Timestamp,
    is_later: bool,
}

impl SentInstant {
    /// Rounds down to a millisecond.
    pub const fn timestamp(self) -> Timestamp {
        self.floor
    }

    /// Rounds up to a millisecond.
    pub fn not_before(self) -> Timestamp {
        self.floor.plus(i64::from(self.is_later))
    }
}

/// Why a text is not a timestamp that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInstant {
    /// The text is not in RFC 3339.
    #[error("must be a time with an offset (RFC 3339), such as `2026-11-21T12:00:00Z`")]
    Unreadable,
    /// In UTC, the time is before the year 0000 or after the year 9999.
    #[error("must be a time from the years 0000 to 9999 in UTC")]
    OutOfRange,
}

impl FromStr for SentInstant {
    type Err = InvalidInstant;
    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        // jiff reads more of ISO 8601.
        if !is_rfc_3339(text) {
            return Err(InvalidInstant::Unreadable);
        }
        let text = without_tiny_digits(text);
        let pieces = Pieces::parse(&text).map_err(|_| InvalidInstant::Unreadable)?;
        let (Some(time), Some(offset), None) = (
            pieces.time(),
            pieces.to_numeric_offset(),
            pieces.time_zone_annotation(),
        ) else {
            return Err(InvalidInstant::Unreadable);
        };
        let local = pieces.date().to_datetime(time);
        let floor = Timestamp::from_millis(millis_of(local) - i64::from(offset.seconds()) * 1_000);
        if !(Timestamp::FIRST..=Timestamp::LAST).contains(&floor) {
            return Err(InvalidInstant::OutOfRange);
        }
        let is_later = time.subsec_nanosecond() % 1_000_000 != 0;
        Ok(Self { floor, is_later })
    }
}

impl TryFrom<String> for SentInstant {
    type Error = InvalidInstant;
    fn try_from(text: String) -> Result<Self, InvalidInstant> {
        text.parse()
    }
}

/// Whether a text has the form of a `date-time` in RFC 3339, section 5.6. Whether its date exists is left open.
fn is_rfc_3339(text: &str) -> bool {
    let shape = text.replace(|char: char| char.is_ascii_digit(), "0");
    let shape = shape.to_ascii_uppercase();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else {
        return false;
    };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with('0') => fraction.trim_start_matches('0'),
        Some(_) => return false,
        None => rest,
    };
    let offset = |at: std::ops::Range<usize>, max: u8| {
        let text = text.get(text.len() - 5..).and_then(|offset| offset.get(at));
        text.and_then(|digits| digits.parse().ok())
            .is_some_and(|number: u8| number <= max)
    };
    match rest {
        "Z" => true,
        "+00:00" | "-00:00" => offset(0..2, 23) && offset(3..5, 59),
        _ => false,
    }
}

/// RFC 3339 does not limit the digits of fractional seconds; jiff reads at most nine.
fn without_tiny_digits(text: &str) -> String {
    let Some((before, fraction)) = text.split_once('.') else {
        return text.to_owned();
    };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = fraction.split_at(digits);
    format!("{before}.{}{rest}", digits.get(..9).unwrap_or(digits))
}

/// A UTC timestamp in RFC 3339, always with three fractional digits, so that text sorts by time:
/// `2026-11-21T12:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(DateTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}Z", self.0)
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(millis: i64) -> String {
        Timestamp::from_millis(millis).rfc3339().to_string()
    }

    #[test]
    fn an_instant_is_written_to_the_millisecond() {
        assert_eq!(written(1_795_262_400_000), "2026-11-21T12:00:00.000Z");
        assert_eq!(written(1_795_262_400_120), "2026-11-21T12:00:00.120Z");
        assert_eq!(written(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn the_first_and_the_last_instant_are_those_of_the_years_0000_and_9999() {
        let first = Timestamp::FIRST.rfc3339().to_string();
        assert_eq!(first, "0000-01-01T00:00:00.000Z");
        let last = Timestamp::LAST.rfc3339().to_string();
        assert_eq!(last, "9999-12-31T23:59:59.999Z");
        assert_eq!((written(i64::MIN), written(i64::MAX)), (first, last));
        let day = parse_day("9999-12-31").unwrap();
        assert_eq!(Timestamp::end_of(day), Timestamp::LAST);
    }

    #[test]
    fn instants_are_read_to_the_last_one() {
        let of = |text: &str| text.parse().map(SentInstant::timestamp);
        assert_eq!(of("9999-12-31T23:59:59.999Z"), Ok(Timestamp::LAST));
        assert_eq!(of("9999-12-31T23:59:59.9999999999Z"), Ok(Timestamp::LAST));
        assert_eq!(of("0000-01-01t00:00:00z"), Ok(Timestamp::FIRST));
        for text in ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"] {
            assert_eq!(of(text), Err(InvalidInstant::OutOfRange), "{text}");
        }
        for text in [
            "",
            "9999-12-31",
            "9999-12-31T12:00",
            "10000-01-01T00:00:00Z",
            "2026-11-21T12:00:00Z[UTC]",
            "2026-02-30T12:00:00Z",
            "-000001-12-31T00:00:00Z",
            "20270131T000000Z",
            "2027-01-31T00:00Z",
            "2027-01-31 00:00:00Z",
            "2027-01-31T00:00:00.Z",
            "2027-01-31T00:00:00+25:00",
            "2027-01-31T00:00:00+0100",
            "2027-01-31T00:00:00+01:60",
            "2027-01-31T00:00:00ä",
        ] {
            assert_eq!(of(text), Err(InvalidInstant::Unreadable), "{text}");
        }
    }

    #[test]
    fn a_time_between_two_milliseconds_is_after_the_earlier_one() {
        let of = |text: &str| {
            let at: SentInstant = text.parse().unwrap();
            (at.timestamp().as_millis(), at.not_before().as_millis())
        };
        assert_eq!(of("1970-01-01T00:00:00.001Z"), (1, 1));
        assert_eq!(of("1970-01-01T00:00:00.001000001Z"), (1, 2));
        assert_eq!(of("1969-12-31T23:59:59.998999999Z"), (-2, -1));
        assert_eq!(of("1969-12-31T23:59:59.999Z"), (-1, -1));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(millis in Timestamp::FIRST.as_millis()..=Timestamp::LAST.as_millis()) {
            let at: SentInstant = written(millis).parse().unwrap();
            prop_assert_eq!(at.timestamp().as_millis(), millis);
        }
    }
}
