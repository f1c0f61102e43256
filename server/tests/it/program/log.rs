//! The log for the operator of the program.

use std::fs::{self, File};

use sqlx::{Connection as _, SqliteConnection};

use super::process::{Folder, Server};

const PASSWORD: &str = "granite teapot sings";
const CREATE_DANA: [&str; 9] = [
    "user",
    "create",
    "--email",
    "dana@northwind.example",
    "--org",
    "northwind",
    "--role",
    "owner",
    "--password-stdin",
];

#[test]
fn a_disabled_account_and_a_wrong_password_differ_in_the_log_and_not_in_the_answer() {
    let folder = Folder::with_org();
    let dana = folder.line(&CREATE_DANA, PASSWORD);
    let path = folder.path().join("log");
    let server = folder.serve_with_log(&["--log-format", "json"], File::create(&path).unwrap());
    let wrong = sign_in(&server, "dana%40northwind.example", "another");
    let unknown = sign_in(&server, "nobody%40northwind.example", "another");
    let disable = ["user", "disable", "--email", "dana@northwind.example"];
    assert!(folder.run(&disable, "").status.success());
    let disabled = sign_in(&server, "dana%40northwind.example", PASSWORD);
    assert_eq!((&unknown, &disabled), (&wrong, &wrong));
    assert_eq!(server.end("TERM"), Some(0));
    assert_eq!(
        failed_sign_ins(&path),
        [
            failed(&dana, "wrong_password"),
            failed("unknown", "unknown_account"),
            failed(&dana, "account_disabled"),
        ]
    );
}

#[test]
fn a_sign_in_that_is_tried_too_often_is_in_the_log() {
    let folder = Folder::with_org();
    let dana = folder.line(&CREATE_DANA, PASSWORD);
    let path = folder.path().join("log");
    let server = folder.serve_with_log(&["--log-format", "json"], File::create(&path).unwrap());
    for _ in 0..11 {
        sign_in(&server, "dana%40northwind.example", "another");
    }
    sign_in(&server, "nobody%40northwind.example", "another");
    assert_eq!(server.end("TERM"), Some(0));
    let mut expected = vec![failed(&dana, "wrong_password"); 10];
    expected.push(failed(&dana, "too_many_tries"));
    // A network has a larger budget than an account.
    expected.push(failed("unknown", "unknown_account"));
    assert_eq!(failed_sign_ins(&path), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_read_is_named_in_the_log() {
    let folder = Folder::with_org();
    folder.line(&CREATE_DANA, PASSWORD);
    let path = folder.path().join("log");
    let server = folder.serve_with_log(&["--log-format", "json"], File::create(&path).unwrap());
    let answer = post_sign_in(&server, "dana%40northwind.example", PASSWORD);
    let cookie = answer
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "))
        .find(|cookie| {
            !cookie.starts_with("latchkey-browser") && !cookie.starts_with("latchkey-form")
        })
        .and_then(|cookie| cookie.split(';').next())
        .unwrap();
    let database = format!(
        "sqlite:{}",
        folder.path().join("data/latchkey.db").display()
    );
    let mut connection = SqliteConnection::connect(&database).await.unwrap();
    sqlx::query("ALTER TABLE sessions RENAME TO no_sessions")
        .execute(&mut connection)
        .await
        .unwrap();
    server.send("GET", "/account", &[("Cookie", cookie)], "");
    assert_eq!(server.end("TERM"), Some(0));
    let errors: Vec<serde_json::Value> = lines(&path)
        .filter(|line| line["level"] == "ERROR")
        .collect();
    for line in &errors {
        assert!(line["message"].is_string(), "{line}");
    }
    assert!(!errors.is_empty());
    for error in &errors {
        assert_eq!(error["message"], "a page or server function failed");
        assert!(
            error.to_string().contains("no such table: sessions"),
            "{error}"
        );
    }
}

#[test]
fn forged_session_cookies_fill_no_log() {
    let folder = Folder::with_org();
    folder.line(&CREATE_DANA, PASSWORD);
    let path = folder.path().join("log");
    let server = folder.serve_with_log(&["--log-format", "json"], File::create(&path).unwrap());
    let answer = post_sign_in(&server, "dana%40northwind.example", PASSWORD);
    let cookies = answer
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "));
    let names: Vec<&str> = cookies
        .filter_map(|cookie| cookie.split('=').next())
        .collect();
    assert_eq!(names.len(), 3, "{answer}");
    for value in [
        "",
        "x",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "%00",
        "\u{e9}",
        &"a".repeat(4_000),
    ] {
        for name in &names {
            let cookie = format!("{name}={value}");
            let answer = server.send("GET", "/account", &[("Cookie", &cookie)], "");
            assert!(answer.starts_with("HTTP/1.1 302"), "{cookie}: {answer}");
        }
    }
    assert_eq!(server.end("TERM"), Some(0));
    for line in lines(&path) {
        assert!(
            line["level"] != "WARN" && line["level"] != "ERROR",
            "{line}"
        );
    }
}

#[test]
fn a_server_logs_the_id_under_which_the_api_lists_it() {
    let folder = Folder::with_org();
    let create = ["token", "create", "--name", "API", "--scope", "manage"];
    let token = format!("Bearer {}", folder.line(&create, ""));
    let path = folder.path().join("log");
    let server = folder.serve_with_log(&["--log-format", "json"], File::create(&path).unwrap());
    let listed = (0..1_000).find_map(|_| {
        let answer = server.send("GET", "/v1/instances", &[("Authorization", &token)], "");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["data"][0]["id"].as_str().map(str::to_owned)
    });
    let listed = listed.expect("the first heartbeat follows soon after the start");
    let started = lines(&path).find(|line| line["message"] == "started");
    let fields = started.unwrap();
    assert_eq!(fields["instance"], listed);
    assert!(fields["pid"].is_number(), "{fields}");
    assert_eq!(server.end("TERM"), Some(0));
}

/// The account and the reason of each failed sign-in in a log.
fn failed_sign_ins(log: &std::path::Path) -> Vec<(String, String)> {
    lines(log)
        .filter(|line| line["message"] == "sign-in failed")
        .map(|line| {
            assert_eq!(line["from"], "127.0.0.1", "{line}");
            failed(
                line["account"].as_str().unwrap(),
                line["reason"].as_str().unwrap(),
            )
        })
        .collect()
}

fn failed(account: &str, reason: &str) -> (String, String) {
    (account.to_owned(), reason.to_owned())
}

/// Submits the sign-in form, and returns the status and the target of the redirect.
fn sign_in(server: &Server, email: &str, password: &str) -> (String, String) {
    let answer = post_sign_in(server, email, password);
    let location = answer
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("location:"));
    (
        answer.lines().next().unwrap().to_owned(),
        location.unwrap_or_default().to_owned(),
    )
}

fn post_sign_in(server: &Server, email: &str, password: &str) -> String {
    let port = server.address.rsplit(':').next().unwrap();
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
        ("Origin", &*format!("http://localhost:{port}")),
    ];
    let body = format!(
        "email={email}&password={}&next=",
        password.replace(' ', "+")
    );
    server.send("POST", "/sign-in", &form, &body)
}

fn lines(log: &std::path::Path) -> impl Iterator<Item = serde_json::Value> {
    let lines: Vec<serde_json::Value> = fs::read_to_string(log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.into_iter()
}
