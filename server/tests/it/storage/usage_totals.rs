//! The sliding sums of usage: at any time, they equal what the stored counts add up to.

use std::{collections::BTreeMap, sync::Arc};

use jiff::ToSpan;
use latchkey::{
    Engine,
    access::Operator,
    clock::Clock,
    id::KeyId,
    outcome::Outcome,
    random::Randomness,
    time::{DAY, HOUR, MINUTE, SECOND, Timestamp},
    usage::{
        flush::flush,
        past::{self, Past},
        range::Range,
        retention::delete_old,
        roll::roll,
    },
    verify::{Request, verify},
};

use crate::test_app::{NOON, TestApp, TestOrg, usage::past};

const OUTCOMES: [Outcome; 3] = [
    Outcome::Valid,
    Outcome::RateLimited,
    Outcome::OriginNotAllowed,
];

on_both! {
    async fn they_equal_the_counts_after_any_flushes_and_any_moves_of_the_clock(app: &TestApp) {
        let org = app.org("northwind").await;
        let random = Randomness::seeded(13);
        for round in 0..40 {
            let counts: Vec<Past> = (0..1 + below(&random, 29)).map(|_| any_count(app, &org, &random)).collect();
            store(&app.engine, &counts).await;
            exact(app, round).await;
            let moved = [1, MINUTE, HOUR, 5 * HOUR, DAY, 8 * DAY, 31 * DAY, 200 * DAY][below(&random, 8) as usize];
            app.clock.advance(moved + below(&random, HOUR));
            // Late: counted before the clock moved.
            store(&app.engine, &counts).await;
            exact_after_rolling(app, round).await;
        }
    }

    async fn the_ends_of_hours_days_months_and_years_move_what_ends_with_them(app: &TestApp) {
        let org = app.org("northwind").await;
        app.set_time("2028-01-31T23:30:00Z");
        let key = key(1);
        let hours = (0..800 * 24).step_by(7).map(|hour| {
            past(org.org.id, key, app.clock.now().plus(-hour * HOUR), OUTCOMES[hour as usize % 3], 1 + hour % 5)
        });
        store(&app.engine, &hours.collect::<Vec<_>>()).await;
        for time in [
            "2028-01-31T23:59:59.999Z", "2028-02-01T00:00:00Z", "2028-02-01T01:00:00Z", "2028-02-29T00:00:00Z",
            "2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z", "2028-12-31T23:59:59Z", "2029-01-01T00:00:00Z",
        ] {
            app.set_time(time);
            exact_after_rolling(app, time).await;
        }
        app.set_time("2031-01-01T00:00:00Z");
        roll(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM usage_totals").await, 0, "nothing is left of two years");
    }

    async fn a_batch_that_is_hours_late_counts_where_it_belongs(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        app.verify(&key.plain).await;
        app.clock.advance(30 * HOUR);
        roll(&app.engine).await.unwrap();
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        exact(app, "without moving it again").await;
        let sums = "SELECT CAST(h24 AS TEXT) || ' ' || CAST(h48 AS TEXT) || ' ' || CAST(d7 AS TEXT) FROM usage_totals WHERE kind = 2";
        assert_eq!(app.database.texts(sums).await, ["1 3 3"]);
    }

    async fn an_instance_that_was_stopped_for_long_catches_up(app: &TestApp) {
        let org = app.org("northwind").await;
        let counts: Vec<Past> = (0..250).map(|number| {
            past(org.org.id, key(number), NOON.plus(-i64::from(number) * HOUR), Outcome::Valid, 3)
        }).collect();
        store(&app.engine, &counts).await;
        app.clock.advance(100 * DAY);
        let later = app.another_engine(|_| ()).await;
        store(&later, &counts[..50]).await;
        // Counts per hour are deleted, but not before the sums no longer need them.
        delete_old(&later).await.unwrap();
        assert!(app.stored("hours").await.is_empty());
        exact(app, "after 100 days").await;
    }

    async fn instances_whose_clocks_differ_agree_at_the_end(app: &TestApp) {
        let org = app.org("northwind").await;
        let one = app.org("contoso").await.key("Other").await;
        app.set_time("2026-11-21T12:59:58Z");
        let behind = app.another_engine(|settings| {
            settings.clock = Clock::manual(app.clock.now().plus(-10 * SECOND));
        }).await;
        let leaving = app.clock.now().plus(-23 * HOUR);
        let late = |number| past(org.org.id, key(number), leaving, Outcome::Valid, 5);
        store(&app.engine, &[late(1), late(2)]).await;
        exact(app, "before the hour ends").await;
        // The hour ends for one of them.
        app.clock.advance(5 * SECOND);
        roll(&app.engine).await.unwrap();
        store(&behind, &[late(1), late(3)]).await;
        verify(&behind, &Request { key: Some(&one.plain), ..Request::default() }).await.unwrap();
        flush(&behind).await.unwrap();
        roll(&behind).await.unwrap();
        behind.clock().advance(10 * SECOND);
        exact_after_rolling(app, "in the next hour").await;
        roll(&behind).await.unwrap();
        exact(app, "whoever moves them").await;
    }

    async fn a_clock_that_is_set_forward_and_back_loses_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        store(&app.engine, &[past(org.org.id, key(1), NOON, Outcome::Valid, 7), past(org.org.id, key(2), NOON, Outcome::Valid, 1)]).await;
        app.clock.advance(400 * DAY);
        roll(&app.engine).await.unwrap();
        app.clock.advance(-400 * DAY);
        store(&app.engine, &[past(org.org.id, key(1), NOON, Outcome::Valid, 2)]).await;
        exact_after_rolling(app, "as if it had not happened").await;
    }

    async fn flushes_and_moves_at_the_same_time_lose_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let random = Randomness::seeded(7);
        for round in 0..4 {
            let mut tasks = Vec::new();
            for _ in 0..3 {
                let engine = app.another_engine(|_| ()).await;
                let batches: Vec<Vec<Past>> = (0..15)
                    .map(|_| (0..40).map(|_| any_count(app, &org, &random)).collect())
                    .collect();
                tasks.push(tokio::spawn(async move {
                    for batch in batches {
                        store_until_it_works(&engine, &batch).await;
                    }
                    engine.db().close().await;
                }));
                let engine = Arc::clone(&app.engine);
                tasks.push(tokio::spawn(async move {
                    for _ in 0..10 {
                        roll(&engine).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                }));
                app.clock.advance(HOUR);
            }
            for task in tasks {
                task.await.unwrap();
            }
            app.clock.advance(10 * DAY + HOUR);
            exact_after_rolling(app, round).await;
        }
        let stored = app.database.number("SELECT CAST(SUM(count) AS BIGINT) FROM usage_days JOIN usage_subjects ON id = subject WHERE kind = 0").await;
        let of_keys: i64 = app.stored("days").await.iter().map(|day| day.count).sum();
        assert_eq!(stored, of_keys, "an org has what its keys have");
    }
}

fn key(number: u8) -> KeyId {
    KeyId::new(0, [number; 10])
}

/// A number below `max`, at random.
fn below(random: &Randomness, max: i64) -> i64 {
    i64::from_le_bytes(random.bytes().unwrap()).rem_euclid(max)
}

fn any_count(app: &TestApp, org: &TestOrg, random: &Randomness) -> Past<'static> {
    let age = [HOUR, 3 * DAY, 40 * DAY, 500 * DAY, 900 * DAY][below(random, 5) as usize];
    let at = app.clock.now().plus(-below(random, age));
    let outcome = OUTCOMES[below(random, 3) as usize];
    past(
        org.org.id,
        key(below(random, 8) as u8),
        at,
        outcome,
        1 + below(random, 4),
    )
}

async fn store(engine: &Engine, counts: &[Past<'_>]) {
    past::store(engine, &Operator::at_the_command_line(), counts)
        .await
        .unwrap();
}

/// As a flush, which is tried again: on Postgres, counts in no particular order can make two instances wait for each other.
async fn store_until_it_works(engine: &Engine, counts: &[Past<'_>]) {
    let operator = Operator::at_the_command_line();
    for _ in 0..10 {
        if past::store(engine, &operator, counts).await.is_ok() {
            return;
        }
    }
    panic!("stored in none of ten tries");
}

async fn exact_after_rolling(app: &TestApp, when: impl std::fmt::Debug) {
    roll(&app.engine).await.unwrap();
    exact(app, when).await;
}

/// Panics unless each row has the sums of the stored counts, and each subject with counts has a row.
async fn exact(app: &TestApp, when: impl std::fmt::Debug) {
    let now = app.clock.now();
    let starts = starts(now);
    let mut expected: BTreeMap<String, [i64; 8]> = BTreeMap::new();
    for (table, width, periods) in [("hours", HOUR, 0..2), ("days", DAY, 2..8)] {
        let sql = format!(
            "SELECT CAST(subject AS TEXT) || ' ' || CAST(class AS TEXT) || ' ' || CAST(outcome AS TEXT) || '|' \
             || CAST(starts_at AS TEXT) || '|' || CAST(count AS TEXT) FROM usage_{table}"
        );
        for row in app.database.texts(&sql).await {
            let parts: Vec<&str> = row.split('|').collect();
            let (at, count) = (
                parts[1].parse::<i64>().unwrap() * width,
                parts[2].parse::<i64>().unwrap(),
            );
            let sums = expected.entry(parts[0].to_owned()).or_default();
            for period in periods.clone() {
                if at >= starts[period].as_millis() {
                    sums[period] += count;
                }
            }
        }
    }
    expected.retain(|_, sums| sums.iter().any(|sum| *sum > 0));
    let columns: Vec<String> = ["h24", "h48", "d7", "d14", "d30", "d60", "m12", "m24"]
        .iter()
        .map(|column| format!("CAST({column} AS TEXT)"))
        .collect();
    let sql = format!(
        "SELECT CAST(subject AS TEXT) || ' ' || CAST(class AS TEXT) || ' ' || CAST(outcome AS TEXT) || '|' || {} FROM usage_totals",
        columns.join(" || ' ' || ")
    );
    let mut found = BTreeMap::new();
    for row in app.database.texts(&sql).await {
        let (place, sums) = row.split_once('|').unwrap();
        let sums: Vec<i64> = sums
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        found.insert(place.to_owned(), <[i64; 8]>::try_from(sums).unwrap());
    }
    assert_eq!(found, expected, "{when:?} at {}", now.rfc3339());
    assert!(Range::ALL.len() * 2 == starts.len());
}

/// The starts of the periods, computed from the calendar.
fn starts(now: Timestamp) -> [Timestamp; 8] {
    let hour = now.floor(HOUR);
    let today = now.floor(DAY);
    let month = now.utc().date().first_of_month();
    let months = |count: i64| {
        let start = month.checked_sub(count.months()).unwrap();
        let start = start.to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        Timestamp::from_millis(start.timestamp().as_millisecond())
    };
    [
        hour.plus(-23 * HOUR),
        hour.plus(-47 * HOUR),
        today.plus(-6 * DAY),
        today.plus(-13 * DAY),
        today.plus(-29 * DAY),
        today.plus(-59 * DAY),
        months(11),
        months(23),
    ]
}
