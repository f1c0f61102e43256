//! Behind PgBouncer in transaction mode, which lends a database connection for one transaction: the program must not
//! rely on anything that remains on a connection.

use std::{fs, process::Output, thread, time::Duration};

use serde_json::{Value, json};

use super::process::{Folder, Server};
use crate::test_app::Database;

const POLLING: &str = "changes by other instances: polled every 500 ms: LISTEN receives no notifications \
     on this connection (PgBouncer?); set LATCHKEY_DATABASE_LISTEN_URL";
const LISTENING: &str = "changes by other instances: received by LISTEN";

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_through_a_pooler_and_the_program_says_how_it_notices_changes() {
    let database = Database::postgres_without_tables().await;
    for listen_url in [None, Some(database.url())] {
        let expected = if listen_url.is_some() {
            LISTENING
        } else {
            POLLING
        };
        let folder = folder(&database, listen_url.as_deref());
        // Migrations on an empty database, started by several processes concurrently.
        let token = thread::scope(|scope| {
            let commands = [0, 1].map(|_| scope.spawn(|| run(&folder, &["migrate"])));
            let token = run(
                &folder,
                &["token", "create", "--name", "API", "--scope", "manage"],
            );
            for command in commands {
                command.join().unwrap();
            }
            String::from_utf8(token.stdout).unwrap().trim().to_owned()
        });
        let logs = [0, 1].map(|number| folder.path().join(format!("log-{number}")));
        let servers = logs
            .each_ref()
            .map(|log| folder.serve_with_log(&[], fs::File::create(log).unwrap()));
        for log in &logs {
            until(|| fs::read_to_string(log).unwrap().contains(expected));
        }
        let org = format!("org-{}", listen_url.is_some());
        api(
            &servers[0],
            &token,
            "/v1/orgs",
            &json!({"name": org, "slug": org}),
        );
        many_at_the_same_time(&servers, &token, &org);
        let created = api(
            &servers[0],
            &token,
            &format!("/v1/orgs/{org}/keys"),
            &json!({"name": "K", "kind": "secret"}),
        );
        let (id, key) = (text(&created, "id"), text(&created, "key"));
        assert!(servers[1].verify(&token, &key).contains("\"VALID\""));
        let revoke = format!("/v1/orgs/{org}/keys/{id}/revoke");
        api(
            &servers[0],
            &token,
            &revoke,
            &json!({"reason": "compromised"}),
        );
        until(|| servers[1].verify(&token, &key).contains("INVALID_API_KEY"));

        let check = String::from_utf8(run(&folder, &["check"]).stdout).unwrap();
        assert!(check.contains(&format!("{expected}\n")), "{check}");
        assert!(
            check.contains("Postgres behind a pooler in transaction mode, up to date"),
            "{check}"
        );
        let file = format!("{org}.backup");
        run(&folder, &["backup", &file]);
        run(&folder, &["audit", "verify"]);
        for server in servers {
            assert_eq!(server.end("TERM"), Some(0));
        }
        for log in logs {
            let log = fs::read_to_string(log).unwrap();
            assert!(!log.contains("ERROR"), "{log}");
        }
    }
    // A listen address that leads through the pooler, and one of another database.
    let elsewhere = Database::postgres_without_tables().await;
    for wrong in [database.pooled_url(), elsewhere.url()] {
        let checked = folder(&database, Some(&wrong)).run(&["check"], "");
        let said = String::from_utf8(checked.stdout).unwrap();
        assert_eq!(checked.status.code(), Some(1), "{said}");
        let expected = "LATCHKEY_DATABASE_LISTEN_URL: no notifications are received there";
        assert!(said.contains(expected), "{said}");
    }
    elsewhere.remove().await;
    database.remove().await;
}

/// Creates keys and verifies each on the server that did not create it. There are more requests than the pooler has
/// connections.
fn many_at_the_same_time(servers: &[Server; 2], token: &str, org: &str) {
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let [one, other] = if number % 2 == 0 { [0, 1] } else { [1, 0] };
                for _ in 0..6 {
                    let keys = format!("/v1/orgs/{org}/keys");
                    let created = api(
                        &servers[one],
                        token,
                        &keys,
                        &json!({"name": "K", "kind": "secret"}),
                    );
                    let answer = servers[other].verify(token, &text(&created, "key"));
                    assert!(answer.contains("\"VALID\""), "{answer}");
                }
            });
        }
    });
}

/// A folder whose settings connect to the database through the pooler.
fn folder(database: &Database, listen_url: Option<&str>) -> Folder {
    let folder = Folder::new();
    let settings = format!(
        "database_url = \"{}\"\ndatabase_listen_url = \"{}\"\npepper = \"a pepper for tests that has enough characters\"\n",
        database.pooled_url(),
        listen_url.unwrap_or_default()
    );
    fs::write(folder.path().join("latchkey.toml"), settings).unwrap();
    folder
}

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    let output = folder.run(arguments, "");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    output
}

fn api(server: &Server, token: &str, path: &str, body: &Value) -> Value {
    let token = format!("Bearer {token}");
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
    ];
    let answer = server.send("POST", path, &headers, &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap().to_owned()
}

/// Waits until a condition holds, with a timeout far above the usual time.
fn until(holds: impl Fn() -> bool) {
    let held = (0..1_000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        holds()
    });
    assert!(held);
}
