use super::*;
use crate::{convention::Convention, time::SentInstant};

fn at(text: &str) -> Timestamp {
    let at: SentInstant = text.parse().unwrap();
    at.timestamp()
}

fn written(at: Timestamp) -> String {
    at.rfc3339().to_string()[..16].replace('T', " ")
}

/// The window of a query, or what is wrong with it.
fn window(query: &str, now: &str) -> Result<Window, String> {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let convention = Convention::built_in("latchkey").unwrap();
    let question = Question::read(&pairs, &convention, Zone::UTC).map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    })?;
    Window::new(&question, at(now), &Kept::default()).map_err(|error| error.to_string())
}

fn line(query: &str, now: &str) -> String {
    match window(query, now) {
        Err(error) => format!("{query}: {error}\n"),
        Ok(window) => format!(
            "{query}: {} × {} in {}, {} to {}\n",
            window.bounds.len() - 1,
            window.step.as_str(),
            window.zone,
            written(window.start()),
            written(window.end()),
        ),
    }
}

#[test]
fn a_period_under_way_is_compared_with_as_much_of_the_one_before() {
    let of = |query: &str, now: &str| {
        let before = window(query, now).unwrap().before.unwrap();
        let whole = before.whole.iter().map(|piece| {
            let table = piece.resolution.table.trim_start_matches("usage_");
            format!("{table} {} to {}", written(piece.from), written(piece.to))
        });
        let parts = before.parts.iter().map(|part| {
            let table = part.step.resolution.table.trim_start_matches("usage_");
            format!(
                "{} s of {table} {}",
                part.length / 1_000,
                written(part.step.from)
            )
        });
        whole.chain(parts).collect::<Vec<_>>().join(", ")
    };
    let now = "2026-11-26T00:20:30Z";
    let all = Range::ALL.map(|range| of(&format!("range={}", range.as_str()), now));
    insta::assert_snapshot!(all.join("\n"), @"
    hours 2026-11-24 01:00 to 2026-11-25 00:00, minutes 2026-11-25 00:00 to 2026-11-25 00:20, 30 s of minutes 2026-11-25 00:20
    days 2026-11-13 00:00 to 2026-11-19 00:00, 1230 s of hours 2026-11-19 00:00
    days 2026-09-28 00:00 to 2026-10-27 00:00, 1230 s of hours 2026-10-27 00:00
    days 2024-12-01 00:00 to 2025-11-26 00:00, 1230 s of days 2025-11-26 00:00
    ");
    assert_eq!(
        of("range=7d&tz=Asia/Kolkata", now),
        "hours 2026-11-12 19:00 to 2026-11-13 00:00, days 2026-11-13 00:00 to 2026-11-19 00:00, 1230 s of hours 2026-11-19 00:00"
    );
    assert_eq!(
        of("from=2026-11-20&to=2026-11-22", now),
        "days 2026-11-18 00:00 to 2026-11-20 00:00"
    );
    assert_eq!(
        of("from=2026-06-01&to=2026-12-01", now),
        "days 2025-12-04 00:00 to 2026-05-31 00:00, 1230 s of days 2026-05-31 00:00"
    );
    assert!(
        of("range=12m", "2028-02-29T12:00:00Z").ends_with(
            "days 2026-03-01 00:00 to 2027-02-28 00:00, 43200 s of days 2027-02-28 00:00"
        )
    );
    let first = window("from=2023-12-01", now).unwrap();
    assert_eq!(first.before, None, "counts that old are not kept");
}

#[test]
fn a_period_has_the_shortest_steps_that_fit_and_are_kept() {
    let now = "2026-11-26T00:20:30Z";
    let queries = [
        "range=24h",
        "range=7d&step=hour",
        "range=7d&tz=Asia/Kolkata",
        "range=30d&tz=America/New_York",
        "range=12m&tz=America/New_York",
        "range=12mo&step=day",
        "from=2026-11-25T20:00:00Z",
        "from=2026-11-25T20:10:20Z&step=hour",
        "from=2026-11-20T20:10:20Z&to=2026-11-20T22:10:20Z",
        "from=2026-11-20&tz=Europe/Berlin",
        "from=2026-11-01&to=2026-11-25&tz=Europe/Berlin",
        "from=2026-10-20&to=2026-10-27&step=day&tz=Europe/Berlin",
        "from=2026-06-01&to=2026-06-03&tz=Europe/Berlin",
        "from=2024-01-01",
        "from=2026-09-10&step=month&tz=Europe/Berlin",
        "from=2026-11-25T20:00&to=2026-11-25T21:30&tz=Europe/Berlin",
    ];
    let lines: String = queries.iter().map(|query| line(query, now)).collect();
    insta::assert_snapshot!(lines, @"
    range=24h: 24 × hour in UTC, 2026-11-25 01:00 to 2026-11-26 01:00
    range=7d&step=hour: 145 × hour in UTC, 2026-11-20 00:00 to 2026-11-26 01:00
    range=7d&tz=Asia/Kolkata: 7 × day in Asia/Kolkata, 2026-11-19 19:00 to 2026-11-26 19:00
    range=30d&tz=America/New_York: 30 × day in America/New_York, 2026-10-27 04:00 to 2026-11-26 05:00
    range=12m&tz=America/New_York: 12 × month in UTC, 2025-12-01 00:00 to 2026-12-01 00:00
    range=12mo&step=day: 361 × day in UTC, 2025-12-01 00:00 to 2026-11-27 00:00
    from=2026-11-25T20:00:00Z: 261 × minute in UTC, 2026-11-25 20:00 to 2026-11-26 00:21
    from=2026-11-25T20:10:20Z&step=hour: 5 × hour in UTC, 2026-11-25 20:10 to 2026-11-26 00:21
    from=2026-11-20T20:10:20Z&to=2026-11-20T22:10:20Z: 3 × hour in UTC, 2026-11-20 20:00 to 2026-11-20 23:00
    from=2026-11-20&tz=Europe/Berlin: 146 × hour in Europe/Berlin, 2026-11-19 23:00 to 2026-11-26 00:21
    from=2026-11-01&to=2026-11-25&tz=Europe/Berlin: 24 × day in Europe/Berlin, 2026-10-31 23:00 to 2026-11-24 23:00
    from=2026-10-20&to=2026-10-27&step=day&tz=Europe/Berlin: 7 × day in Europe/Berlin, 2026-10-19 22:00 to 2026-10-26 23:00
    from=2026-06-01&to=2026-06-03&tz=Europe/Berlin: 2 × day in UTC, 2026-06-01 00:00 to 2026-06-03 00:00
    from=2024-01-01: 35 × month in UTC, 2024-01-01 00:00 to 2026-11-26 00:21
    from=2026-09-10&step=month&tz=Europe/Berlin: 3 × month in UTC, 2026-09-10 00:00 to 2026-11-26 00:21
    from=2026-11-25T20:00&to=2026-11-25T21:30&tz=Europe/Berlin: 90 × minute in Europe/Berlin, 2026-11-25 19:00 to 2026-11-25 20:30
    ");
}

#[test]
fn without_an_end_the_minute_under_way_counts() {
    let end = |now: &str| written(window("from=2026-11-20", now).unwrap().end());
    assert_eq!(end("2026-11-21T12:00:00Z"), "2026-11-21 12:01");
    assert_eq!(end("2026-11-21T12:00:59.999Z"), "2026-11-21 12:01");
}

#[test]
fn a_period_ends_with_the_step_under_way() {
    let of = |query: &str| {
        let nows = [
            "2026-11-26T23:59:59.999Z",
            "2026-11-27T00:00:00Z",
            "2026-12-11T00:00:00Z",
        ];
        nows.map(|now| line(query, now)).concat()
    };
    let queries = [
        "from=2026-11-20&to=2026-12-11",
        "from=2026-11-20&to=2026-12-11&step=hour",
        "from=2026-11-20&to=2026-12-11&tz=America/New_York",
        "from=2026-11-20&to=2999-01-01",
        "from=2026-11-26T23:00:00Z&to=2026-11-27T01:30:00Z",
    ];
    insta::assert_snapshot!(queries.map(of).concat(), @"
    from=2026-11-20&to=2026-12-11: 7 × day in UTC, 2026-11-20 00:00 to 2026-11-27 00:00
    from=2026-11-20&to=2026-12-11: 8 × day in UTC, 2026-11-20 00:00 to 2026-11-28 00:00
    from=2026-11-20&to=2026-12-11: 21 × day in UTC, 2026-11-20 00:00 to 2026-12-11 00:00
    from=2026-11-20&to=2026-12-11&step=hour: 168 × hour in UTC, 2026-11-20 00:00 to 2026-11-27 00:00
    from=2026-11-20&to=2026-12-11&step=hour: 169 × hour in UTC, 2026-11-20 00:00 to 2026-11-27 01:00
    from=2026-11-20&to=2026-12-11&step=hour: step gives more than 400 steps. Choose a longer `step`, or less time
    from=2026-11-20&to=2026-12-11&tz=America/New_York: 7 × day in America/New_York, 2026-11-20 05:00 to 2026-11-27 05:00
    from=2026-11-20&to=2026-12-11&tz=America/New_York: 7 × day in America/New_York, 2026-11-20 05:00 to 2026-11-27 05:00
    from=2026-11-20&to=2026-12-11&tz=America/New_York: 21 × day in America/New_York, 2026-11-20 05:00 to 2026-12-11 05:00
    from=2026-11-20&to=2999-01-01: 168 × hour in UTC, 2026-11-20 00:00 to 2026-11-27 00:00
    from=2026-11-20&to=2999-01-01: 169 × hour in UTC, 2026-11-20 00:00 to 2026-11-27 01:00
    from=2026-11-20&to=2999-01-01: 22 × day in UTC, 2026-11-20 00:00 to 2026-12-12 00:00
    from=2026-11-26T23:00:00Z&to=2026-11-27T01:30:00Z: 60 × minute in UTC, 2026-11-26 23:00 to 2026-11-27 00:00
    from=2026-11-26T23:00:00Z&to=2026-11-27T01:30:00Z: 61 × minute in UTC, 2026-11-26 23:00 to 2026-11-27 00:01
    from=2026-11-26T23:00:00Z&to=2026-11-27T01:30:00Z: 3 × hour in UTC, 2026-11-26 23:00 to 2026-11-27 02:00
    ");
}

#[test]
fn what_cannot_be_answered_is_an_error_that_says_what_can() {
    let now = "2026-11-26T00:20:30Z";
    let queries = [
        "range=1y",
        "range=7d&range=30d",
        "range=7d&from=2026-11-01",
        "to=2026-11-01",
        "from=yesterday",
        "from=2026-12-01",
        "from=2026-11-20&to=2026-11-20",
        "from=2023-11-01",
        "range=24h&step=minute",
        "range=30d&step=hour",
        "range=7d&step=minute",
        "range=12m&step=hour",
        "step=week",
        "tz=Mars/Base",
        "key=1&agent=2&project=3",
        "environment=prod&kind=s&class=none",
    ];
    let lines: String = queries.iter().map(|query| line(query, now)).collect();
    insta::assert_snapshot!(lines, @"
    range=1y: range must be one of `24h`, `7d`, `30d`, `12m`
    range=7d&range=30d: range appears twice. Send it once.
    range=7d&from=2026-11-01: range cannot be combined with `from` and `to`. Send one or the other.
    to=2026-11-01: to needs `from`, too
    from=yesterday: from must be a date, such as `2026-11-21`, or a time (RFC 3339), such as `2026-11-21T12:00:00Z`
    from=2026-12-01: from must be in the past
    from=2026-11-20&to=2026-11-20: to must be later than `from`
    from=2023-11-01: from must be 2023-11-28 or later. Older counts are not kept
    range=24h&step=minute: step gives more than 400 steps. Choose a longer `step`, or less time
    range=30d&step=hour: step gives more than 400 steps. Choose a longer `step`, or less time
    range=7d&step=minute: step can be `minute` only if `from` is in the last 48 hours: older counts are not kept by the minute
    range=12m&step=hour: step can be `hour` only if `from` is in the last 90 days: older counts are not kept by the hour
    step=week: step must be one of `minute`, `hour`, `day`, `month`
    tz=Mars/Base: tz must be the name of a time zone, such as `UTC` or `Europe/Berlin`
    key=1&agent=2&project=3: key must be the ID of a key, such as `key_01…`; agent must be the public ID of an agent: `agt_` and 22 letters and digits; project must be the ID of a project, such as `prj_01…`
    environment=prod&kind=s&class=none: environment must be one of `live`, `test`; kind must be one of `secret`, `widget`, `agent`; class must be one of `default`
    ");
}

#[test]
fn days_follow_the_clock_of_their_zone() {
    // On October 25, clocks in Berlin go back.
    let window = window(
        "from=2026-10-24&to=2026-10-27&step=day&tz=Europe/Berlin",
        "2026-11-26T00:00:00Z",
    )
    .unwrap();
    let bounds: Vec<String> = window.bounds.iter().map(|bound| written(*bound)).collect();
    assert_eq!(
        bounds,
        [
            "2026-10-23 22:00",
            "2026-10-24 22:00",
            "2026-10-25 23:00",
            "2026-10-26 23:00"
        ]
    );
}

#[test]
fn a_step_that_has_not_ended_counts_by_its_share() {
    let before = window("range=7d", "2026-11-26T10:15:00Z")
        .unwrap()
        .before
        .unwrap();
    let [part] = before.parts[..] else {
        panic!("{before:?}");
    };
    assert_eq!(part.step.from, at("2026-11-19T10:00:00Z"));
    assert_eq!(part.share(10), 2);
    assert_eq!(part.share(i64::MAX), i64::MAX / 4);
}
