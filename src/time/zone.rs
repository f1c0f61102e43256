//! Time zones of the IANA database, which is part of the program, so that all instances cut days alike.

mod aliases;

use std::{fmt, str::FromStr, sync::LazyLock};

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
    tz::{TimeZone, TimeZoneDatabase},
};

use self::aliases::ALIASES;
use super::{DAY, HOUR, Timestamp};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The text is not the name of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a time zone, such as `UTC` or `Europe/Berlin`")]
pub struct InvalidZone;

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The names of the zones to choose from, in alphabetical order: those of places, such as `Europe/Berlin`, and UTC. The
    /// database also has abbreviations, offsets, older names, and names that only programs use. They can still be parsed.
    pub fn names() -> Vec<String> {
        let all = DATABASE.available().map(|name| name.to_string());
        let is_offered = |name: &String| is_of_a_place(name) && current(name).is_none();
        let mut names: Vec<String> = all.filter(is_offered).collect();
        names.sort();
        names
    }

    /// The name, such as `Europe/Berlin`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The same zone by its current name: `Asia/Kolkata` for `Asia/Calcutta`.
    pub fn renamed(self) -> Self {
        match current(self.name()).map(str::parse) {
            Some(Ok(zone)) => zone,
            _ => self,
        }
    }

    /// The older names of the zone.
    pub fn older_names(&self) -> impl Iterator<Item = &'static str> {
        let of_this = ALIASES.iter().filter(|(_, name)| *name == self.name());
        of_this.map(|(older, _)| *older)
    }

    /// How far the zone is off UTC at a time: `UTC`, `UTC−8` or `UTC+5:30`.
    pub fn offset_at(&self, at: Timestamp) -> String {
        let within = at.clamp(Timestamp::FIRST, Timestamp::LAST);
        let minutes = jiff::Timestamp::from_millisecond(within.as_millis())
            .map_or(0, |at| self.0.to_offset(at).seconds() / 60);
        let sign = if minutes < 0 { '−' } else { '+' };
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        match (hours, minutes) {
            (0, 0) => "UTC".to_owned(),
            (_, 0) => format!("UTC{sign}{hours}"),
            _ => format!("UTC{sign}{hours}:{minutes:02}"),
        }
    }

    /// The first instant of a day. Unlike [`start_of`](Self::start_of), it is not at a full hour everywhere.
    pub fn midnight(&self, day: Date) -> Timestamp {
        self.instant_of(day.to_datetime(Time::midnight()))
    }

    /// The first instant after a day.
    pub fn midnight_after(&self, day: Date) -> Timestamp {
        match day.tomorrow() {
            Ok(next) if next.year() <= 9999 => self.midnight(next),
            _ => Timestamp::LAST.plus(1),
        }
    }

    /// Whether this is UTC, by that name.
    pub fn is_utc(&self) -> bool {
        *self == Self::UTC
    }

    /// The first full hour (UTC) of a day. Counts older than two days are kept by the hour, so a day in a zone that is not
    /// whole hours off UTC begins at the next full hour.
    pub fn start_of(&self, day: Date) -> Timestamp {
        let Ok(start) = day.to_zoned(self.0.clone()) else {
            // The first and the last day that there are.
            return Timestamp::start_of(day);
        };
        Timestamp::from_millis(start.timestamp().as_millisecond()).ceil(HOUR)
    }

    /// Whether a day begins at this time, as in [`start_of`](Self::start_of).
    pub fn is_start_of_day(&self, at: Timestamp) -> bool {
        self.start_of(self.local(at).date()) == at
    }

    /// The time of a date and time in this zone. Of the two in the hour that clocks have twice, it is the first.
    pub fn instant_of(&self, local: DateTime) -> Timestamp {
        match local.to_zoned(self.0.clone()) {
            Ok(zoned) => Timestamp::from_millis(zoned.timestamp().as_millisecond()),
            Err(_) => self.start_of(local.date()),
        }
    }

    /// The day that a time belongs to, where days begin as in [`start_of`](Self::start_of).
    pub fn day_of(&self, at: Timestamp) -> Date {
        let day = self.local(at).date();
        if self.start_of(day) > at {
            day.saturating_sub(1.day())
        } else {
            day
        }
    }

    /// The start of the day after the one that a time belongs to.
    pub fn next_day(&self, at: Timestamp) -> Timestamp {
        let mut day = self.day_of(at);
        loop {
            let next = day.saturating_add(1.day());
            let start = self.start_of(next);
            // A zone that crosses the date line can leave out a day.
            if start > at {
                return start;
            }
            if next == day {
                // The last day that there is.
                return at.plus(DAY);
            }
            day = next;
        }
    }

    /// The date and time in this zone.
    pub fn local(&self, at: Timestamp) -> jiff::civil::DateTime {
        let within = at.clamp(Timestamp::FIRST, Timestamp::LAST);
        match jiff::Timestamp::from_millisecond(within.as_millis()) {
            Ok(at) => self.0.to_datetime(at),
            Err(_) => at.utc(),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;
    fn from_str(text: &str) -> Result<Self, InvalidZone> {
        let zone = DATABASE.get(text).map_err(|_| InvalidZone)?;
        // One of the names stands for an unknown zone.
        match zone.is_unknown() {
            false => Ok(Self(zone)),
            true => Err(InvalidZone),
        }
    }
}

/// The current name of a zone, if this is an older one.
fn current(name: &str) -> Option<&'static str> {
    let place = ALIASES.binary_search_by_key(&name, |(older, _)| *older);
    Some(ALIASES.get(place.ok()?)?.1)
}

fn is_of_a_place(name: &str) -> bool {
    const AREAS: [&str; 10] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    ];
    name == "UTC"
        || name
            .split_once('/')
            .is_some_and(|(area, _)| AREAS.contains(&area))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(zone: &str, day: &str) -> String {
        let zone: Zone = zone.parse().unwrap();
        let start = zone.start_of(day.parse().unwrap());
        assert!(zone.day_of(start) >= day.parse().unwrap());
        start.rfc3339().to_string()[..16].to_owned()
    }

    #[test]
    fn a_day_begins_at_the_first_full_hour() {
        assert_eq!(start("UTC", "2026-11-21"), "2026-11-21T00:00");
        assert_eq!(start("europe/berlin", "2026-11-21"), "2026-11-20T23:00");
        assert_eq!(start("Asia/Kolkata", "2026-11-21"), "2026-11-20T19:00");
        // The clocks of Cairo go forward at midnight.
        assert_eq!(start("Africa/Cairo", "2026-04-24"), "2026-04-23T22:00");
        // Samoa had no such day.
        assert_eq!(start("Pacific/Apia", "2011-12-30"), "2011-12-30T10:00");
    }

    #[test]
    fn the_minutes_before_the_full_hour_belong_to_the_day_before() {
        let zone: Zone = "Asia/Kolkata".parse().unwrap();
        let at: super::super::SentInstant = "2026-11-20T18:45:00Z".parse().unwrap();
        let at = at.timestamp();
        assert_eq!(zone.day_of(at).to_string(), "2026-11-20");
        assert_eq!(
            zone.next_day(at).rfc3339().to_string(),
            "2026-11-20T19:00:00.000Z"
        );
    }

    #[test]
    fn days_begin_and_times_are_read_on_the_clocks_of_a_zone() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let at = |local: &str| berlin.instant_of(local.parse().unwrap());
        assert_eq!(
            at("2026-11-21T12:30").rfc3339().to_string(),
            "2026-11-21T11:30:00.000Z"
        );
        // Clocks go back at 3:00 and have this hour twice; in March, they leave it out.
        assert_eq!(
            at("2026-10-25T02:30").rfc3339().to_string(),
            "2026-10-25T00:30:00.000Z"
        );
        assert_eq!(
            at("2026-03-29T02:30").rfc3339().to_string(),
            "2026-03-29T01:30:00.000Z"
        );
        assert!(berlin.is_start_of_day(at("2026-11-21T00:00")));
        assert!(!Zone::UTC.is_start_of_day(at("2026-11-21T00:00")));
        let kolkata: Zone = "Asia/Kolkata".parse().unwrap();
        let day = kolkata.start_of("2026-11-21".parse().unwrap());
        assert!(kolkata.is_start_of_day(day), "at half past twelve");
    }

    #[test]
    fn a_zone_is_named_as_in_the_database() {
        let zone: Zone = "europe/berlin".parse().unwrap();
        assert_eq!((zone.name(), zone.is_utc()), ("Europe/Berlin", false));
        assert_eq!("UTC".parse(), Ok(Zone::UTC));
        for wrong in ["", "Europe", "Mars/Base", "+01:00", "../etc/passwd"] {
            assert_eq!(wrong.parse::<Zone>(), Err(InvalidZone), "{wrong}");
        }
    }

    #[test]
    fn an_older_name_stands_for_the_current_one() {
        let zone = |name: &str| name.parse::<Zone>().unwrap();
        assert_eq!(zone("Asia/Calcutta").renamed().name(), "Asia/Kolkata");
        assert_eq!(zone("Asia/Kolkata").renamed().name(), "Asia/Kolkata");
        assert_eq!(
            zone("Asia/Kolkata").older_names().collect::<Vec<_>>(),
            ["Asia/Calcutta"]
        );
        assert!(ALIASES.is_sorted());
        for (older, name) in ALIASES {
            assert!(current(name).is_none(), "{name}");
            // A name of the same clocks, today.
            let at = Timestamp::from_millis(1_795_262_400_000);
            let of = |name: &str| zone(name).offset_at(at);
            assert_eq!(of(older), of(name), "{older}");
        }
    }

    #[test]
    fn an_offset_is_that_of_the_time() {
        let at = |text: &str| {
            let at = text.parse::<super::super::SentInstant>().unwrap();
            at.timestamp()
        };
        let (winter, summer) = (at("2026-11-21T12:00:00Z"), at("2026-07-21T12:00:00Z"));
        let of = |name: &str, at| name.parse::<Zone>().unwrap().offset_at(at);
        assert_eq!(of("America/Los_Angeles", winter), "UTC−8");
        assert_eq!(of("America/Los_Angeles", summer), "UTC−7");
        assert_eq!(of("Asia/Kolkata", winter), "UTC+5:30");
        assert_eq!(of("Europe/London", winter), "UTC");
        assert_eq!(of("UTC", Timestamp::LAST), "UTC");
    }

    #[test]
    fn a_day_is_from_midnight_to_midnight_in_its_zone() {
        let day = |zone: &str, day: &str| {
            let (zone, day): (Zone, Date) = (zone.parse().unwrap(), day.parse().unwrap());
            let text = |at: Timestamp| at.rfc3339().to_string();
            (text(zone.midnight(day)), text(zone.midnight_after(day)))
        };
        let of = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(
            day("Asia/Kolkata", "2026-11-21"),
            of("2026-11-20T18:30:00.000Z", "2026-11-21T18:30:00.000Z")
        );
        assert_eq!(
            day("Europe/Berlin", "2026-10-25"),
            of("2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z")
        );
        let last = "9999-12-31".parse().unwrap();
        assert_eq!(Zone::UTC.midnight_after(last), Timestamp::LAST.plus(1));
    }

    #[test]
    fn zones_of_places_are_offered_and_no_others() {
        let names = Zone::names();
        assert!(names.len() > 300, "{}", names.len());
        for name in [
            "UTC",
            "Europe/Berlin",
            "America/Argentina/Ushuaia",
            "Pacific/Auckland",
        ] {
            assert!(names.iter().any(|offered| offered == name), "{name}");
        }
        for name in [
            "Factory",
            "localtime",
            "posixrules",
            "EST5EDT",
            "Etc/GMT+5",
            "GMT0",
            "US/Eastern",
            "Asia/Calcutta",
            "Europe/Kiev",
        ] {
            assert!(names.iter().all(|offered| offered != name), "{name}");
        }
        for name in names {
            assert_eq!(name.parse::<Zone>().unwrap().to_string(), name);
        }
    }
}
