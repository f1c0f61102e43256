//! `latchkey demo`.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use super::process::{Folder, text};

#[test]
fn a_demo_prints_who_can_sign_in_and_is_made_once() {
    let folder = Folder::new();
    let demo = ["demo", "--days", "2", "--no-serve"];
    let demo = || {
        let mut command = folder.command(&demo);
        command.env("LATCHKEY_DATA_DIR", folder.path().join("data"));
        command.output().unwrap()
    };
    let made = demo();
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let lines: Vec<Vec<String>> = text(&made.stdout)
        .lines()
        .map(|line| line.split(' ').map(str::to_owned).collect())
        .collect();
    for (line, role) in lines.iter().zip(["owner", "admin", "member"]) {
        assert_eq!(
            line[..2],
            [role.to_owned(), format!("{role}@northwind.example")]
        );
        assert_eq!(line[2].len(), 20, "{line:?}");
    }
    assert_eq!(lines.len(), 3);
    let again = demo();
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert_eq!(text(&again.stdout), "");
    let said = text(&again.stderr);
    assert!(
        said.contains("the database already contains data"),
        "{said}"
    );
}

#[test]
fn a_demo_is_opened_at_its_public_url() {
    let folder = Folder::new();
    let mut command = folder.command(&["demo", "--days", "2", "--listen", "127.0.0.1:0"]);
    command
        .env("LATCHKEY_PUBLIC_URL", "https://keys.example.com")
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // After the three people who can sign in.
    let lines: Vec<String> = lines.skip(3).take(2).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        lines[0].starts_with("Latchkey is listening on http://127.0.0.1:"),
        "{lines:?}"
    );
    assert_eq!(lines[1], "Open it at https://keys.example.com");
}

#[test]
fn without_a_database_a_demo_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut command = folder.command(&["demo", "--days", "2", "--no-serve"]);
    let made = command.env("TMPDIR", folder.path()).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0);
}
