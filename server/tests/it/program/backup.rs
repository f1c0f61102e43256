//! `latchkey backup` and `latchkey restore`.

use std::{fs, process::Output};

use super::process::Folder;

#[test]
fn a_backup_of_a_running_server_is_restored_elsewhere() {
    let folder = Folder::new();
    let (token, key) = folder.token_and_key();
    let server = folder.serve(&[]);
    assert!(server.verify(&token, &key).contains("\"VALID\""));
    let backup = folder.run(&["backup", "latchkey.backup"], "");
    succeeded(&backup, "does not contain the pepper (./data/pepper)");
    assert_eq!(server.end("TERM"), Some(0));

    let without = Folder::new();
    fs::copy(
        folder.path().join("latchkey.backup"),
        without.path().join("latchkey.backup"),
    )
    .unwrap();
    succeeded(
        &without.run(&["restore", "latchkey.backup"], ""),
        "data/pepper is missing",
    );
    let other = Folder::new();
    for file in ["latchkey.backup", "data/pepper"] {
        fs::create_dir_all(other.path().join("data")).unwrap();
        fs::copy(folder.path().join(file), other.path().join(file)).unwrap();
    }
    succeeded(
        &other.run(&["restore", "latchkey.backup"], ""),
        "all users must sign in again",
    );
    let server = other.serve(&[]);
    assert!(server.verify(&token, &key).contains("\"VALID\""));
    assert_eq!(server.end("TERM"), Some(0));
    rejected(
        &other.run(&["restore", "latchkey.backup"], ""),
        "already contains data",
    );
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_rejected_and_changes_nothing() {
    let folder = Folder::new();
    rejected(
        &folder.run(&["backup", "latchkey.backup"], ""),
        "no database was found at ./data/latchkey.db",
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    folder.token_and_key();
    let backup = || folder.run(&["backup", "latchkey.backup"], "");
    assert!(backup().status.success());
    rejected(
        &backup(),
        "latchkey.backup already exists. Choose another name",
    );
    rejected(
        &folder.run(&["backup", "none/latchkey.backup"], ""),
        "none/latchkey.backup cannot be written because its folder does not exist",
    );
    rejected(
        &folder.run(&["backup", "data"], ""),
        "data is a folder. Specify a file in it, such as data/latchkey.backup",
    );

    let restore = |file: &str| folder.run(&["restore", file, "--data-dir", "restored"], "");
    rejected(&restore("none"), "none: cannot be read");
    rejected(&restore("data"), "data: is a folder");
    rejected(&restore("data/pepper"), "is not a backup");
    let whole = fs::read(folder.path().join("latchkey.backup")).unwrap();
    fs::write(folder.path().join("half"), &whole[..whole.len() / 2]).unwrap();
    rejected(&restore("half"), "Use another backup");
    assert!(!folder.path().join("restored").exists());
    assert!(restore("latchkey.backup").status.success());
}

fn succeeded(output: &Output, words: &str) {
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.contains(words), "{output:?}");
}

fn rejected(output: &Output, words: &str) {
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(err.contains(words), "{words}: {err}");
}
