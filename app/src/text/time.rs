//! Time formatting. The server formats times in the zone that the user chose in their profile, at first UTC, so that the
//! browser's clock, time zone and language do not affect the page, and hydration finds the text that was sent.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A formatted time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeText {
    /// The machine-readable time, in RFC 3339.
    pub iso: String,
    /// The visible text.
    pub short: String,
    /// The tooltip: date, time and zone.
    pub full: String,
}

/// A `<time>` element.
#[component]
pub fn Time(text: TimeText) -> impl IntoView {
    view! { <time datetime=text.iso title=text.full>{text.short}</time> }
}

#[cfg(feature = "ssr")]
mod format {
    use latchkey::time::{DAY, HOUR, MINUTE, Timestamp, Zone};

    use super::TimeText;
    use crate::text::days::days_text;

    tokio::task_local! {
        /// The zone of the user whose page is made.
        static ZONE: Zone;
    }

    /// The zone of the user whose page is made; otherwise UTC.
    pub fn zone() -> Zone {
        ZONE.try_with(Clone::clone).unwrap_or_default()
    }

    /// Does what makes texts in a zone.
    pub fn in_zone<F: Future>(zone: Zone, making: F) -> impl Future<Output = F::Output> {
        ZONE.scope(zone, making)
    }

    /// Shows something in a zone.
    pub fn shown_in<T>(zone: Zone, show: impl FnOnce() -> T) -> T {
        ZONE.sync_scope(zone, show)
    }

    impl TimeText {
        /// Shown as its date: "Jan 15, 2027".
        pub fn date(time: Timestamp) -> Self {
            Self {
                short: date(time),
                ..Self::full(time)
            }
        }

        /// Shown as how long ago it was: "2 minutes ago".
        pub fn relative(time: Timestamp, now: Timestamp) -> Self {
            Self {
                short: relative(time, now),
                ..Self::full(time)
            }
        }

        /// Shown to the second: "Jan 15, 2027, 10:00:07 UTC".
        pub fn exact(time: Timestamp) -> Self {
            let offset = zone().offset_at(time);
            Self {
                // The line can only break between date and time.
                short: format!(
                    "{}\u{a0}{offset}",
                    written(time, "%b\u{a0}%-d,\u{a0}%Y, %H:%M:%S")
                ),
                full: with_zone(time, "%b %-d, %Y, %H:%M:%S"),
                ..Self::full(time)
            }
        }

        /// Shown with date, time and zone: "Jan 15, 2027, 10:00 UTC" or "Jan 15, 2027, 02:00 UTC−8".
        pub fn full(time: Timestamp) -> Self {
            let text = written(time, "%b %-d, %Y, %H:%M");
            Self {
                iso: time.utc().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
                short: format!("{text} {}", zone().offset_at(time)),
                full: with_zone(time, "%b %-d, %Y, %H:%M"),
            }
        }
    }

    /// The date: "Jan 15, 2027".
    pub fn date(time: Timestamp) -> String {
        written(time, "%b %-d, %Y")
    }

    /// A period to choose, with the date on which it ends: "In 90 days (Jan 15, 2027)".
    pub fn in_days(days: u32, now: Timestamp) -> String {
        let end = date(now.plus(i64::from(days) * DAY));
        format!("In {} ({end})", days_text(days))
    }

    /// The time of day: "10:00:07 UTC".
    pub fn time_of_day(time: Timestamp) -> String {
        format!("{} {}", written(time, "%H:%M:%S"), zone().offset_at(time))
    }

    /// How long ago `time` was: "just now" or "2 minutes ago", after 24 hours "yesterday" or "2 days ago" by
    /// calendar days, and later the date.
    fn relative(time: Timestamp, now: Timestamp) -> String {
        let ago = |count: i64, unit: &str| {
            format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
        };
        match now.since(time) {
            ..MINUTE => "just now".to_owned(),
            past @ MINUTE..HOUR => ago(past / MINUTE, "minute"),
            past @ HOUR..DAY => ago(past / HOUR, "hour"),
            _ => {
                let day = |at| Timestamp::start_of(zone().local(at).date());
                match day(now).since(day(time)) / DAY {
                    1 => "yesterday".to_owned(),
                    days @ 2..30 => ago(days, "day"),
                    _ => date(time),
                }
            }
        }
    }

    fn written(time: Timestamp, format: &str) -> String {
        zone().local(time).strftime(format).to_string()
    }

    /// With the name of the zone: "Jan 15, 2027, 10:00 UTC" or "Jan 15, 2027, 11:00 (Europe/Berlin)".
    fn with_zone(time: Timestamp, format: &str) -> String {
        let zone = zone();
        let text = written(time, format);
        match zone.is_utc() {
            true => format!("{text} UTC"),
            false => format!("{text} ({zone})"),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

        #[test]
        fn a_time_is_written_in_utc() {
            let text = TimeText::date(NOON);
            assert_eq!(
                (text.iso.as_str(), text.short.as_str(), text.full.as_str()),
                (
                    "2027-01-15T08:00:00.000Z",
                    "Jan 15, 2027",
                    "Jan 15, 2027, 08:00 UTC"
                )
            );
        }

        #[test]
        fn a_time_is_written_in_a_zone_that_the_tooltip_names() {
            let berlin: Zone = "Europe/Berlin".parse().unwrap();
            let text = shown_in(berlin.clone(), || TimeText::exact(NOON));
            assert_eq!(
                (text.iso.as_str(), text.short.as_str(), text.full.as_str()),
                (
                    "2027-01-15T08:00:00.000Z",
                    "Jan\u{a0}15,\u{a0}2027, 09:00:00\u{a0}UTC+1",
                    "Jan 15, 2027, 09:00:00 (Europe/Berlin)"
                )
            );
            shown_in(berlin, || {
                assert_eq!(TimeText::full(NOON).short, "Jan 15, 2027, 09:00 UTC+1");
                assert_eq!(time_of_day(NOON), "09:00:00 UTC+1");
                // 23:30 in Berlin, and an hour later.
                let evening = NOON.plus(14 * HOUR + 30 * MINUTE);
                assert_eq!(date(evening.plus(HOUR)), "Jan 16, 2027");
                assert_eq!(relative(evening, evening.plus(DAY + HOUR)), "2 days ago");
            });
            assert_eq!(time_of_day(NOON), "08:00:00 UTC");
        }

        #[test]
        fn a_period_is_written_with_its_end() {
            assert_eq!(in_days(90, NOON), "In 90 days (Apr 15, 2027)");
            assert_eq!(in_days(365, NOON), "In 1 year (Jan 15, 2028)");
        }

        #[test]
        fn the_last_instant_that_is_stored_has_its_date() {
            let text = TimeText::date(Timestamp::LAST);
            assert_eq!(
                (text.iso.as_str(), text.short.as_str()),
                ("9999-12-31T23:59:59.999Z", "Dec 31, 9999")
            );
        }

        #[test]
        fn the_past_is_told_in_its_largest_unit() {
            let of = |ago: i64| relative(NOON.plus(-ago), NOON);
            assert_eq!(of(-5 * MINUTE), "just now");
            assert_eq!(of(59_999), "just now");
            assert_eq!(of(MINUTE), "1 minute ago");
            assert_eq!(of(HOUR - 1), "59 minutes ago");
            assert_eq!(of(3 * HOUR), "3 hours ago");
            assert_eq!(of(DAY), "yesterday");
            assert_eq!(of(12 * DAY), "12 days ago");
            assert_eq!(of(30 * DAY), "Dec 16, 2026");
            // NOON is at 08:00.
            assert_eq!(of(DAY + 8 * HOUR), "yesterday");
            assert_eq!(of(DAY + 8 * HOUR + 1), "2 days ago");
            assert_eq!(of(47 * HOUR), "2 days ago");
        }
    }
}

#[cfg(feature = "ssr")]
pub use format::{date, in_days, in_zone, shown_in, time_of_day, zone};
