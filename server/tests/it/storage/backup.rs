//! Backups: what was there is there again, in either database, and nothing is restored from a file that was changed.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use latchkey::{
    Engine,
    accounts::{password::TypedPassword, sign_in::sign_in},
    agents::create::create as create_agent,
    audit,
    backup::{
        self, Backup, BackupError, FileError, RestoreError,
        tables::{DATA_MIGRATIONS, Kind, LEFT_OUT, TABLES},
    },
    caller::Visit,
    key::text::PlainKey,
    role::Role,
    service_tokens,
    time::MINUTE,
    usage::{
        flush::flush,
        report::{self, Range},
    },
    verify::{Request, verify},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::test_app::{
    Database, TestApp, TestOrg,
    org::{PASSWORD, agent, widget_key},
    said,
};

/// What a test put into a database, and how to see that it is all there.
struct Populated {
    org: TestOrg,
    key: PlainKey,
    token: PlainKey,
    head: audit::Head,
}

on_both! {
    async fn what_was_destroyed_is_there_again(app: &TestApp) {
        let populated = populate(app).await;
        let (folder, file) = new_file();
        let rows = backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        destroy(app).await;
        assert_eq!(said(&ask(&app.fresh_engine(), &populated.key).await), "INVALID_API_KEY unknown");
        let backup = Backup::open(&file).unwrap();
        assert_eq!(backup.header().created_at, "2026-11-21T12:01:00Z");
        assert_eq!(backup.restore(app.engine.db()).await.unwrap(), rows);
        populated.is_there(&app.fresh_engine()).await;
        same_again(app, &file, folder.path()).await;
    }

    async fn a_backup_is_restored_into_the_other_database(app: &TestApp) {
        let populated = populate(app).await;
        let (folder, file) = new_file();
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        let other = match app.database {
            Database::Sqlite { .. } => TestApp::on_postgres_under("latchkey").await,
            Database::Postgres { .. } => TestApp::on_sqlite().await,
        };
        Backup::open(&file).unwrap().restore(other.engine.db()).await.unwrap();
        populated.is_there(&other.fresh_engine()).await;
        same_again(&other, &file, folder.path()).await;
        other.remove().await;
    }

    async fn a_database_that_holds_data_is_left_alone(app: &TestApp) {
        let (_folder, file) = new_file();
        app.org("northwind").await;
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        let rejected = Backup::open(&file).unwrap().restore(app.engine.db()).await.unwrap_err();
        assert!(matches!(rejected, RestoreError::NotEmpty("orgs")), "{rejected:?}");
        assert!(rejected.to_string().contains("Restore into an empty one"), "{rejected}");
        let again = backup::create(app.engine.db(), &app.clock, &file).await.unwrap_err();
        assert!(matches!(again, BackupError::Exists(_)), "{again:?}");
    }

    async fn a_backup_that_fails_leaves_no_file(app: &TestApp) {
        let (folder, file) = new_file();
        app.database.execute("ALTER TABLE usage_counts RENAME TO usage_counts_away").await;
        let failed = backup::create(app.engine.db(), &app.clock, &file).await.unwrap_err();
        assert!(matches!(failed, BackupError::Storage(_)), "{failed:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

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

    async fn a_backup_of_an_older_version_is_brought_up_to_date(app: &TestApp) {
        let populated = populate(app).await;
        let (_folder, file) = new_file();
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        destroy(app).await;
        app.database.execute("UPDATE audit_checkpoint SET position = 0").await;
        write_sealed(&file, as_of_the_first_schema(lines_of(&file)));
        Backup::open(&file).unwrap().restore(app.engine.db()).await.unwrap();
        let engine = app.fresh_engine();
        assert_eq!(said(&ask(&engine, &populated.key).await), "VALID");
        assert_eq!(audit::verify(&engine, None).await.unwrap().count, 0);
        let differ = "SELECT COUNT(*) FROM key_secrets JOIN keys ON keys.id = key_id WHERE key_secrets.display <> keys.display";
        assert_eq!(app.database.number(differ).await, 0, "what the migration did to rows is done");
        TestOrg::make(&std::sync::Arc::new(engine), "contoso").await.key("New").await;
    }

    async fn every_table_and_column_is_backed_up_or_left_out_on_purpose(app: &TestApp) {
        let sql = match app.database {
            Database::Sqlite { .. } => "SELECT m.name || '.' || c.name || ' ' || LOWER(c.type) FROM sqlite_master m, \
                 pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
            Database::Postgres { .. } => "SELECT table_name || '.' || column_name || ' ' || data_type \
                 FROM information_schema.columns WHERE table_schema = 'public'",
        };
        let is_postgres = matches!(app.database, Database::Postgres { .. });
        let found = app.database.texts(sql).await;
        let is_left_out = |column: &String| LEFT_OUT.iter().any(|(table, _)| column.starts_with(&format!("{table}.")));
        let mut found: Vec<String> = found.into_iter().filter(|column| !is_left_out(column)).map(|column| {
            column.replace(" bigint", " integer").replace(" blob", " bytea")
        }).collect();
        let mut listed: Vec<String> = TABLES.iter().flat_map(|table| table.columns().map(|column| {
            let kind = match column.kind {
                Kind::Text => "text",
                Kind::Boolean if is_postgres => "boolean",
                Kind::Number | Kind::Boolean => "integer",
                Kind::Bytes => "bytea",
            };
            format!("{}.{} {kind}", table.name, column.name)
        })).collect();
        found.sort();
        listed.sort();
        assert_eq!(listed, found, "src/backup/tables.rs follows the migrations");
    }
}

#[test]
fn what_a_migration_does_to_rows_is_done_to_older_backups_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let number: i64 = name[..4].parse().unwrap();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if line.starts_with("UPDATE ") {
                let expected = (number, line.trim_end_matches(';'));
                assert!(DATA_MIGRATIONS.contains(&expected), "{name}: {line}");
            }
            if let Some(rest) = line.strip_prefix("INSERT INTO ") {
                let seeded = rest.split_whitespace().next().unwrap();
                let table = TABLES.iter().find(|table| table.name == seeded);
                assert!(table.is_some_and(|table| table.is_seeded), "{name}: {line}");
            }
        }
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
    assert!(header(("schema", json!(9_999))).contains("Install that version"));
    assert!(header(("latchkey_backup", json!(2))).contains("Install that version"));
    fs::write(&file, "id,name\n").unwrap();
    assert!(
        rejection(&file)
            .to_string()
            .contains("Name a file that `latchkey backup` created")
    );
    fs::write(&file, "").unwrap();
    assert!(matches!(rejection(&file), FileError::NotABackup));
    for unreadable in [folder.path().join("none"), folder.path().to_owned()] {
        assert!(
            matches!(rejection(&unreadable), FileError::Read(_)),
            "{unreadable:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(unix)]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let app = TestApp::on_sqlite().await;
    let (folder, file) = new_file();
    backup::create(app.engine.db(), &app.clock, &file)
        .await
        .unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    app.remove().await;
}

async fn populate(app: &TestApp) -> Populated {
    let org = app.org("northwind").await;
    org.person("dana", Role::Owner).await;
    let key = org.key("Production \"ü\"").await;
    org.make_key(widget_key("Shop", &["shop.example"]))
        .await
        .unwrap();
    create_agent(
        &app.engine,
        &org.permit(),
        &agent("Helper", &["help.example"]),
    )
    .await
    .unwrap();
    let token = app.service_token().await;
    for origin in [None, Some("https://shop.example"), None] {
        let request = Request {
            key: Some(&key.plain),
            origin,
            ..Request::default()
        };
        app.ask(&request).await;
    }
    app.clock.advance(MINUTE);
    flush(&app.engine).await.unwrap();
    let head = audit::verify(&app.engine, None).await.unwrap();
    Populated {
        org,
        key: key.plain,
        token,
        head,
    }
}

impl Populated {
    async fn is_there(&self, engine: &Engine) {
        assert_eq!(said(&ask(engine, &self.key).await), "VALID");
        assert!(
            service_tokens::recognise(engine, &self.token)
                .await
                .unwrap()
                .is_some()
        );
        assert_eq!(
            audit::verify(engine, Some(&self.head.hash)).await.unwrap(),
            self.head
        );
        let report = report::of_org(engine, &self.org.permit(), Range::Hours24)
            .await
            .unwrap();
        assert_eq!((report.total.passed, report.total.refused), (2, 1));
        let email = "dana@northwind.example".parse().unwrap();
        sign_in(
            engine,
            &email,
            TypedPassword::new(PASSWORD),
            &Visit::default(),
        )
        .await
        .unwrap();
    }
}

async fn ask(engine: &Engine, key: &PlainKey) -> latchkey::verify::Answer {
    verify(
        engine,
        &Request {
            key: Some(key),
            ..Request::default()
        },
    )
    .await
    .unwrap()
}

/// Deletes every row. Entries of the log that are behind its checkpoint can be deleted; the restore replaces that.
async fn destroy(app: &TestApp) {
    let database = &app.database;
    database
        .execute("UPDATE audit_checkpoint SET position = 1000")
        .await;
    for table in TABLES.iter().rev().filter(|table| !table.is_seeded) {
        database
            .execute(&format!("DELETE FROM {}", table.name))
            .await;
    }
}

/// Checks that a backup of the database has the same rows as `file`.
async fn same_again(app: &TestApp, file: &Path, folder: &Path) {
    let again = folder.join("again");
    backup::create(app.engine.db(), &app.clock, &again)
        .await
        .unwrap();
    let rows = |file: &Path| {
        let mut lines = lines_of(file);
        lines.remove(0);
        lines.sort();
        lines
    };
    assert_eq!(rows(&again), rows(file));
}

fn new_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latchkey.backup");
    (folder, file)
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

/// The lines of a backup, but for the last.
fn lines_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.pop();
    lines
}

/// Writes a backup of these lines, with a last one that fits them.
fn write_sealed(file: &Path, lines: Vec<String>) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let sum: String = Sha256::digest(&text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let rows = lines.iter().filter(|line| line.starts_with('[')).count();
    let end = json!({"rows": rows, "sha256": sum});
    fs::write(file, format!("{text}{end}\n")).unwrap();
}

/// The lines without what migrations after the first have added.
fn as_of_the_first_schema(lines: Vec<String>) -> Vec<String> {
    const ADDED: [&str; 6] = [
        "secrets_in_browsers",
        "localhost_forbidden",
        "display",
        "rotation_token",
        "imported",
        "creation_token",
    ];
    const FIRST: [&str; 9] = [
        "orgs",
        "users",
        "memberships",
        "projects",
        "keys",
        "key_secrets",
        "service_tokens",
        "usage_counts",
        "usage_batches",
    ];
    let (mut kept, mut older) = (Vec::new(), Vec::new());
    let mut is_first = true;
    for line in lines {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        if let Some(table) = line["table"].as_str().map(str::to_owned) {
            is_first = FIRST.contains(&&*table);
            let columns = line["columns"].as_array().unwrap();
            kept = columns
                .iter()
                .map(|column| {
                    // Two tables had columns of these names from the first.
                    let stays = matches!(
                        (&*table, column.as_str().unwrap()),
                        ("keys" | "service_tokens", "display") | ("keys", "creation_token")
                    );
                    stays || !ADDED.contains(&column.as_str().unwrap())
                })
                .collect();
            line["columns"] = only(columns, &kept);
        } else if let Some(values) = line.as_array() {
            line = only(values, &kept);
        } else {
            line["schema"] = json!(1);
        }
        if is_first {
            older.push(line.to_string());
        }
    }
    older
}

fn only(values: &[Value], kept: &[bool]) -> Value {
    values
        .iter()
        .zip(kept)
        .filter(|(_, kept)| **kept)
        .map(|(value, _)| value.clone())
        .collect()
}
