//! `latchkey audit verify`.

use std::process::Output;

use super::process::{CREATE_ORG, CREATE_TOKEN, Folder};
use crate::test_app::Database;

/// A database for the program, and its folder.
struct Program {
    folder: Folder,
    database: Database,
}

impl Program {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.folder.command(arguments);
        let command = command
            .env("LATCHKEY_DATABASE_URL", self.database.url())
            .env("LATCHKEY_PEPPER", "0123456789abcdef".repeat(4));
        command.output().unwrap()
    }

    /// The count and head of a valid log.
    fn verified(&self, more: &[&str]) -> (u32, String) {
        let output = self.run(&[&["audit", "verify"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (count, head) = text.strip_suffix('\n').unwrap().split_once('\t').unwrap();
        assert_eq!(head.len(), 64, "{text:?}");
        (count.parse().unwrap(), head.to_owned())
    }

    /// Checks that the verification fails with a message that contains `words`.
    fn broken(&self, more: &[&str], words: &str) {
        let output = self.run(&[&["audit", "verify"], more].concat());
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(words), "{words}: {text}");
    }

    async fn verifies_and_names_the_first_bad_entry(self) {
        assert!(self.run(&CREATE_ORG).status.success());
        let (count, head) = self.verified(&[]);
        assert_eq!(count, 1);
        assert!(self.run(&CREATE_TOKEN).status.success());
        assert!(self.run(&CREATE_TOKEN).status.success());
        let (count, later) = self.verified(&["--head", &head]);
        assert_eq!(count, 3);
        assert_eq!(self.verified(&["--head", &later.to_uppercase()]).0, 3);
        self.broken(&["--head", &"f".repeat(64)], "No entry has the head ffff");
        let malformed = self.run(&["audit", "verify", "--head", "0000"]);
        assert_eq!(malformed.status.code(), Some(2), "{malformed:?}");

        let database = &self.database;
        let cut_off = "DELETE FROM audit_log WHERE position = 3";
        database.without_audit_triggers(cut_off).await;
        assert_eq!(self.verified(&[]).0, 2, "nobody recorded the head");
        self.broken(&["--head", &later], "No entry has the head");
        let changed = "UPDATE audit_log SET actor_kind = 'user' WHERE position = 2";
        database.without_audit_triggers(changed).await;
        self.broken(
            &[],
            "The entry at position 2 (token.created, no organization, 20",
        );
        let changed = "UPDATE audit_log SET event = 'org.deleted' WHERE position = 1";
        database.without_audit_triggers(changed).await;
        self.broken(
            &[],
            "The entry at position 1 (org.deleted, organization northwind, 20",
        );
        let forged = "UPDATE audit_log SET event = 'forged', org_id = 'forged' WHERE position = 1";
        database.without_audit_triggers(forged).await;
        self.broken(
            &[],
            "The entry at position 1 (unknown event, organization unknown, 20",
        );
        self.database.remove().await;
    }
}

impl Program {
    async fn names_a_beginning_that_was_moved(self) {
        assert!(self.run(&CREATE_ORG).status.success());
        assert!(self.run(&CREATE_TOKEN).status.success());
        let seal = || {
            let output = self.run(&["audit", "seal"]);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        assert!(seal().contains("already sealed"));
        for sql in [
            "UPDATE audit_checkpoint SET position = 1, hash = (SELECT hash FROM audit_log WHERE position = 1)",
            "DELETE FROM audit_log WHERE position = 1",
        ] {
            self.database.execute(sql).await;
        }
        let words = "The start of the audit log is not authenticated. It is set to position 1,";
        self.broken(&[], words);
        let check = self.run(&["check"]);
        let text = String::from_utf8_lossy(&check.stdout);
        assert!(
            check.status.success() && text.contains(&format!("audit log: {words}")),
            "{check:?}"
        );
        assert_eq!(self.run(&["check", "--strict"]).status.code(), Some(1));
        // The state after an upgrade.
        assert!(seal().contains("starts after position 1"));
        assert_eq!(self.verified(&[]).0, 1);
        self.database
            .execute("UPDATE audit_checkpoint SET position = 2")
            .await;
        self.broken(
            &[],
            "The start of the audit log was changed. It is set to position 2,",
        );
        self.database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_was_moved_is_named_on_sqlite() {
    let (folder, database) = (Folder::new(), Database::sqlite());
    let program = Program { folder, database };
    program.names_a_beginning_that_was_moved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_was_moved_is_named_on_postgres() {
    let (folder, database) = (Folder::new(), Database::postgres().await);
    let program = Program { folder, database };
    program.names_a_beginning_that_was_moved().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_verified_on_sqlite() {
    let (folder, database) = (Folder::new(), Database::sqlite());
    let program = Program { folder, database };
    program.verifies_and_names_the_first_bad_entry().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_verified_on_postgres() {
    let (folder, database) = (Folder::new(), Database::postgres().await);
    let program = Program { folder, database };
    program.verifies_and_names_the_first_bad_entry().await;
}

#[test]
fn a_database_that_is_not_there_is_not_created_and_called_fine() {
    let folder = Folder::new();
    let output = folder.run(&["audit", "verify"], "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(!folder.path().join("data").exists());
}
