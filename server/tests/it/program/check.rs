//! `check`, and the warnings of `serve` about missing settings.

use super::process::{Folder, text};
use crate::test_app::Database;

#[tokio::test(flavor = "multi_thread")]
async fn postgres_needs_a_pepper_and_says_so() {
    let database = Database::postgres().await;
    let url = database.url();
    let folder = Folder::new();
    let token = [
        "token",
        "create",
        "--name",
        "API",
        "--scope",
        "verify",
        "--database-url",
        &url,
    ];
    let without = folder.run(&token, "");
    assert!(
        !without.status.success() && without.stdout.is_empty(),
        "{without:?}"
    );
    assert!(
        text(&without.stderr).contains("LATCHKEY_PEPPER"),
        "{without:?}"
    );
    assert!(
        !folder.path().join("data/pepper").exists(),
        "a loopback URL needs no proxy"
    );
    let with = folder
        .command(&token)
        .env("LATCHKEY_PEPPER", "0123456789abcdef".repeat(4))
        .output()
        .unwrap();
    assert!(
        with.status.success() && text(&with.stdout).starts_with("lk_service_"),
        "{with:?}"
    );
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_works_and_what_does_not() {
    let folder = Folder::with_org();
    let well = folder.run(&["check"], "");
    assert!(well.status.success(), "{well:?}");
    assert!(text(&well.stdout).contains("settings: ok"), "{well:?}");
    assert!(text(&well.stdout).contains("database: ok"), "{well:?}");
    let database = Database::postgres().await;
    let url = database.url();
    database.remove().await;
    let unwell = folder.run(&["check", "--database-url", &url], "");
    assert_eq!(unwell.status.code(), Some(1), "{unwell:?}");
    assert!(
        text(&unwell.stdout).contains("does not exist"),
        "{unwell:?}"
    );
    let nobody = "postgres://latchkey:s3cret@127.0.0.1:1/latchkey";
    for command in ["check", "migrate"] {
        let unreached = folder
            .command(&[command])
            .env("LATCHKEY_DATABASE_URL", nobody)
            .output()
            .unwrap();
        assert_eq!(unreached.status.code(), Some(1), "{unreached:?}");
        let said = text(&unreached.stdout) + &text(&unreached.stderr);
        assert!(
            said.contains("cannot be reached at host 127.0.0.1, port 1")
                && said.contains("Check that it is running")
                && !said.contains("s3cret"),
            "{said}"
        );
    }
    let listed = folder.run(&["check", "--database-url", nobody], "");
    let said = text(&listed.stdout) + &text(&listed.stderr);
    assert_eq!(listed.status.code(), Some(1), "{listed:?}");
    assert!(
        said.contains("must not contain a password")
            && said.contains("LATCHKEY_DATABASE_URL")
            && !said.contains("s3cret"),
        "{said}"
    );
    let invalid = folder
        .command(&["check"])
        .env("LATCHKEY_DATABASE_URL", "postgres://a:s3cret@b:port/c")
        .output()
        .unwrap();
    let said = text(&invalid.stdout) + &text(&invalid.stderr);
    assert!(
        said.contains("postgres://USER:PASSWORD@HOST:PORT/DATABASE") && !said.contains("s3cret"),
        "{said}"
    );
    let misset = folder.run(&["check", "--cached-keys", "none"], "");
    assert_eq!(misset.status.code(), Some(1), "{misset:?}");
    assert!(text(&misset.stdout).contains("cached_keys"), "{misset:?}");
}

#[test]
fn check_says_that_a_data_folder_cannot_be_used_and_leaves_nothing_behind() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for data_dir in ["file", "file/data", "/proc/latchkey"] {
        let output = folder.run(&["check", "--data-dir", data_dir], "");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let out = text(&output.stdout);
        assert!(
            out.contains(&format!("the folder {data_dir}")) && out.contains("LATCHKEY_DATA_DIR"),
            "{out}"
        );
    }
    let possible = folder.run(&["check", "--data-dir", "a/b/c"], "");
    assert!(possible.status.success(), "{possible:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    std::fs::create_dir(folder.path().join("shared")).unwrap();
    let no_file = folder.run(&["check", "--database-url", "sqlite:shared"], "");
    let out = text(&no_file.stdout);
    assert!(
        out.contains("shared is a folder. Name a file in it, such as sqlite:shared/latchkey.db")
            && !out.contains("chmod 600"),
        "{out}"
    );
}

#[test]
fn a_password_on_the_command_line_is_refused_and_not_repeated() {
    let folder = Folder::new();
    let flag = [
        "check",
        "--database-url",
        "postgres://latchkey:granite-teapot@127.0.0.1:1/latchkey",
    ];
    let refused = folder.run(&flag, "");
    let said = String::from_utf8([refused.stdout, refused.stderr].concat()).unwrap();
    assert!(!refused.status.success());
    assert!(said.contains("must not contain a password"), "{said}");
    assert!(!said.contains("granite-teapot"), "{said}");
}

#[test]
fn a_proxy_that_is_not_in_the_settings_is_noticed() {
    let folder = Folder::with_org();
    let sentence = "public_url is https, but trusted_proxies is not set";
    let public_url = ["--public-url", "https://keys.example.com"];
    let declared = [&public_url[..], &["--trusted-proxies", "10.0.0.1"]].concat();
    for (flags, code) in [(&public_url[..], 1), (&declared, 0), (&[], 0)] {
        let check = folder.run(&[&["check", "--strict"], flags].concat(), "");
        assert_eq!(check.status.code(), Some(code), "{check:?}");
        assert_eq!(
            text(&check.stdout).contains(sentence),
            code == 1,
            "{check:?}"
        );
    }

    let warnings = |flags: &[&str], forwarded: bool| {
        let log = folder.path().join("log");
        let server = folder.serve_with_log(flags, std::fs::File::create(&log).unwrap());
        for _ in 0..2 {
            let header = [("X-Forwarded-For", "203.0.113.9")];
            server.send("GET", "/healthz", if forwarded { &header } else { &[] }, "");
        }
        assert_eq!(server.end("TERM"), Some(0));
        let log = std::fs::read_to_string(log).unwrap();
        let peer = "X-Forwarded-For from 127.0.0.1 is ignored";
        assert!(!log.contains("203.0.113.9"), "{log}");
        (log.matches(sentence).count(), log.matches(peer).count())
    };
    assert_eq!(warnings(&public_url, true), (1, 1));
    assert_eq!(warnings(&[], false), (0, 0));
    let trusted = [&public_url[..], &["--trusted-proxies", "127.0.0.0/8"]].concat();
    assert_eq!(warnings(&trusted, true), (0, 0));
}
