//! Several processes that start concurrently on one database.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::process::{Folder, Server, text};
use crate::test_app::Database;

/// A pepper for Postgres, which requires one.
const PEPPER: &str = "a pepper for tests that has enough characters";

#[test]
fn a_server_and_commands_that_start_together_all_work_on_sqlite() {
    for _ in 0..3 {
        let folder = Folder::new();
        let commands: Vec<Child> = (0..3)
            .map(|number| org_create(&folder, number, &[]))
            .collect();
        let server = folder.serve(&[]);
        all_succeed(commands);
        assert!(
            server
                .send("GET", "/readyz", &[], "")
                .starts_with("HTTP/1.1 200")
        );
        assert_eq!(server.end("TERM"), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_commands_that_start_together_all_work_on_postgres() {
    let database = Database::postgres_without_tables().await;
    let folder = Folder::new();
    let url = database.url();
    let settings = [
        ("LATCHKEY_DATABASE_URL", url.as_str()),
        ("LATCHKEY_PEPPER", PEPPER),
    ];
    let commands: Vec<Child> = (0..3)
        .map(|number| org_create(&folder, number, &settings))
        .collect();
    let mut serve = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.envs(settings).stderr(Stdio::null());
    let server = Server::start(serve);
    all_succeed(commands);
    assert_eq!(server.end("TERM"), Some(0));
    database.remove().await;
}

#[test]
fn the_setup_link_is_printed_while_there_is_no_account() {
    let folder = Folder::with_org();
    let link = folder.line(&["setup-link"], "");
    assert!(
        link.starts_with("http://localhost:3000/sign-up?code="),
        "{link}"
    );
    let (_, code) = link.split_once("?code=").unwrap();
    assert!(code.len() >= 22, "128 bits: {code}");
    let first_lines = |folder: &Folder, flags: &[&str]| {
        let mut serve = folder.command(&[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        serve.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = serve.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines: Vec<String> = lines.take(2).map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        lines.concat()
    };
    let said = first_lines(&folder, &[]);
    assert!(said.ends_with(&format!("/sign-up?code={code}")), "{said}");
    let closed = ["--sign-up", "closed"];
    let said = first_lines(&folder, &closed);
    assert!(
        said.contains("sign_up is closed") && !said.contains(code),
        "{said}"
    );
    let refused = |arguments: &[&str], sentence: &str| {
        let output = folder.run(arguments, "");
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{output:?}"
        );
        assert!(text(&output.stderr).contains(sentence), "{output:?}");
    };
    refused(&["setup-link", "--sign-up", "closed"], "sign_up is closed");
    let dana = [
        "--email",
        "dana@northwind.example",
        "--org",
        "northwind",
        "--role",
        "owner",
    ];
    let create = [&["user", "create", "--password-stdin"], &dana[..]].concat();
    folder.line(&create, "granite teapot sings");
    refused(&["setup-link"], "An account exists");
}

#[test]
fn processes_that_upgrade_an_old_database_together_all_work() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(first_schema(&folder));
    let commands: Vec<Child> = (0..3)
        .map(|number| org_create(&folder, number, &[]))
        .collect();
    let server = folder.serve(&[]);
    all_succeed(commands);
    assert_eq!(server.end("TERM"), Some(0));
    let listed = folder.run(&["check"], "");
    assert!(
        String::from_utf8_lossy(&listed.stdout).contains("up to date"),
        "{listed:?}"
    );
}

/// A database that the first version created.
async fn first_schema(folder: &Folder) {
    use sqlx::{
        Connection as _, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions,
    };
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("data/latchkey.db"))
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let migrations = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let mut migrator = Migrator::new(migrations).await.unwrap();
    migrator.migrations.to_mut().truncate(1);
    migrator.run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn org_create(folder: &Folder, number: usize, settings: &[(&str, &str)]) -> Child {
    let slug = format!("org-{number}");
    let mut command: Command =
        folder.command(&["org", "create", "--name", "Northwind", "--slug", &slug]);
    command
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn all_succeed(commands: Vec<Child>) {
    for command in commands {
        let output = command.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
#[cfg(unix)]
fn files_with_secrets_are_their_owners_alone_in_any_folder_and_others_are_warned_of() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let folder = Folder::new();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let set_mode = |name: &str, mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(data.join(name), permissions).unwrap();
    };
    set_mode("", 0o755);
    let server = folder.serve(&[]);
    for file in fs::read_dir(&data).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
    assert_eq!(server.end("TERM"), Some(0));

    let check = |arguments: &[&str]| {
        let output = folder.run(&[&["check"], arguments].concat(), "");
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let rotated = folder.run(&["pepper", "rotate"], "");
    assert!(rotated.status.success(), "{rotated:?}");
    let (code, said) = check(&["--strict"]);
    assert!(code == Some(0) && !said.contains("other users"), "{said}");

    set_mode("latchkey.db", 0o640);
    set_mode("pepper", 0o620);
    set_mode("pepper.1", 0o604);
    set_mode("", 0o775);
    let warnings = [
        "the files in ./data can be replaced by other users of this machine, who can write to the folder. Run chmod go-w ./data",
        "./data/latchkey.db can be read by other users of this machine. Run chmod 600 ./data/latchkey.db",
        "./data/pepper can be written by other users of this machine. Run chmod 600 ./data/pepper",
        "./data/pepper.1 can be read by other users of this machine. Run chmod 600 ./data/pepper.1",
    ];
    let (code, said) = check(&[]);
    assert_eq!(code, Some(0), "a working check is not a failure: {said}");
    let (code, _) = check(&["--strict"]);
    assert_eq!(code, Some(1), "{said}");
    let log = folder.path().join("log");
    let server = folder.serve_with_log(&[], fs::File::create(&log).unwrap());
    assert_eq!(server.end("TERM"), Some(0));
    let log = fs::read_to_string(log).unwrap();
    for warning in warnings {
        assert!(said.contains(&format!("files: {warning}\n")), "{said}");
        assert!(log.contains(&format!("{warning}\n")), "{log}");
    }
}
