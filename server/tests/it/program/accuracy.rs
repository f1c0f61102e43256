//! What is stored is what clients counted themselves, however the servers end: on SQLite one, on Postgres two at once.

use std::{collections::BTreeMap, thread, time::Duration};

use latchkey::{
    clock::{Clock, Monotonic},
    outcome::Outcome,
};
use rstest::rstest;
use serde_json::json;

use super::process::{CREATE_KEY, CREATE_ORG, CREATE_TOKEN, Folder, Server};
use crate::test_app::Database;

/// The time between two writes of usage, as in the servers' settings.
const INTERVAL: Duration = Duration::from_secs(1);
/// The time that a write can take on a busy machine.
const WRITE: Duration = Duration::from_secs(1);
/// The clients of each server, each of which has one request in progress.
const CLIENTS: usize = 2;

/// The answers that clients received: when, and the outcome.
type Answers = Vec<(Monotonic, Outcome)>;
/// The number of requests by outcome.
type Counts = BTreeMap<i64, i64>;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_loses_nothing_and_a_kill_at_most_one_interval(#[values(1, 2)] servers: usize) {
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

    let (running, load) = (start(), Duration::from_millis(800));
    let answers = end_under_load(&running, &token, &key, load, "TERM");
    for server in running {
        assert_eq!(server.end("TERM"), Some(0));
    }
    let stopped = counts(&answers);
    assert!(stopped.len() >= 2, "{stopped:?}");
    for stored in stored(&database).await {
        assert_eq!(stored, stopped);
    }

    let running = start();
    let answers = end_under_load(&running, &token, &key, 2 * INTERVAL + WRITE, "KILL");
    let killed = Clock::System.monotonic();
    drop(running);
    let in_progress = (servers * CLIENTS) as i64;
    let written: Answers = answers
        .iter()
        .copied()
        .filter(|(at, _)| killed.since(*at) > (INTERVAL + WRITE).as_millis() as i64)
        .collect();
    let sum = |counts: &Counts| counts.values().sum::<i64>();
    let (before, most) = (sum(&stopped), sum(&counts(&answers)));
    let least = sum(&counts(&written));
    assert!(least > 0, "{most} answers");
    for stored in stored(&database).await {
        let since = sum(&stored) - before;
        // A request whose answer was cut off by the kill can be counted.
        assert!(
            (least..=most + in_progress).contains(&since),
            "{least} to {most}: {since}"
        );
    }
    database.remove().await;
}

/// Sends requests to all servers for this time, then ends the servers while the requests go on.
fn end_under_load(
    servers: &[Server],
    token: &str,
    key: &str,
    load: Duration,
    signal: &str,
) -> Answers {
    thread::scope(|scope| {
        let clients: Vec<_> = servers
            .iter()
            .flat_map(|server| [server; CLIENTS])
            .map(|server| scope.spawn(|| until_it_ends(server, token, key)))
            .collect();
        thread::sleep(load);
        for server in servers {
            server.signal(signal);
        }
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    })
}

/// Sends requests one after the other, of which every other lacks a scope, until the server is gone.
fn until_it_ends(server: &Server, token: &str, key: &str) -> Answers {
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
        let outcome = code.split('"').next().unwrap().parse().unwrap();
        answers.push((Clock::System.monotonic(), outcome));
    }
    answers
}

fn counts(answers: &Answers) -> Counts {
    let mut counts = Counts::new();
    for (_, outcome) in answers {
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
