//! Three servers on one Postgres: each change that one of them or the command line makes is seen on all, whether or not
//! its object is being requested, and whether or not Postgres's notifications arrive. `cargo xtask bench revocation`
//! measures how fast.

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

/// Far longer than a change takes, and shorter than anything stays in memory on its own: unknown keys stay for 10 s.
const LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// The servers, and the data to use them.
struct World {
    folder: Folder,
    servers: Vec<Server>,
    /// A service token with all scopes.
    token: String,
}

/// A request for which every server must return the same result.
#[derive(Debug, Clone)]
enum Question {
    /// The body of a verification, and its service token.
    Verify { body: Value, token: String },
    /// Whether the session of this cookie is signed in.
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
                        "{name}, on the changing instance ({circumstances})"
                    );
                }
            }
            for (name, case) in &cases {
                for server in &world.servers {
                    let answer = until(case.after, || case.question.ask(server));
                    assert_eq!(
                        answer, case.after,
                        "{name}, on another instance ({circumstances})"
                    );
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

    /// Calls the API of the first server, which must succeed.
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

    /// Sends a form to the first server, and returns the response.
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
    /// The result of a server: the code of a verification, or the status of the response.
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

/// Sends all requests to a server repeatedly, so that some of them read what is changed meanwhile.
fn keep_busy(server: &Server, questions: &[Question], done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        for question in questions {
            question.ask(server);
        }
    }
}

/// Terminates every listening connection, as a network failure would, and returns their number.
fn cut_listeners(connection: &mut PgConnection) -> u64 {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    let cut = async { sqlx::query(sql).execute(connection).await.unwrap() };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(cut)).rows_affected()
}

/// Repeats a request until it returns the expected result, up to the limit.
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
