//! The retention of counts (design §7).

use latchkey::{
    time::{DAY, HOUR},
    usage::retention::delete_old,
};

use crate::test_app::{NOON, TestApp};

on_both! {
    async fn counts_are_kept_as_long_as_promised_and_no_longer(app: &TestApp) {
        let ages = [("minute", 48 * HOUR), ("hour", 90 * DAY), ("day", 3 * 365 * DAY)];
        for (resolution, kept_for) in ages {
            for (outcome, age) in [("VALID", kept_for), ("RATE_LIMITED", kept_for + 1), ("EXPIRED_API_KEY", 0)] {
                app.database.execute(&format!(
                    "INSERT INTO usage_counts (org_id, resolution, starts_at, key_id, class, outcome, count) \
                     VALUES ('org', '{resolution}', {}, 'key', 'default', '{outcome}', 1)",
                    NOON.as_millis() - age
                )).await;
            }
        }
        delete_old(&app.engine).await.unwrap();
        let rest = app.database.texts("SELECT resolution || ' ' || outcome FROM usage_counts ORDER BY 1").await;
        assert_eq!(rest, [
            "day EXPIRED_API_KEY", "day VALID", "hour EXPIRED_API_KEY", "hour VALID", "minute EXPIRED_API_KEY",
            "minute VALID",
        ]);
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
