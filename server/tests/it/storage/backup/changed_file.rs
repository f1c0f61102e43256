//! Files that differ from what `latchkey backup` wrote.

use std::{fs, io::Write as _, path::Path};

use latchkey::backup::{self, Backup, FileError, RestoreError};
use serde_json::{Value, json};

use super::{destroy, lines_of, new_file, populate, write_sealed};
use crate::test_app::TestApp;

on_both! {
    async fn a_file_that_changes_after_it_was_checked_changes_nothing(app: &TestApp) {
        populate(app).await;
        let (_folder, file) = new_file();
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        destroy(app).await;
        let backup = Backup::open(&file).unwrap();
        let text = fs::read_to_string(&file).unwrap().replace("northwind", "northwild");
        fs::OpenOptions::new().write(true).open(&file).unwrap().write_all(text.as_bytes()).unwrap();
        let rejected = backup.restore(app.engine.db()).await.unwrap_err();
        assert!(matches!(rejected, RestoreError::File(_, FileError::Corrupt { .. })), "{rejected:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 0);
    }

    async fn rows_that_the_database_does_not_accept_change_nothing(app: &TestApp) {
        populate(app).await;
        let (_folder, file) = new_file();
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        destroy(app).await;
        let lines = lines_of(&file).into_iter().map(|line| line.replace("\"secret\",\"live\"", "\"secret\",\"dead\""));
        write_sealed(&file, lines.collect());
        let rejected = Backup::open(&file).unwrap().restore(app.engine.db()).await.unwrap_err();
        assert!(matches!(rejected, RestoreError::NotAccepted("keys", _)), "{rejected:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_off_or_changed_anywhere_is_rejected() {
    let app = TestApp::on_sqlite().await;
    populate(&app).await;
    let (_folder, file) = new_file();
    backup::create(app.engine.db(), &app.clock, &file)
        .await
        .unwrap();
    let whole = fs::read(&file).unwrap();
    for length in (0..whole.len()).step_by(13).chain([whole.len() - 1]) {
        fs::write(&file, &whole[..length]).unwrap();
        let error = rejection(&file);
        assert!(
            matches!(error, FileError::NotABackup | FileError::Corrupt { .. }),
            "{length}: {error:?}"
        );
    }
    for place in (0..whole.len()).step_by(11) {
        let mut changed = whole.clone();
        changed[place] ^= 0b0000_0010;
        fs::write(&file, &changed).unwrap();
        rejection(&file);
    }
    fs::write(&file, [&whole[..], b"{}\n"].concat()).unwrap();
    assert!(matches!(
        rejection(&file),
        FileError::Corrupt {
            reason: "follows the last line",
            ..
        }
    ));
    let removed: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    fs::write(&file, [&removed[..4], &removed[5..]].concat().concat()).unwrap();
    rejection(&file);
    app.remove().await;
}

#[test]
fn a_newer_file_another_file_and_none_are_rejected_with_what_to_do() {
    let (folder, file) = new_file();
    let header = |change: (&str, Value)| {
        let mut header =
            json!({"latchkey_backup": 1, "schema": 1, "created_at": "2026-11-21T12:00:00Z"});
        header[change.0] = change.1;
        write_sealed(&file, vec![header.to_string()]);
        rejection(&file).to_string()
    };
    assert!(header(("schema", json!(9_999))).contains("Restore it with that version"));
    assert!(header(("latchkey_backup", json!(2))).contains("Restore it with that version"));
    fs::write(&file, "id,name\n").unwrap();
    assert!(
        rejection(&file)
            .to_string()
            .contains("Specify a file that `latchkey backup` created")
    );
    fs::write(&file, "").unwrap();
    assert!(matches!(rejection(&file), FileError::NotABackup));
    let none = rejection(&folder.path().join("none"));
    assert!(matches!(none, FileError::Read(_)), "{none}");
    let is_folder = rejection(folder.path());
    assert!(matches!(is_folder, FileError::IsFolder), "{is_folder}");
}

fn rejection(file: &Path) -> FileError {
    match Backup::open(file).unwrap_err() {
        RestoreError::File(path, error) => {
            assert_eq!(path, file);
            error
        }
        error => panic!("{error:?}"),
    }
}
