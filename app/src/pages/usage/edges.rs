//! The start and the end of a custom period, as the form shows them.

use latchkey::{
    time::{Timestamp, Zone},
    usage::question::Edge,
};

use super::address::Address;

/// The fields of the start and the end, with their values: days as long as both are those of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edges {
    /// The first and the last day.
    Days { first: String, last: String },
    /// Two times in the zone of the page, the second of which is not included.
    Times { start: String, end: String },
}

impl Edges {
    /// Those in the URL of a page whose viewer has this time zone.
    pub fn of(address: &Address, zone: &Zone) -> Self {
        let zone: Zone = address.value("tz").parse().unwrap_or(zone.clone());
        let at = |name: &str| {
            let edge: Option<Edge> = address.value(name).parse().ok();
            edge.map(|edge| edge.at(&zone))
        };
        let (from, to) = (at("from"), at("to"));
        let minute = |at: Option<Timestamp>| match at {
            Some(at) => zone.local(at).strftime("%FT%H:%M").to_string(),
            None => String::new(),
        };
        let day =
            |at: Option<Timestamp>| at.map_or_else(String::new, |at| zone.day_of(at).to_string());
        if [from, to]
            .iter()
            .flatten()
            .all(|at| zone.is_start_of_day(*at))
        {
            Self::Days {
                first: day(from),
                last: day(to.map(|to| to.plus(-1))),
            }
        } else {
            Self::Times {
                start: minute(from),
                end: minute(to),
            }
        }
    }

    /// What sentences call the start and the end.
    pub fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Days { .. } => ("first day", "last day"),
            Self::Times { .. } => ("start", "end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(query: &str, zone: &str) -> Edges {
        let address = Address::read("/usage".to_owned(), query);
        Edges::of(&address, &zone.parse().unwrap())
    }

    #[test]
    fn whole_days_are_shown_as_days_and_parts_of_them_with_the_time() {
        let days = |first: &str, last: &str| Edges::Days {
            first: first.to_owned(),
            last: last.to_owned(),
        };
        let times = |start: &str, end: &str| Edges::Times {
            start: start.to_owned(),
            end: end.to_owned(),
        };
        let utc = |query| edges(query, "UTC");
        assert_eq!(utc(""), days("", ""));
        assert_eq!(utc("from=2026-11-07"), days("2026-11-07", ""));
        assert_eq!(
            utc("from=2026-11-07&last=2026-11-13"),
            days("2026-11-07", "2026-11-13")
        );
        let instants = "from=2026-11-07T00:00:00.000Z&to=2026-11-14T00:00:00.000Z";
        assert_eq!(utc(instants), days("2026-11-07", "2026-11-13"));
        assert_eq!(
            edges(instants, "Europe/Berlin"),
            times("2026-11-07T01:00", "2026-11-14T01:00")
        );
        assert_eq!(
            edges(
                "from=2026-11-07&to=2026-11-07T12:30:00Z",
                "America/New_York"
            ),
            times("2026-11-07T00:00", "2026-11-07T07:30")
        );
        assert_eq!(
            edges("from=2026-11-07T12:30&tz=UTC", "America/New_York"),
            times("2026-11-07T12:30", "")
        );
        // Its days begin at a full hour of UTC.
        assert_eq!(
            edges("from=2026-11-07&last=2026-11-07", "Asia/Kolkata"),
            days("2026-11-07", "2026-11-07")
        );
        assert_eq!(utc("from=soon"), days("", ""), "what is not a time");
    }
}
