//! The retention of counts (design §7).

use latchkey::{
    id::KeyId,
    outcome::Outcome,
    time::{DAY, HOUR, MINUTE},
    usage::retention::delete_old,
};

use crate::test_app::{NOON, TestApp, usage::past};

on_both! {
    async fn counts_are_kept_as_long_as_promised_and_no_longer(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        let midnight = NOON.floor(DAY);
        for (table, kept_for) in [("minutes", 48 * HOUR), ("hours", 90 * DAY), ("days", 3 * 365 * DAY)] {
            for (outcome, age) in [(Outcome::Valid, kept_for), (Outcome::RateLimited, kept_for + 1), (Outcome::ExpiredApiKey, 0)] {
                let at = midnight.plus(-age);
                app.clock.advance(at.since(app.clock.now()));
                app.store_past(&[past(org.org.id, key, at, outcome, 1)]).await;
            }
            delete_old(&app.engine).await.unwrap();
            let rest = app.stored(table).await;
            let oldest = rest.iter().map(|count| count.step).min();
            let width = match table { "minutes" => MINUTE, "hours" => HOUR, _ => DAY };
            assert_eq!(oldest, Some((midnight.as_millis() - kept_for) / width), "{table}");
            assert!(rest.iter().any(|count| count.outcome == Outcome::ExpiredApiKey), "{table}");
        }
    }

    async fn many_old_counts_of_many_keys_are_deleted_and_no_other(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut all = Vec::new();
        for number in 0..700_u16 {
            let [high, low] = number.to_be_bytes();
            let key = KeyId::new(0, [high, low, 0, 0, 0, 0, 0, 0, 0, 0]);
            for minutes in [0, 3_000, 3_001, 3_002] {
                all.push(past(org.org.id, key, NOON.plus(-minutes * MINUTE), Outcome::Valid, 1));
            }
        }
        app.clock.advance(-3 * HOUR);
        app.store_past(&all).await;
        assert_eq!(app.stored("minutes").await.len(), 4 * 700);
        app.clock.advance(3 * HOUR);
        delete_old(&app.engine).await.unwrap();
        assert_eq!(app.stored("minutes").await.len(), 700);
        let hours = app.stored("hours").await;
        assert_eq!(hours.iter().map(|count| count.count).sum::<i64>(), 4 * 700);
    }

    async fn batch_numbers_are_kept_for_a_day(app: &TestApp) {
        for (number, age) in [(1, DAY + 1), (2, DAY), (3, 0)] {
            app.database.execute(&format!(
                "INSERT INTO usage_batches (instance, batch, flushed_at) VALUES ('ins', {number}, {})",
                NOON.as_millis() - age
            )).await;
        }
        delete_old(&app.engine).await.unwrap();
        let rest = app.database.texts("SELECT CAST(batch AS TEXT) FROM usage_batches ORDER BY batch").await;
        assert_eq!(rest, ["2", "3"]);
    }
}
