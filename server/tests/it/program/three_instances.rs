//! Three servers on one Postgres: each change that one of them or the command line makes is seen on all, whether or not
//! what it is about is being asked for, and whether or not Postgres's notifications arrive. How fast, `cargo xtask bench
//! revocation` says.

mod mutations;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use self::mutations::{Case, MUTATIONS};
use super::process::{Folder, Server};
use crate::test_app::Database;

/// Far longer than a change takes, and shorter than anything stays in memory by itself: unknown keys do for 10 s.
const LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// The servers, and what works on them.
struct World {
    folder: Folder,
    servers: Vec<Server>,
    /// An instance-wide service token for everything.
    token: String,
}

/// Something that every server can be asked.
#[derive(Debug, Clone)]
enum Question {
    /// Whether a key may pass: the body of a verification, and the token it is asked with.
    Verify { body: Value, token: String },
    /// Whether this session's cookie is that of someone who is signed in.
    Account { cookie: String },
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_is_seen_on_every_instance_idle_or_busy_and_with_listeners_alive_or_cut() {
    let database = Database::postgres().await;
    let world = World::start(&database);
    for (busy, cut) in [(false, false), (false, true), (true, false), (true, true)] {
        let circumstances = format!("busy: {busy}, listeners cut: {cut}");
        let cases: Vec<(&str, Case<'_>)> = MUTATIONS
            .iter()
            .map(|(name, prepare)| (*name, prepare(&world)))
            .collect();
        for (name, case) in &cases {
            for server in &world.servers {
                let answer = case.question.ask(server);
                assert_eq!(answer, case.before, "{name}, before ({circumstances})");
            }
        }
        let questions: Vec<Question> = cases
            .iter()
            .map(|(_, case)| case.question.clone())
            .collect();
        let mut connection = PgConnection::connect(&database.url()).await.unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            if busy {
                for server in &world.servers {
                    scope.spawn(|| keep_busy(server, &questions, &done));
                }
            }
            let mut cut_so_far = 0;
            for (name, case) in &cases {
                if cut {
                    cut_so_far += cut_listeners(&mut connection);
                }
                (case.change)();
                if case.is_by_first_server {
                    let answer = case.question.ask(&world.servers[0]);
                    assert_eq!(
                        answer, case.after,
                        "{name}, where it was made ({circumstances})"
                    );
                }
            }
            for (name, case) in &cases {
                for server in &world.servers {
                    let answer = until(case.after, || case.question.ask(server));
                    assert_eq!(answer, case.after, "{name}, elsewhere ({circumstances})");
                }
            }
            done.store(true, Ordering::Relaxed);
            assert!(!cut || cut_so_far >= 3, "{cut_so_far} listeners were cut");
        });
        for (name, case) in &cases {
            for server in &world.servers {
                assert_eq!(
                    case.question.ask(server),
                    case.after,
                    "{name}, later ({circumstances})"
                );
            }
        }
        connection.close().await.unwrap();
    }
    for server in world.servers {
        assert_eq!(server.end("TERM"), Some(0));
    }
    database.remove().await;
}

impl World {
    fn start(database: &Database) -> Self {
        let folder = Folder::new();
        let settings = format!(
            "public_url = \"http://localhost:3000\"\ndatabase_url = \"{}\"\npepper = \"a pepper for tests that has enough characters\"\n",
            database.url()
        );
        std::fs::write(folder.path().join("latchkey.toml"), settings).unwrap();
        let token = folder.line(
            &[
                "token",
                "create",
                "--name",
                "Everything",
                "--scope",
                "manage",
            ],
            "",
        );
        let servers = (0..3).map(|_| folder.serve(&[])).collect();
        Self {
            folder,
            servers,
            token,
        }
    }

    /// Calls the API of the first server, which must do what it is asked.
    fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, object) = self.try_api(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {object}");
        object
    }

    fn try_api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let token = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", &*token),
            ("Content-Type", "application/json"),
        ];
        let answer = self.servers[0].send(method, path, &headers, &body);
        (
            status(&answer),
            serde_json::from_str(body_of(&answer)).unwrap_or_default(),
        )
    }

    /// Sends a form to the first server, and gives the answer.
    fn form(&self, path: &str, cookie: &str, form: &str) -> String {
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Sec-Fetch-Site", "same-origin"),
            ("Cookie", cookie),
        ];
        let answer = self.servers[0].send("POST", path, &headers, form);
        assert_eq!(status(&answer), 303, "{path}: {answer}");
        answer
    }
}

impl Question {
    /// What a server says: the code of a verification, or the status of the answer.
    fn ask(&self, server: &Server) -> String {
        match self {
            Self::Verify { body, token } => {
                let token = format!("Bearer {token}");
                let headers = [
                    ("Authorization", &*token),
                    ("Content-Type", "application/json"),
                ];
                let answer = server.send("POST", "/v1/verify", &headers, &body.to_string());
                let object: Value = serde_json::from_str(body_of(&answer)).unwrap_or_default();
                object["code"].as_str().unwrap_or(&answer).to_owned()
            }
            Self::Account { cookie } => {
                let answer = server.send("GET", "/account", &[("Cookie", cookie)], "");
                status(&answer).to_string()
            }
        }
    }
}

/// Asks a server everything again and again: each of these may be reading what is changed meanwhile.
fn keep_busy(server: &Server, questions: &[Question], done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        for question in questions {
            question.ask(server);
        }
    }
}

/// Ends every connection that listens, as a failing network does, and gives how many there were.
fn cut_listeners(connection: &mut PgConnection) -> u64 {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    let cut = async { sqlx::query(sql).execute(connection).await.unwrap() };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(cut)).rows_affected()
}

/// Asks until the answer is this one, for as long as the limit.
fn until(expected: &str, ask: impl Fn() -> String) -> String {
    let mut answer = ask();
    for _ in 0..LIMIT.as_millis() / PAUSE.as_millis() {
        if answer == expected {
            break;
        }
        thread::sleep(PAUSE);
        answer = ask();
    }
    answer
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
