//! Writing counts: each is stored once, whatever happens to a flush.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use latchkey::{
    clock::Clock,
    key::{Environment, settings::SettingsChange, text::PlainKey},
    keys::create::NewKey,
    projects::create as create_project,
    time::{DAY, HOUR, MINUTE},
    usage::flush::flush,
    verify::{Request, verify},
};

use crate::test_app::{NOON, TestApp, org::secret_key, usage::Stored};

on_both! {
    async fn counts_are_stored_by_minute_hour_and_day(app: &TestApp) {
        let key = app.org("northwind").await.key("Production").await;
        for _ in 0..3 {
            app.verify(&key.plain).await;
            app.clock.advance(MINUTE / 2);
        }
        app.verify(&PlainKey::from_presented("lk_sk_live_madeup")).await;
        flush(&app.engine).await.unwrap();
        let mut rows = String::new();
        for (table, width) in [("minutes", MINUTE), ("hours", HOUR), ("days", DAY)] {
            for Stored { class, outcome, step, count, .. } in app.stored(table).await {
                let after = (step * width - NOON.as_millis()) / MINUTE;
                rows += &format!("{table} +{after} min {class} {outcome} {count}\n");
            }
        }
        insta::allow_duplicates! { insta::assert_snapshot!(rows, @r"
        minutes +0 min default VALID 2
        minutes +1 min default VALID 1
        hours +0 min default VALID 3
        days +-720 min default VALID 3
        ") };
    }

    async fn a_count_is_its_keys_and_its_projects_and_its_orgs(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        let new = NewKey { environment: Environment::Test, ..secret_key("Test") };
        let test = org.create_key(new).await.unwrap();
        for key in [&key, &key, &test] {
            app.verify(&key.plain).await;
        }
        flush(&app.engine).await.unwrap();
        let elsewhere = create_project(&app.engine, &org.permit(), &"Elsewhere".parse().unwrap()).await.unwrap();
        org.edit(key.id, SettingsChange { project: Some(elsewhere), ..SettingsChange::default() }).await.unwrap();
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        let rows = app.database.texts(
            "SELECT CAST(usage_subjects.kind AS TEXT) || ' ' || COALESCE(projects.name, keys.name, '') || ' ' || usage_subjects.environment || ' ' \
             || CAST(count AS TEXT) FROM usage_days JOIN usage_subjects ON usage_subjects.id = subject \
             LEFT JOIN projects ON projects.id = ref_id LEFT JOIN keys ON keys.id = ref_id \
             ORDER BY usage_subjects.kind, projects.name, keys.name, usage_subjects.environment"
        ).await;
        assert_eq!(rows, ["0   4", "1 Default live 2", "1 Default test 1", "1 Elsewhere live 1", "2 Production  3", "2 Test  1"]);
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
        app.database.execute("ALTER TABLE usage_days RENAME TO usage_days_away").await;
        flush(&app.engine).await.unwrap_err();
        for _ in 0..2 {
            app.verify(&key.plain).await;
            flush(&app.engine).await.unwrap_err();
        }
        app.database.execute("ALTER TABLE usage_days_away RENAME TO usage_days").await;
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
        assert_eq!(app.stored("minutes").await.len(), 450);
        for table in ["minutes", "hours", "days"] {
            let counts = app.stored(table).await;
            assert_eq!(counts.iter().map(|count| count.count).sum::<i64>(), 450, "{table}");
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
    let minutes = app.stored("minutes").await;
    minutes.iter().map(|minute| minute.count).sum()
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
