//! Serving, from the first start to a shutdown that loses nothing.

use rstest::rstest;

use super::process::Folder;

#[rstest]
fn a_stop_by_signal_stores_every_count_and_exits_with_zero(#[values("TERM", "INT")] signal: &str) {
    let folder = Folder::new();
    let (token, key) = folder.token_and_key();
    // The interval between writes is so long that only the shutdown can have written the usage.
    let server = folder.serve(&["--usage-flush-seconds", "3600"]);
    for _ in 0..7 {
        let answer = server.verify(&token, &key);
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(r#""code":"VALID""#),
            "{answer}"
        );
    }
    assert_eq!(
        counted(&folder),
        0,
        "nothing is stored while the server runs"
    );
    assert_eq!(server.end(signal), Some(0), "{signal}");
    assert_eq!(counted(&folder), 7, "{signal}");
}

#[test]
fn counts_are_written_while_it_runs_and_a_kill_loses_at_most_the_last_second() {
    let folder = Folder::new();
    let (token, key) = folder.token_and_key();
    let server = folder.serve(&["--usage-flush-seconds", "1"]);
    server.verify(&token, &key);
    let written = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        counted(&folder) == 1
    });
    assert!(written);
    assert_eq!(server.end("KILL"), None);
    assert_eq!(counted(&folder), 1);
    let again = folder.serve(&[]);
    assert!(again.verify(&token, &key).contains("VALID"));
    assert_eq!(again.end("TERM"), Some(0));
    assert_eq!(counted(&folder), 2);
}

#[test]
fn what_the_command_line_makes_while_it_serves_works_at_once() {
    let folder = Folder::new();
    let server = folder.serve(&[]);
    let (token, key) = folder.token_and_key();
    assert!(server.verify(&token, &key).contains(r#""code":"VALID""#));
    assert!(
        server
            .send("GET", "/readyz", &[], "")
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        server
            .send("GET", "/metrics", &[], "")
            .contains("latchkey_verifications_total{code=\"VALID\"} 1")
    );
    assert!(
        server
            .send("GET", "/sign-in", &[], "")
            .contains("<!DOCTYPE html>")
    );
    assert_eq!(server.end("TERM"), Some(0));
}

#[test]
fn an_address_that_cannot_be_listened_on_is_named_with_what_to_write_instead() {
    let folder = Folder::new();
    let server = folder.serve(&[]);
    let other = Folder::new();
    let output = other.run(&["serve", "--listen", &server.address], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let port: u16 = server.address.rsplit(':').next().unwrap().parse().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    for part in [
        format!("another program uses port {port} of 127.0.0.1."),
        format!("--listen 127.0.0.1:{}", port.wrapping_add(1)),
        "LATCHKEY_LISTEN=".to_owned(),
    ] {
        assert!(err.contains(&part), "{part}: {err}");
    }
    let elsewhere = other.run(&["serve", "--listen", "192.0.2.1:3000"], "");
    let err = String::from_utf8_lossy(&elsewhere.stderr);
    assert!(
        err.contains("192.0.2.1 is not an address of this machine"),
        "{err}"
    );
}

#[test]
#[cfg(unix)]
fn the_data_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    folder.run(&["migrate"], "");
    let _ = folder.token_and_key();
    let mode = |name: &str| {
        folder
            .path()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode("data"), mode("data/pepper")), (0o700, 0o600));
}

/// The number of stored requests.
fn counted(folder: &Folder) -> i64 {
    use sqlx::Connection as _;
    let url = format!(
        "sqlite:{}",
        folder.path().join("data/latchkey.db").display()
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let sql = "SELECT COALESCE(SUM(count), 0) FROM usage_minutes JOIN usage_subjects ON id = subject WHERE kind = 0";
        sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    })
}
