//! A process that is frozen or cut off from the database during a change. Only on Postgres: with SQLite, all processes
//! are on one machine, and the write lock of a process ends with it.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use futures_util::future::join_all;
use latchkey::keys::change_state::disable;
use sqlx::{Connection as _, PgConnection};
use tokio::{
    runtime,
    time::{sleep, timeout},
};

use crate::test_app::TestApp;

/// The ID of the lock on the log.
const LOCK: i64 = i64::from_be_bytes(*b"latchkey");

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_that_is_frozen_while_it_holds_the_log_holds_up_a_change_for_a_few_seconds() {
    frozen_with_changes(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_is_frozen_with_many_changes_under_way_holds_up_a_change_no_longer() {
    frozen_with_changes(12).await;
}

async fn frozen_with_changes(count: usize) {
    let app = TestApp::on_postgres_under("latchkey").await;
    let org = app.org("northwind").await;
    let mut ids = Vec::new();
    for number in 0..count + 4 {
        ids.push(org.key(&format!("Key {number}")).await.id);
    }
    let others = ids.split_off(count);
    let mut first = PgConnection::connect(&app.database.url()).await.unwrap();
    let lock = format!("SELECT pg_advisory_lock({LOCK})");
    let unlock = format!("SELECT pg_advisory_unlock({LOCK})");
    sqlx::query(sqlx::AssertSqlSafe(lock))
        .execute(&mut first)
        .await
        .unwrap();
    let waits = AtomicBool::new(false);
    let (thaw, thawed) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (app, org, waits) = (&app, &org, &waits);
        scope.spawn(move || {
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let engine = app.another_engine(|_| {}).await;
                let changing: Vec<_> = ids
                    .into_iter()
                    .map(|id| {
                        let (engine, permit) = (engine.clone(), org.permit());
                        tokio::spawn(async move { disable(&engine, &permit, id).await })
                    })
                    .collect();
                while !waits.load(Ordering::Acquire) {
                    sleep(Duration::from_millis(5)).await;
                }
                // Frozen: nothing on this runtime continues.
                thawed.recv().unwrap();
                for changing in changing {
                    assert!(changing.await.unwrap().is_err());
                }
            });
        });
        let here = runtime::Handle::current();
        tokio::task::block_in_place(|| {
            here.block_on(async {
                const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event = 'advisory'";
                const LOCKED: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()";
                while app.database.number(WAITING).await == 0
                    || app.database.number(LOCKED).await < count as i64
                {
                    sleep(Duration::from_millis(5)).await;
                }
                waits.store(true, Ordering::Release);
                sleep(Duration::from_millis(100)).await;
                sqlx::query(sqlx::AssertSqlSafe(unlock))
                    .execute(&mut first)
                    .await
                    .unwrap();
                let permit = org.permit();
                let changing = others.iter().map(|id| disable(&app.engine, &permit, *id));
                let changed = timeout(Duration::from_secs(5), join_all(changing)).await;
                thaw.send(()).unwrap();
                for changed in changed.unwrap() {
                    changed.unwrap();
                }
            })
        });
    });
    first.close().await.unwrap();
    app.remove().await;
}
