//! Backups: all data is restored, on either database, and nothing is restored from a modified file.

mod changed_file;
mod older_version;

use std::{
    fs,
    path::{Path, PathBuf},
};

use latchkey::{
    Engine,
    accounts::{password::TypedPassword, sign_in::sign_in},
    agents::create::create as create_agent,
    audit,
    backup::{self, Backup, BackupError, RestoreError, tables::TABLES},
    caller::Visit,
    key::{
        digest::{Pepper, Peppers},
        text::PlainKey,
    },
    peppers::{self, UnusablePeppers},
    role::Role,
    service_tokens,
    time::MINUTE,
    usage::{
        flush::flush,
        question::Question,
        report::{self, Range},
    },
    verify::{Request, verify},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::test_app::{
    Database, TestApp, TestOrg,
    org::{PASSWORD, agent, widget_key},
    said,
};

/// The data that a test put into a database, for comparison after the restore.
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
        assert_eq!(backup.header().created_at, "2026-11-21T12:01:00.000Z");
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

    async fn which_peppers_the_backup_needs_is_known_after_the_restore(app: &TestApp) {
        let (db, now) = (app.engine.db(), app.clock.now());
        let [ours, others] = [7, 8].map(|byte| Peppers::new(Pepper::new(1, &[byte; 32]).unwrap(), vec![]));
        populate(app).await;
        peppers::accept(db, &ours, &app.clock).await.unwrap();
        let (_folder, file) = new_file();
        backup::create(db, &app.clock, &file).await.unwrap();
        destroy(app).await;
        app.database.execute("DELETE FROM peppers").await;
        // The database was started once with its own pepper and is still empty.
        peppers::accept(db, &others, &app.clock).await.unwrap();
        Backup::open(&file).unwrap().restore(db).await.unwrap();
        peppers::check(db, &ours, now).await.unwrap();
        let error = peppers::check(db, &others, now).await.unwrap_err();
        assert!(matches!(error, UnusablePeppers::Different { version: 1, .. }), "{error:?}");
    }

    async fn a_database_that_holds_data_is_left_alone(app: &TestApp) {
        let (_folder, file) = new_file();
        app.org("northwind").await;
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        let rejected = Backup::open(&file).unwrap().restore(app.engine.db()).await.unwrap_err();
        assert!(matches!(rejected, RestoreError::NotEmpty("orgs")), "{rejected:?}");
        assert!(rejected.to_string().contains("Restore into an empty database"), "{rejected}");
        let again = backup::create(app.engine.db(), &app.clock, &file).await.unwrap_err();
        assert!(matches!(again, BackupError::Exists(_)), "{again:?}");
    }

    async fn a_backup_that_fails_leaves_no_file(app: &TestApp) {
        let (folder, file) = new_file();
        app.database.execute("ALTER TABLE usage_days RENAME TO usage_days_away").await;
        let failed = backup::create(app.engine.db(), &app.clock, &file).await.unwrap_err();
        assert!(matches!(failed, BackupError::Storage(_)), "{failed:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
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
    org.create_key(widget_key("Shop", &["shop.example"]))
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
        let report = report::of_org(
            engine,
            &self.org.permit(),
            &Question::of_range(Range::Hours24),
        )
        .await
        .unwrap();
        assert_eq!((report.total.passed, report.total.refused), (2, 1));
        let email = "dana@northwind.example".parse().unwrap();
        sign_in(
            engine,
            &email,
            TypedPassword::new(PASSWORD),
            &Visit::default(),
            "",
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

/// Deletes every row. Log entries can be deleted because the checkpoint is moved past them; the restore replaces the
/// checkpoint.
pub(super) async fn destroy(app: &TestApp) {
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

/// The lines of a backup without the last one.
fn lines_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.pop();
    lines
}

/// Writes a backup of these lines, with a matching last line.
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
