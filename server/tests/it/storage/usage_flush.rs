//! Writing counts: each is stored once, whatever happens to a flush.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use latchkey::{
    clock::Clock,
    key::text::PlainKey,
    time::{HOUR, MINUTE},
    usage::flush::flush,
    verify::{Request, verify},
};

use crate::test_app::{NOON, TestApp};

on_both! {
    async fn counts_are_stored_by_minute_hour_and_day(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        for _ in 0..3 {
            app.verify(&key.plain).await;
            app.clock.advance(MINUTE / 2);
        }
        app.verify(&PlainKey::from_presented("lk_sk_live_madeup")).await;
        flush(&app.engine).await.unwrap();
        let rows = app.database.texts(&format!(
            "SELECT resolution || ' +' || CAST((starts_at - {}) / 60000 AS TEXT) || ' min ' || class || ' ' || outcome \
             || ' ' || CAST(count AS TEXT) FROM usage_counts ORDER BY resolution DESC, starts_at",
            NOON.as_millis()
        )).await;
        insta::allow_duplicates! { insta::assert_snapshot!(rows.join("\n"), @r"
        minute +0 min default VALID 2
        minute +1 min default VALID 1
        hour +0 min default VALID 3
        day +-720 min default VALID 3
        ") };
    }

    async fn a_flush_of_nothing_stores_nothing(app: &TestApp) {
        flush(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM usage_batches").await, 0);
    }

    async fn a_second_flush_adds_nothing(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        flush(&app.engine).await.unwrap();
        assert_eq!(stored(app).await, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM usage_batches").await, 1);
    }

    async fn what_a_failed_flush_left_is_stored_once_by_the_next(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        app.verify(&key.plain).await;
        app.database.execute("ALTER TABLE usage_counts RENAME TO usage_counts_away").await;
        flush(&app.engine).await.unwrap_err();
        for _ in 0..2 {
            app.verify(&key.plain).await;
            flush(&app.engine).await.unwrap_err();
        }
        app.database.execute("ALTER TABLE usage_counts_away RENAME TO usage_counts").await;
        assert_eq!(stored(app).await, 0);
        flush(&app.engine).await.unwrap();
        assert_eq!(stored(app).await, 3);
        flush(&app.engine).await.unwrap();
        assert_eq!(stored(app).await, 3);
    }

    async fn a_flush_that_is_cut_off_anywhere_neither_loses_nor_doubles(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        let mut finished = 0;
        let rounds = 60;
        for polls in 0..rounds {
            app.verify(&key.plain).await;
            if poll_at_most(polls, flush(&app.engine)).await {
                finished += 1;
            }
        }
        assert!((1..rounds).contains(&finished), "some flushes were cut off and some were not: {finished}");
        flush(&app.engine).await.unwrap();
        assert_eq!(stored(app).await, i64::from(rounds));
    }

    async fn a_batch_of_many_minutes_is_stored_whole(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        for _ in 0..450 {
            app.verify(&key.plain).await;
            app.clock.advance(MINUTE);
        }
        flush(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM usage_counts WHERE resolution = 'minute'").await, 450);
        for resolution in ["minute", "hour", "day"] {
            let sql = format!("SELECT CAST(SUM(count) AS BIGINT) FROM usage_counts WHERE resolution = '{resolution}'");
            assert_eq!(app.database.number(&sql).await, 450, "{resolution}");
        }
    }

    async fn last_used_moves_forward_only(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        let ahead = app.another_engine(|settings| settings.clock = Clock::manual(NOON.plus(HOUR))).await;
        let request = Request { key: Some(&key.plain), ..Request::default() };
        verify(&ahead, &request).await.unwrap();
        app.verify(&key.plain).await;
        flush(&ahead).await.unwrap();
        assert_eq!(org.summary(key.id).await.last_used_at, Some(NOON.plus(HOUR)));
        flush(&app.engine).await.unwrap();
        assert_eq!(org.summary(key.id).await.last_used_at, Some(NOON.plus(HOUR)));
        assert_eq!(stored(app).await, 2, "the requests of both instances count");
        assert_eq!(
            app.database.number("SELECT last_used_at FROM key_secrets").await,
            NOON.plus(HOUR).as_millis(),
            "the secret's last use is updated too"
        );
    }

    async fn a_refused_request_is_no_use_of_a_key_and_no_other_key_is_touched(app: &TestApp) {
        let org = app.org("northwind").await;
        let (used, refused) = (org.key("Used").await, org.key("Refused").await);
        app.verify(&used.plain).await;
        app.ask(&Request { key: Some(&refused.plain), agent: Some("agt_1"), ..Request::default() }).await;
        flush(&app.engine).await.unwrap();
        assert_eq!(org.summary(used.id).await.last_used_at, Some(NOON));
        assert_eq!(org.summary(refused.id).await.last_used_at, None);
    }

    async fn counts_of_a_key_that_was_deleted_meanwhile_keep_no_other_from_being_stored(app: &TestApp) {
        let org = app.org("northwind").await;
        let (gone, stays) = (org.key("Gone").await, org.key("Stays").await);
        app.verify(&gone.plain).await;
        app.verify(&stays.plain).await;
        app.database.execute(&format!("DELETE FROM keys WHERE id = '{}'", gone.id)).await;
        flush(&app.engine).await.unwrap();
        assert_eq!(stored(app).await, 2);
        assert_eq!(org.summary(stays.id).await.last_used_at, Some(NOON));
    }
}

/// The number of stored requests.
async fn stored(app: &TestApp) -> i64 {
    app.database
        .number("SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) FROM usage_counts WHERE resolution = 'minute'")
        .await
}

/// Polls a future at most this many times. Returns whether it finished.
async fn poll_at_most<T>(polls: u32, future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left > 0 && future.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        left = left.saturating_sub(1);
        if left == 0 {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    })
    .await
}
