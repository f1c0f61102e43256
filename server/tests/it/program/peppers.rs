//! Lost, replaced and rotated peppers.

use std::{
    fs,
    process::{Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};

use super::process::{CREATE_KEY, CREATE_ORG, CREATE_TOKEN, Folder, Server, text};
use crate::test_app::Database;

const SECRET: &str = "a pepper for tests that has enough characters";

#[test]
fn a_pepper_is_rotated_and_in_the_end_not_needed() {
    let folder = Folder::new();
    let (token, key) = folder.token_and_key();
    assert_eq!(status(&folder), ["1 1 1 0 0 3 yes yes yes"]);
    let rotated = folder.run(&["pepper", "rotate"], "");
    assert!(
        rotated.status.success() && rotated.stdout.is_empty(),
        "{rotated:?}"
    );
    assert!(
        text(&rotated.stderr).contains("Restart `latchkey serve`"),
        "{rotated:?}"
    );
    assert_eq!(
        status(&folder),
        ["1 1 1 0 0 3 yes yes -", "2 0 0 0 0 0 - yes yes"]
    );
    succeeds(&folder.run(&["check"], ""), "pepper: ok, number 2");

    let server = folder.serve(&[]);
    assert!(server.verify(&token, &key).contains("\"VALID\""));
    let moved = (0..1_000).any(|_| {
        sleep(Duration::from_millis(20));
        status(&folder) == ["1 0 0 0 0 3 audit yes -", "2 1 1 0 0 0 yes yes yes"]
    });
    assert!(moved, "{:?}", status(&folder));
    assert_eq!(server.end("TERM"), Some(0));
    fs::remove_file(folder.path().join("data/pepper.1")).unwrap();
    assert_eq!(status(&folder)[0], "1 0 0 0 0 3 audit missing -");
    let server = folder.serve(&[]);
    assert!(server.verify(&token, &key).contains("\"VALID\""));
    assert_eq!(server.end("TERM"), Some(0));
}

#[test]
fn what_a_running_server_does_not_know_until_it_is_restarted_is_said() {
    let folder = Folder::with_org();
    let create = |arguments: &[&str]| {
        let output = folder.run(arguments, "");
        assert!(output.status.success(), "{output:?}");
        text(&output.stderr)
    };
    let within_a_second = "This takes effect on a running Latchkey within a second.";
    assert!(create(&CREATE_KEY).contains(within_a_second));
    let server = folder.serve(&[]);
    assert!(folder.run(&["pepper", "rotate"], "").status.success());
    // The server is registered as running after its first heartbeat.
    assert!((0..100).any(|_| create(&CREATE_KEY).contains("Restart")));
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let file = folder.path().join("keys.csv");
    fs::write(file, format!("name,sha256\nOld,{digest}\n")).unwrap();
    let import = ["key", "import", "--org", "northwind", "keys.csv"];
    for arguments in [&CREATE_KEY[..], &CREATE_TOKEN, &import] {
        let said = create(arguments);
        assert!(
            said.contains("Restart `latchkey serve`") && !said.contains("within a second"),
            "{said}"
        );
    }
    assert_eq!(server.end("TERM"), Some(0));
    let server = folder.serve(&[]);
    assert!(create(&CREATE_KEY).contains(within_a_second));
    assert_eq!(server.end("TERM"), Some(0));
}

#[test]
fn commands_that_recognize_nothing_work_without_older_peppers_and_some_without_any() {
    let folder = Folder::new();
    folder.token_and_key();
    let user = ["--email", "ari@northwind.example"];
    let create = [
        "user",
        "create",
        "--org",
        "northwind",
        "--role",
        "owner",
        "--password-stdin",
    ];
    folder.line(&[&create[..], &user].concat(), "granite teapot sings");
    assert!(folder.run(&["pepper", "rotate"], "").status.success());
    let data = folder.path().join("data");
    fs::rename(data.join("pepper.1"), data.join("away")).unwrap();
    let succeeds = |arguments: &[&str], is_possible: bool| {
        let output = folder.run(arguments, "granite teapot sings on");
        assert_eq!(
            output.status.success(),
            is_possible,
            "{arguments:?}: {output:?}"
        );
        text(&output.stdout)
    };
    let disable = [&["user", "disable"][..], &user].concat();
    let enable = [&["user", "enable"][..], &user].concat();
    let reset = [&["user", "reset-password", "--password-stdin"][..], &user].concat();
    let list = succeeds(&["token", "list"], true);
    let id = list.lines().nth(1).unwrap().split('\t').next().unwrap();
    succeeds(&disable, true);
    succeeds(&enable, true);
    succeeds(&reset, true);
    succeeds(&CREATE_KEY, false);
    succeeds(&CREATE_TOKEN, false);
    fs::remove_file(data.join("pepper")).unwrap();
    succeeds(&["token", "list"], true);
    succeeds(&enable, false);
    succeeds(&disable, false);
    succeeds(&reset, false);
    succeeds(&["token", "revoke", id], false);
    assert!(!data.join("pepper").exists());
}

#[test]
fn a_pepper_that_is_lost_missing_or_another_one_is_named_and_nothing_is_served() {
    let folder = Folder::new();
    succeeds(&folder.run(&["check"], ""), "not created yet");
    folder.token_and_key();
    let pepper = folder.path().join("data/pepper");
    let kept = fs::read_to_string(&pepper).unwrap();
    let rejected = |words: &str| {
        let check = folder.run(&["check"], "");
        assert!(text(&check.stdout).contains(words), "{words}: {check:?}");
        for output in [check, folder.run(&["serve", "--listen", "127.0.0.1:0"], "")] {
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(
                said.contains(words) && !said.contains("listening"),
                "{words}: {said}"
            );
        }
    };
    fs::write(&pepper, "x".repeat(64)).unwrap();
    rejected("pepper 1 does not match this database");
    fs::write(&pepper, format!("2:{kept}")).unwrap();
    rejected(
        "pepper 1 is missing but still needed (key secrets: 1, service tokens: 1, second factors: 0)",
    );
    assert_eq!(status(&folder)[0], "1 1 1 0 0 3 yes missing -");
    fs::remove_file(&pepper).unwrap();
    rejected("data/pepper is missing, and the database uses its pepper");
    assert!(!pepper.exists());
    assert_eq!(status(&folder), ["1 1 1 0 0 3 yes missing -"]);
    fs::write(&pepper, kept).unwrap();
    succeeds(&folder.run(&["check"], ""), "pepper: ok, number 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pepper_in_the_settings_is_rotated_by_setting_what_is_printed() {
    let database = Database::postgres().await;
    let folder = Folder::new();
    let settings = |more: &[(&str, &str)]| {
        let mut all = vec![("LATCHKEY_DATABASE_URL".to_owned(), database.url())];
        all.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        all
    };
    let first = settings(&[("LATCHKEY_PEPPER", SECRET)]);
    let run = |arguments: &[&str], settings: &[(String, String)]| {
        let mut command = folder.command(arguments);
        command.envs(settings.iter().cloned()).output().unwrap()
    };
    let line = |arguments: &[&str]| text(&run(arguments, &first).stdout).trim_end().to_owned();
    line(&CREATE_ORG);
    let (token, key) = (line(&CREATE_TOKEN), line(&CREATE_KEY));
    let printed = run(&["pepper", "rotate"], &first);
    assert!(printed.status.success(), "{printed:?}");
    succeeds(&run(&["check"], &first), "pepper: ok, number 1");

    let printed = text(&printed.stdout);
    let lines: Vec<(&str, &str)> = printed
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .collect();
    assert_eq!(
        lines[1],
        ("LATCHKEY_OLDER_PEPPERS", &*format!("1:{SECRET}"))
    );
    assert!(
        lines[0].0 == "LATCHKEY_PEPPER" && lines[0].1.starts_with("2:"),
        "{printed}"
    );
    let rotated = settings(&lines);
    succeeds(&run(&["check"], &rotated), "pepper: ok, number 2");
    let mut serve: Command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.envs(rotated.clone()).stderr(Stdio::null());
    let server = Server::start(serve);
    assert!(server.verify(&token, &key).contains("\"VALID\""));
    assert_eq!(server.end("TERM"), Some(0));
    assert!(!folder.path().join("data/pepper").exists());
    database.remove().await;
}

/// The lines of `pepper status` without the header, with spaces instead of tabs.
fn status(folder: &Folder) -> Vec<String> {
    let output = folder.run(&["pepper", "status"], "");
    assert!(output.status.success(), "{output:?}");
    let text = text(&output.stdout).replace('\t', " ");
    let lines = text.lines().skip(1);
    lines.map(str::to_owned).collect()
}

fn succeeds(output: &Output, words: &str) {
    let said = text(&output.stdout);
    assert!(
        output.status.success() && said.contains(words),
        "{words}: {output:?}"
    );
}
