//! What the log says for whoever runs the program.

use std::fs::{self, File};

use super::process::{Folder, Server};

const PASSWORD: &str = "granite teapot sings";

#[test]
fn a_disabled_account_and_a_wrong_password_differ_in_the_log_and_not_in_the_answer() {
    let folder = Folder::with_org();
    let create = [
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
    let dana = folder.line(&create, PASSWORD);
    let path = folder.path().join("log");
    let server = folder.serve_with_log(&["--log-format", "json"], File::create(&path).unwrap());
    let wrong = sign_in(&server, "dana%40northwind.example", "another");
    let unknown = sign_in(&server, "nobody%40northwind.example", "another");
    let disable = ["user", "disable", "--email", "dana@northwind.example"];
    assert!(folder.run(&disable, "").status.success());
    let disabled = sign_in(&server, "dana%40northwind.example", PASSWORD);
    assert_eq!((&unknown, &disabled), (&wrong, &wrong));
    assert_eq!(server.end("TERM"), Some(0));
    let failed: Vec<(String, String)> = lines(&path)
        .filter(|line| line["message"] == "sign-in failed")
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            (text("account"), text("reason"))
        })
        .collect();
    let of = |account: &str, reason: &str| (account.to_owned(), reason.to_owned());
    assert_eq!(
        failed,
        [
            of(&dana, "wrong_password"),
            of("unknown", "unknown_account"),
            of(&dana, "account_disabled"),
        ]
    );
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
    let listed = listed.expect("its first heartbeat is soon after its start");
    let started = lines(&path).find(|line| line["message"] == "started");
    let fields = started.unwrap();
    assert_eq!(fields["instance"], listed);
    assert!(fields["pid"].is_number(), "{fields}");
    assert_eq!(server.end("TERM"), Some(0));
}

/// Signs in from a form, and gives the answer's status and where it leads.
fn sign_in(server: &Server, email: &str, password: &str) -> (String, String) {
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
    let answer = server.send("POST", "/sign-in", &form, &body);
    let location = answer
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("location:"));
    (
        answer.lines().next().unwrap().to_owned(),
        location.unwrap_or_default().to_owned(),
    )
}

fn lines(log: &std::path::Path) -> impl Iterator<Item = serde_json::Value> {
    let lines: Vec<serde_json::Value> = fs::read_to_string(log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.into_iter()
}
