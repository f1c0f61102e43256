//! A process that is frozen or cut off from the database in the middle of a change. On Postgres: with SQLite all processes
//! are on one machine, and the write lock of one that is stopped ends with it.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use latchkey::keys::change_state::disable;
use sqlx::{Connection as _, PgConnection};
use tokio::{
    runtime,
    time::{sleep, timeout},
};

use crate::test_app::TestApp;

/// What the lock on the log is called.
const LOCK: i64 = i64::from_be_bytes(*b"latchkey");

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_that_is_frozen_while_it_holds_the_log_holds_up_a_change_for_a_few_seconds() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let org = app.org("northwind").await;
    let ids = [org.key("One").await.id, org.key("Two").await.id];
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
                let permit = org.permit();
                let changing = tokio::spawn(async move { disable(&engine, &permit, ids[0]).await });
                while !waits.load(Ordering::Acquire) {
                    sleep(Duration::from_millis(5)).await;
                }
                // Frozen: nothing on this runtime goes on.
                thawed.recv().unwrap();
                assert!(changing.await.unwrap().is_err());
            });
        });
        let here = runtime::Handle::current();
        tokio::task::block_in_place(|| {
            here.block_on(async {
                const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event = 'advisory'";
                while app.database.number(WAITING).await == 0 {
                    sleep(Duration::from_millis(5)).await;
                }
                waits.store(true, Ordering::Release);
                sleep(Duration::from_millis(100)).await;
                sqlx::query(sqlx::AssertSqlSafe(unlock))
                    .execute(&mut first)
                    .await
                    .unwrap();
                let changed = timeout(
                    Duration::from_secs(5),
                    disable(&app.engine, &org.permit(), ids[1]),
                )
                .await;
                thaw.send(()).unwrap();
                changed.unwrap().unwrap();
            })
        });
    });
    first.close().await.unwrap();
    app.remove().await;
}
