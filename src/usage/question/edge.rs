//! The start or the end of a period, as a day or a time.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};

use crate::time::{InvalidInstant, SentInstant, Timestamp, Zone, parse_day};

/// The start or the end of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The start of a day in the zone.
    Day(Date),
    /// A date and a time in the zone.
    Local(DateTime),
    /// An instant.
    At(Timestamp),
}

impl Edge {
    /// The instant.
    pub fn at(self, zone: &Zone) -> Timestamp {
        match self {
            Self::Day(day) => zone.start_of(day),
            Self::Local(local) => zone.instant_of(local),
            Self::At(at) => at,
        }
    }
}

/// The text is not the start or end of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a date, such as `2026-11-21`, or a time (RFC 3339), such as `2026-11-21T12:00:00Z`"
)]
pub struct InvalidEdge;

impl FromStr for Edge {
    type Err = InvalidEdge;
    fn from_str(text: &str) -> Result<Self, InvalidEdge> {
        if let Some(day) = parse_day(text) {
            return Ok(Self::Day(day));
        }
        // As a browser's field for a date and a time sends it.
        let is_local = ["2026-11-21T12:00".len(), "2026-11-21T12:00:00".len()];
        if is_local.contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_digit())
            && let Ok(local) = text.parse()
        {
            return Ok(Self::Local(local));
        }
        let at: Result<SentInstant, InvalidInstant> = text.parse();
        at.map(|at| Self::At(at.timestamp()))
            .map_err(|_| InvalidEdge)
    }
}
