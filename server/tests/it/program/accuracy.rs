//! What is stored is what clients counted themselves, however the servers end: on SQLite one, on Postgres two at once.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicI64, Ordering},
    thread,
    time::Duration,
};

use latchkey::outcome::Outcome;
use rstest::rstest;
use serde_json::json;
use tokio::{runtime::Handle, task::block_in_place, time::timeout};

use super::process::{CREATE_KEY, CREATE_ORG, CREATE_TOKEN, Folder, Server};
use crate::test_app::Database;

/// How long two flushes can take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The clients of each server, each of which has one request in progress.
const CLIENTS: usize = 2;

/// The outcomes that clients received.
type Answers = Vec<Outcome>;
/// The number of requests by outcome.
type Counts = BTreeMap<i64, i64>;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_loses_nothing_and_a_kill_only_the_latest(#[values(1, 2)] servers: usize) {
    let database = match servers {
        1 => Database::sqlite(),
        _ => Database::postgres().await,
    };
    let folder = Folder::new();
    let settings = format!(
        "public_url = \"http://localhost:3000\"\ndatabase_url = \"{}\"\npepper = \"a pepper for tests that has enough characters\"\n",
        database.url()
    );
    std::fs::write(folder.path().join("latchkey.toml"), settings).unwrap();
    folder.line(&CREATE_ORG, "");
    let token = folder.line(&CREATE_TOKEN, "");
    let key = folder.line(&[&CREATE_KEY[..], &["--scope", "bots:read"]].concat(), "");
    let start = || -> Vec<Server> { (0..servers).map(|_| folder.serve(&[])).collect() };

    let running = start();
    let a_while = || thread::sleep(Duration::from_millis(800));
    let answers = end_under_load(&running, &token, &key, &AtomicI64::new(0), a_while, "TERM");
    for server in running {
        assert_eq!(server.end("TERM"), Some(0));
    }
    let stopped = counts(&answers);
    assert!(stopped.len() >= 2, "{stopped:?}");
    for stored in stored(&database).await {
        assert_eq!(stored, stopped);
    }

    let sum = |counts: &Counts| counts.values().sum::<i64>();
    let least_stored = async || stored(&database).await.iter().map(sum).min().unwrap();
    let before = sum(&stopped);
    let (answered, mut due) = (AtomicI64::new(0), before);
    // Kills once what clients had counted at a time has been stored, twice, while requests go on.
    let all_stored_twice = || {
        let stored = async {
            for _ in 0..2 {
                due = before + answered.load(Ordering::SeqCst);
                while least_stored().await < due {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        block_in_place(|| Handle::current().block_on(timeout(PATIENCE, stored))).unwrap();
    };
    let running = start();
    let answers = end_under_load(&running, &token, &key, &answered, all_stored_twice, "KILL");
    drop(running);
    assert!(due > before, "nothing was answered before the kill");
    let in_progress = (servers * CLIENTS) as i64;
    let most = before + sum(&counts(&answers));
    for stored in stored(&database).await {
        // A request whose answer was cut off by the kill can be counted.
        let counted = sum(&stored);
        assert!(
            (due..=most + in_progress).contains(&counted),
            "{due} to {most}: {counted}"
        );
    }
    database.remove().await;
}

/// Sends requests to all servers, and ends the servers while the requests go on, once this has returned.
fn end_under_load(
    servers: &[Server],
    token: &str,
    key: &str,
    answered: &AtomicI64,
    wait: impl FnOnce(),
    signal: &str,
) -> Answers {
    thread::scope(|scope| {
        let clients: Vec<_> = servers
            .iter()
            .flat_map(|server| [server; CLIENTS])
            .map(|server| scope.spawn(|| until_it_ends(server, token, key, answered)))
            .collect();
        // The clients end with the servers, also if the wait fails.
        let waited = catch_unwind(AssertUnwindSafe(wait));
        for server in servers {
            server.signal(signal);
        }
        let answers = clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        waited.unwrap_or_else(|failure| resume_unwind(failure));
        answers
    })
}

/// Sends requests one after the other, of which every other lacks a scope, until the server is gone.
fn until_it_ends(server: &Server, token: &str, key: &str, answered: &AtomicI64) -> Answers {
    let token = format!("Bearer {token}");
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
    ];
    let bodies =
        ["bots:read", "bots:write"].map(|scope| json!({"key": key, "scopes": [scope]}).to_string());
    let mut answers = Answers::new();
    for body in bodies.iter().cycle() {
        let Ok(answer) = server.try_send("POST", "/v1/verify", &headers, body) else {
            break;
        };
        let Some((_, code)) = answer.split_once("\"code\":\"") else {
            // The connection was closed before the answer.
            assert!(answer.is_empty(), "{answer}");
            break;
        };
        // A server that cannot decide, because the database is slow to answer, counts nothing.
        let Ok(outcome) = code.split('"').next().unwrap().parse() else {
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
            continue;
        };
        answers.push(outcome);
        answered.fetch_add(1, Ordering::SeqCst);
    }
    answers
}

fn counts(answers: &Answers) -> Counts {
    let mut counts = Counts::new();
    for outcome in answers {
        *counts.entry(outcome.number()).or_default() += 1;
    }
    counts
}

/// What is stored of the organization, its only project and its only key, in each table.
async fn stored(database: &Database) -> Vec<Counts> {
    let mut all = Vec::new();
    let tables = ["minutes", "hours", "days"].map(|table| (table, "count", "usage_subjects.kind"));
    for (table, column, kind) in tables
        .into_iter()
        .chain([("totals", "m24", "usage_totals.kind")])
    {
        for number in 0..3 {
            let sql = format!(
                "SELECT CAST(outcome AS TEXT) || ' ' || CAST(SUM({column}) AS TEXT) FROM usage_{table} \
                 JOIN usage_subjects ON usage_subjects.id = subject WHERE {kind} = {number} GROUP BY outcome"
            );
            let rows = database.texts(&sql).await;
            let read = |row: &String| {
                let (outcome, count) = row.split_once(' ').unwrap();
                (outcome.parse().unwrap(), count.parse().unwrap())
            };
            all.push(rows.iter().map(read).collect());
        }
    }
    all
}
