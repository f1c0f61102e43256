//! Counts are those of the clients when the database is away for minutes, and when the clock is set.

use std::collections::BTreeMap;

use latchkey::{
    key::settings::SettingsChange,
    outcome::Outcome,
    time::{DAY, HOUR, MINUTE},
    usage::{flush::flush, roll::roll},
    verify::Request,
};

use crate::test_app::{NOON, TestApp};

const SECOND: i64 = 1_000;

on_both! {
    async fn ten_minutes_without_the_database_lose_no_count_and_keep_the_memory_small(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut keys = Vec::new();
        for name in ["One", "Two", "Three"] {
            let key = org.key(name).await;
            let scopes = vec!["bots:read".parse().unwrap()];
            org.edit(key.id, SettingsChange { scopes: Some(scopes), ..SettingsChange::default() }).await.unwrap();
            keys.push(key);
        }
        let missing = ["bots:write".parse().unwrap()];
        // Key, outcome and minute.
        let mut own: BTreeMap<(String, Outcome, i64), i64> = BTreeMap::new();
        app.verify(&keys[0].plain).await;
        own.insert((keys[0].id.to_string(), Outcome::Valid, NOON.as_millis() / MINUTE), 1);
        flush(&app.engine).await.unwrap();
        app.database.execute("ALTER TABLE usage_batches RENAME TO usage_batches_away").await;
        let mut most = 0;
        for step in 0..120 {
            app.clock.advance(5 * SECOND);
            for key in &keys[..1 + step % 3] {
                for scopes in [&[][..], &missing] {
                    let answer = app.ask(&Request { key: Some(&key.plain), scopes, ..Request::default() }).await;
                    let place = (key.id.to_string(), answer.outcome, app.clock.now().as_millis() / MINUTE);
                    *own.entry(place).or_default() += 1;
                }
            }
            flush(&app.engine).await.unwrap_err();
            most = most.max(app.engine.usage_waiting());
        }
        // A count for each key, outcome and minute that has begun.
        assert!((6 * 10..=6 * 11 + 2).contains(&most), "{most}");
        app.database.execute("ALTER TABLE usage_batches_away RENAME TO usage_batches").await;
        flush(&app.engine).await.unwrap();
        assert_eq!(app.engine.usage_waiting(), 0);
        let stored = app.stored("minutes").await;
        let stored: BTreeMap<_, _> = stored.into_iter().map(|row| ((row.id, row.outcome, row.step), row.count)).collect();
        assert_eq!(stored, own);
        let batches = app.database.texts("SELECT CAST(batch AS TEXT) FROM usage_batches ORDER BY batch").await;
        let in_order: Vec<String> = (1..=batches.len()).map(|number| number.to_string()).collect();
        assert_eq!(batches, in_order);
        assert_eq!(org.summary(keys[0].id).await.last_used_at, Some(app.clock.now()));
        let last_of_three = NOON.plus(120 * 5 * SECOND);
        assert_eq!(org.summary(keys[2].id).await.last_used_at, Some(last_of_three));
    }

    async fn a_clock_that_is_set_loses_no_count(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        // Back by an hour, then forward by three days, then right again. Each time, the next flush is on the other side.
        for (moved, requests) in [(0, 1), (-HOUR, 2), (3 * DAY + HOUR, 4), (-3 * DAY, 8)] {
            app.clock.advance(moved);
            for _ in 0..requests {
                assert_eq!(app.verify(&key.plain).await.outcome, Outcome::Valid);
            }
            if moved <= 0 {
                flush(&app.engine).await.unwrap();
                roll(&app.engine).await.unwrap();
            }
        }
        assert_eq!(app.clock.now(), NOON);
        for table in ["hours", "days"] {
            let sum: i64 = app.stored(table).await.iter().map(|row| row.count).sum();
            assert_eq!(sum, 1 + 2 + 4 + 8, "{table}");
        }
        app.clock.advance(3 * DAY);
        roll(&app.engine).await.unwrap();
        let sums = "SELECT CAST(m12 AS TEXT) FROM usage_totals ORDER BY kind";
        assert_eq!(app.database.texts(sums).await, ["15", "15", "15"]);
        assert_eq!(org.summary(key.id).await.last_used_at, Some(NOON.plus(3 * DAY)));
    }
}
