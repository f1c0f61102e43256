//! Measures a flush of many active keys. Run it with `-- --ignored usage_speed --nocapture --test-threads 1`.

use std::{sync::Arc, time::Duration};

use latchkey::{
    Engine,
    key::text::PlainKey,
    keys::import::{Format, import},
    limits::Limits,
    time::MINUTE,
    usage::flush::flush,
    verify::{Request, verify},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::test_app::{Database, TestApp, TestOrg};

const KEYS: usize = 100_000;
/// The tables that a flush writes: those of counts, and the last uses of keys and their secrets. With the columns that
/// identify a row, and those that are written.
const TABLES: [(&str, &str, &str); 6] = [
    ("keys", "id", "last_used_at"),
    ("key_secrets", "id", "last_used_at"),
    (
        "usage_minutes",
        "subject, starts_at, class, outcome",
        "count",
    ),
    ("usage_hours", "subject, starts_at, class, outcome", "count"),
    ("usage_days", "subject, starts_at, class, outcome", "count"),
    (
        "usage_totals",
        "org, kind, subject, class, outcome",
        "rolled_to, h24, h48, d7, d14, d30, d60, m12, m24",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes"]
async fn a_flush_of_100_000_active_keys_on_sqlite() {
    measure(TestApp::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes"]
async fn a_flush_of_100_000_active_keys_on_postgres() {
    measure(TestApp::on_postgres_under("latchkey").await).await;
}

async fn measure(app: TestApp) {
    let engine = app
        .another_engine(|settings| {
            settings.cached_keys = 2 * KEYS;
            settings.limits = Limits {
                keys: 1_000_000,
                ..Limits::default()
            };
        })
        .await;
    let org = TestOrg::make(&engine, "northwind").await;
    let mut plain = Vec::new();
    for first in (0..KEYS).step_by(10_000) {
        let texts = (first..first + 10_000).map(|number| format!("imported-{number:06}"));
        let entries = texts.clone().map(|text| {
            let digest: String = Sha256::digest(&text)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            json!({"name": text, "sha256": digest})
        });
        let text = json!(entries.collect::<Vec<_>>()).to_string();
        let report = import(&engine, &org.permit(), Format::Json, &text, false).await;
        assert!(report.unwrap().imported);
        plain.extend(texts.map(PlainKey::from_presented));
    }
    latchkey::imports::refresh(&engine).await.unwrap();
    let plain = Arc::new(plain);
    let mut seconds = Vec::new();
    for round in 0..4 {
        use_all(&engine, &plain).await;
        assert_eq!(engine.usage_waiting(), KEYS);
        let (_, took) = timed(flush(&engine)).await;
        println!("round {round}: a flush of {KEYS} keys took {took:?}");
        seconds.push(took);
        engine
            .clock()
            .advance(if round == 1 { 60 * MINUTE } else { MINUTE });
    }
    // The rows of the last round: of its minute, hour and day, and the sums.
    let ratio = bare(&app, seconds[3]).await;
    println!("bare ÷ flush: {ratio:.2} (goal: at least 0.5)");
    engine.db().close().await;
    app.remove().await;
}

#[expect(clippy::disallowed_methods, reason = "measures real time")]
async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let start = std::time::Instant::now();
    let result = future.await;
    (result, start.elapsed())
}

async fn use_all(engine: &Arc<Engine>, plain: &Arc<Vec<PlainKey>>) {
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (engine, plain) = (Arc::clone(engine), Arc::clone(plain));
            tokio::spawn(async move {
                for key in plain.iter().skip(task).step_by(4) {
                    let request = Request {
                        key: Some(key),
                        ..Request::default()
                    };
                    verify(&engine, &request).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Upserts the rows of a flush, of the same shape, into tables without anything else: counts, and the last uses of keys and
/// their secrets. Returns how fast the flush was in comparison.
async fn bare(app: &TestApp, flushed: Duration) -> f64 {
    let mut rows = 0;
    let mut took = Duration::ZERO;
    for (table, key, values) in TABLES {
        let latest = match table {
            "usage_totals" | "keys" | "key_secrets" => "1 = 1".to_owned(),
            _ => format!("starts_at = (SELECT MAX(starts_at) FROM {table})"),
        };
        let columns = format!("{key}, {values}");
        let numbers = columns
            .split(", ")
            .map(|column| format!("CAST({column} AS TEXT)"))
            .collect::<Vec<_>>()
            .join(" || ',' || ");
        let read = format!("SELECT {numbers} FROM {table} WHERE {latest} ORDER BY {key}");
        let texts = app.database.texts(&read).await;
        let read: Vec<_> = texts.iter().map(|row| values_of(row)).collect();
        rows += read.len();
        let bare = format!("bare_{table}");
        let create = match app.database {
            Database::Sqlite { .. } => format!(
                "CREATE TABLE {bare} ({}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID",
                columns.replace(", ", " ANY, ") + " ANY"
            ),
            Database::Postgres { .. } => {
                format!("CREATE TABLE {bare} AS SELECT {columns} FROM {table} WHERE FALSE")
            }
        };
        app.database.execute(&create).await;
        if matches!(app.database, Database::Postgres { .. }) {
            let primary = format!("ALTER TABLE {bare} ADD PRIMARY KEY ({key})");
            app.database.execute(&primary).await;
        }
        let last = values.split(", ").last().unwrap();
        // Twice, so that the second time finds every row, as hours, days and sums do in a flush.
        for time in 0..2 {
            let (_, upserted) = timed(upsert(app, &bare, &columns, key, last, &read)).await;
            if time == i32::from(table != "usage_minutes") {
                took += upserted;
            }
        }
    }
    println!("{rows} rows: {took:?} bare, {flushed:?} in the flush");
    took.as_secs_f64() / flushed.as_secs_f64()
}

/// The text that identifies a row, if it is none of counts, and its numbers.
fn values_of(row: &str) -> (Option<&str>, Vec<i64>) {
    let (text, numbers) = match row.split_once(',') {
        Some((id, numbers)) if id.parse::<i64>().is_err() => (Some(id), numbers),
        _ => (None, row),
    };
    let numbers = numbers.split(',').map(|number| number.parse().unwrap());
    (text, numbers.collect())
}

async fn upsert(
    app: &TestApp,
    table: &str,
    columns: &str,
    key: &str,
    value: &str,
    rows: &[(Option<&str>, Vec<i64>)],
) {
    macro_rules! run {
        ($connection:expr, $place:expr) => {{
            let mut connection = $connection;
            let mut tx = connection.begin().await.unwrap();
            for rows in rows.chunks(500) {
                let width = columns.split(',').count();
                let places: Vec<String> = (0..rows.len())
                    .map(|row| {
                        let row: Vec<String> = (0..width).map(|column| $place(row * width + column)).collect();
                        format!("({})", row.join(", "))
                    })
                    .collect();
                let sql = format!(
                    "INSERT INTO {table} ({columns}) VALUES {} ON CONFLICT ({key}) DO UPDATE SET {value} = {table}.{value} + excluded.{value}",
                    places.join(", ")
                );
                let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
                for (text, numbers) in rows {
                    if let Some(text) = text {
                        query = query.bind(*text);
                    }
                    for number in numbers {
                        query = query.bind(*number);
                    }
                }
                query.execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
        }};
    }
    match app.database {
        Database::Sqlite { .. } => run!(
            SqliteConnection::connect(&app.database.url())
                .await
                .unwrap(),
            |_| "?".to_owned()
        ),
        Database::Postgres { .. } => run!(
            PgConnection::connect(&app.database.url()).await.unwrap(),
            |place| format!("${}", place + 1)
        ),
    }
}
