//! Commands: secrets alone on standard output, messages on standard error, exit code 2 for invalid input.

use std::process::Output;

use rstest::rstest;

use super::process::{CREATE_KEY, CREATE_ORG, CREATE_TOKEN, Folder, text};
use crate::test_app::org::PASSWORD;

#[test]
fn secrets_stand_alone_on_standard_output() {
    let folder = Folder::with_org();
    let token = folder.line(
        &["token", "create", "--name", "API", "--scope", "manage"],
        "",
    );
    assert!(
        token.starts_with("lk_service_") && token.len() == 43,
        "{token}"
    );
    let key = folder.run(&CREATE_KEY, "");
    let (out, err) = (text(&key.stdout), text(&key.stderr));
    assert!(
        out.starts_with("lk_sk_live_") && out.trim_end().len() == 43,
        "{out}"
    );
    assert!(
        !err.contains(out.trim_end()) && err.contains("not shown again"),
        "{err}"
    );
}

#[rstest]
#[case::token_list(&["token", "list"])]
#[case::token_revoke(&["token", "revoke", "svc_01a215b32cd57ce7ad8f5f395ce091c5"])]
#[case::user_disable(&["user", "disable", "--email", "ari@northwind.example"])]
#[case::user_enable(&["user", "enable", "--email", "ari@northwind.example"])]
#[case::audit_verify(&["audit", "verify"])]
#[case::pepper_status(&["pepper", "status"])]
#[case::key_create(&CREATE_KEY)]
fn in_a_folder_without_a_database_nothing_is_created_to_look_for_things_in(
    #[case] arguments: &[&str],
) {
    let folder = Folder::new();
    let output = folder.run(arguments, "");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let err = text(&output.stderr);
    assert!(
        err.contains("no database was found at") && err.contains("Check data_dir"),
        "{err}"
    );
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_second_factor_is_reset_by_the_address_of_its_account() {
    let folder = Folder::with_org();
    let email = "ari@northwind.example";
    let create = [
        "user",
        "create",
        "--org",
        "northwind",
        "--role",
        "owner",
        "--password-stdin",
    ];
    folder.line(&[&create[..], &["--email", email]].concat(), PASSWORD);
    let none = folder.run(&["user", "reset-second-factor", email], "");
    assert_eq!(none.status.code(), Some(0), "{none:?}");
    let said = text(&none.stderr);
    assert!(
        said.contains("ari@northwind.example has no second factor."),
        "{said}"
    );
    let unknown = folder.run(
        &["user", "reset-second-factor", "eve@northwind.example"],
        "",
    );
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}

#[test]
fn an_operator_is_marked_and_unmarked_and_an_organization_is_deleted() {
    let folder = Folder::with_org();
    let created = folder.run(
        &[
            "user",
            "create",
            "--email",
            "ari@northwind.example",
            "--org",
            "northwind",
            "--role",
            "member",
            "--operator",
            "--password-stdin",
        ],
        PASSWORD,
    );
    assert!(
        text(&created.stderr).contains("member of Northwind and operator of the instance"),
        "{created:?}"
    );
    for (arguments, said) in [
        (
            &["user", "operator", "ari@northwind.example"][..],
            "is an operator already",
        ),
        (
            &["user", "operator", "ari@northwind.example", "--remove"],
            "is no longer an operator.\nNobody is an operator of this instance now",
        ),
        (
            &["user", "operator", "ari@northwind.example"],
            "is now an operator",
        ),
    ] {
        let output = folder.run(arguments, "");
        assert!(output.status.success(), "{output:?}");
        assert!(text(&output.stderr).contains(said), "{output:?}");
    }
    let nobody = folder.run(&["user", "operator", "eve@northwind.example"], "");
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");
    folder.line(&CREATE_KEY, "");
    let deleted = folder.run(&["org", "delete", "northwind"], "");
    let said = text(&deleted.stderr);
    assert!(
        deleted.status.success() && said.contains("Its keys (1, of which 0 were used in the last 24 hours) and service tokens (0) are rejected"),
        "{said}"
    );
    for arguments in [&["org", "delete", "northwind"][..], &CREATE_KEY] {
        let again = folder.run(arguments, "");
        assert_eq!(again.status.code(), Some(2), "{again:?}");
        assert!(text(&again.stderr).contains("was not found"), "{again:?}");
    }
    let taken = folder.run(&CREATE_ORG, "");
    assert!(text(&taken.stderr).contains("is taken"), "{taken:?}");
    assert!(folder.run(&["audit", "verify"], "").status.success());
}

#[test]
fn a_key_is_made_as_its_flags_say() {
    let folder = Folder::with_org();
    let flags = [
        "key",
        "create",
        "--org",
        "northwind",
        "--name",
        "Shop",
        "--kind",
        "widget",
        "--environment",
        "test",
        "--scope",
        "bots:read",
        "--scope",
        "channels:read",
        "--domain",
        "shop.example",
        "--domain",
        "*.shop.example",
        "--expires-in-days",
        "30",
        "--json",
    ];
    let output = folder.run(&flags, "");
    assert!(output.status.success(), "{output:?}");
    let mut object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let key = object["key"].take();
    assert!(
        key.as_str()
            .is_some_and(|key| key.starts_with("lk_pk_test_")),
        "{key}"
    );
    let days = |name: &str| {
        object[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert_eq!(
        (days("expires_at") - days("created_at")).get_seconds(),
        30 * 86_400
    );
    for (field, value) in [
        ("name", serde_json::json!("Shop")),
        ("kind", serde_json::json!("widget")),
        ("environment", serde_json::json!("test")),
        ("status", serde_json::json!("active")),
        ("scopes", serde_json::json!(["bots:read", "channels:read"])),
        (
            "domains",
            serde_json::json!(["shop.example", "*.shop.example"]),
        ),
        ("last_used_at", serde_json::Value::Null),
    ] {
        assert_eq!(object[field], value, "{field}");
    }
}

#[test]
fn people_are_made_with_a_password_from_standard_input() {
    let folder = Folder::with_org();
    let flags = [
        "user",
        "create",
        "--email",
        "Dana@Example.com",
        "--org",
        "northwind",
        "--role",
        "owner",
        "--password-stdin",
    ];
    let id = folder.line(&flags, &format!("{PASSWORD}\n"));
    assert!(id.starts_with("usr_"), "{id}");
    let again = folder.run(&flags, PASSWORD);
    assert_eq!(
        (again.status.code(), text(&again.stdout)),
        (Some(2), String::new())
    );
    assert!(
        text(&again.stderr).contains("dana@example.com"),
        "{again:?}"
    );
}

#[test]
fn bad_input_exits_with_two_and_says_why() {
    let folder = Folder::with_org();
    let user = |password: &str| {
        let flags = [
            "user",
            "create",
            "--email",
            "a@example.com",
            "--org",
            "northwind",
            "--role",
            "owner",
            "--password-stdin",
        ];
        folder.run(&flags, password)
    };
    refused(&user("short"), "at least 8 characters");
    refused(&user(""), "at least 8 characters");
    refused(&user("password1"), "attackers try it first");
    refused(&folder.run(&CREATE_ORG, ""), "taken");
    refused(
        &folder.run(&["org", "create", "--name", "N", "--slug", "No Slug"], ""),
        "lower-case letters",
    );
    refused(
        &folder.run(
            &["token", "create", "--name", "N", "--scope", "everything"],
            "",
        ),
        "`verify` or `manage`",
    );
    let key = |more: &[&str]| folder.run(&[&CREATE_KEY, more].concat(), "");
    refused(&key(&["--domain", "shop.example"]), "Only widget keys");
    refused(&key(&["--domain", "co.uk"]), "co.uk");
    refused(
        &key(&["--expires-in-days", "3", "--never-expires"]),
        "--never-expires",
    );
    let widget = [
        "key",
        "create",
        "--org",
        "northwind",
        "--name",
        "Shop",
        "--kind",
        "widget",
    ];
    refused(&folder.run(&widget, ""), "allowed domains");
    let nowhere = [
        "key", "create", "--org", "contoso", "--name", "Shop", "--kind", "secret",
    ];
    refused(
        &folder.run(&nowhere, ""),
        "Organization `contoso` was not found",
    );
    refused(&folder.run(&["no-such-command"], ""), "no-such-command");
    refused(
        &folder.run(&["migrate", "--sign-up", "maybe"], ""),
        "sign_up",
    );
    refused(
        &folder.run(&["migrate", "--config", "none.toml"], ""),
        "none.toml",
    );
}

#[test]
fn what_flags_take_is_said_in_words_for_people() {
    let folder = Folder::with_org();
    let key = |more: &[&str]| folder.run(&[&CREATE_KEY, more].concat(), "");
    let days = "Must be a whole number from 1 to 36500.";
    for wrong in ["0", "36501", "-1", "1.5", "x", ""] {
        let flag = format!("--expires-in-days={wrong}");
        refused(&key(&[&flag]), days);
        refused(
            &folder.run(&[&CREATE_TOKEN[..], &[&flag]].concat(), ""),
            days,
        );
    }
    refused(&key(&["--metadata", "{a}"]), r#"such as {"plan": "gold"}"#);
    let scopes = "Unknown scope `nonsense`. Choose from `bots:read`, `bots:write`,";
    refused(&key(&["--scope", "nonsense"]), scopes);
    let none = ["--scope", "nonsense", "--convention", "talkifai"];
    refused(
        &key(&none),
        "Keys of this instance have no scopes. Omit this field.",
    );
    let id = "Enter the ID of a service token: `svc_` followed by 32 hexadecimal digits.";
    refused(&folder.run(&["token", "revoke", "API"], ""), id);
    let kind = folder.run(&["key", "create", "--kind", "public"], "");
    refused(&kind, "Must be `secret` or `widget`.");
    let file = "# a comment\nlisten = 127.0.0.1:1\n";
    std::fs::write(folder.path().join("latchkey.toml"), file).unwrap();
    refused(&folder.run(&["migrate"], ""), "line 2 is not valid TOML");
}

#[test]
fn a_token_that_is_revoked_again_was_revoked_then() {
    let folder = Folder::with_org();
    folder.line(&CREATE_TOKEN, "");
    let list = text(&folder.run(&["token", "list"], "").stdout);
    let id = list.lines().nth(1).unwrap().split('\t').next().unwrap();
    let revoke = || folder.run(&["token", "revoke", id], "");
    let first = revoke();
    assert!(text(&first.stderr).starts_with("Revoked."), "{first:?}");
    let again = revoke();
    assert!(again.status.success(), "{again:?}");
    let said = text(&again.stderr);
    let at = said
        .strip_prefix("This token was already revoked, at ")
        .unwrap();
    let at: jiff::Timestamp = at.trim_end().trim_end_matches('.').parse().unwrap();
    assert!(at.as_second() > 0, "{at}");
    assert_eq!(
        text(&revoke().stderr),
        said,
        "the time of the first revocation"
    );
    let none = ["token", "revoke", "svc_00000000000000000000000000000000"];
    refused(&folder.run(&none, ""), "run `latchkey token list`");
}

#[test]
fn a_setting_that_is_none_is_refused_by_name() {
    let folder = Folder::new();
    std::fs::write(
        folder.path().join("latchkey.toml"),
        "listten = \"127.0.0.1:1\"\n",
    )
    .unwrap();
    refused(&folder.run(&["migrate"], ""), "listten");
}

/// Checks that a command was rejected because of its input, with a message that contains `words`.
fn refused(output: &Output, words: &str) {
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(2), String::new()),
        "{output:?}"
    );
    assert!(
        text(&output.stderr).contains(words),
        "{words}: {}",
        text(&output.stderr)
    );
}

#[test]
fn keys_are_imported_from_a_file_all_or_none() {
    let folder = Folder::with_org();
    let import = |more: &[&str]| {
        let arguments = [&["key", "import", "--org", "northwind", "keys.csv"], more].concat();
        folder.run(&arguments, "")
    };
    let write = |text: &str| std::fs::write(folder.path().join("keys.csv"), text).unwrap();
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    write(&format!("name,sha256\nOld,{digest}\nWrong,abc\n"));
    let refused = import(&["--json"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let report: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(report["imported"], false);
    assert_eq!(report["entries"][0]["problems"], serde_json::json!([]));
    assert_eq!(report["entries"][1]["line"], 3);
    assert_eq!(report["entries"][1]["problems"][0]["field"], "sha256");

    std::fs::write(folder.path().join("latin"), b"name,sha256\nJ\xfcrgen,").unwrap();
    for (file, words) in [("data", "data is a folder"), ("latin", "is not UTF-8 text")] {
        let arguments = [
            "key",
            "import",
            "--org",
            "northwind",
            "--format",
            "csv",
            file,
        ];
        let output = folder.run(&arguments, "");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(words), "{output:?}");
    }

    write(&format!("name,sha256\nOld,{digest}\n"));
    let dry = import(&["--dry-run"]);
    assert!(dry.status.success(), "{dry:?}");
    assert_eq!(text(&dry.stdout), "2\tOld\tok\tsecret\tlive\tnever\n");
    assert!(text(&dry.stderr).contains("dry run"), "{dry:?}");
    assert!(import(&[]).status.success());
    assert_eq!(import(&[]).status.code(), Some(1), "it is already stored");
    assert_eq!(import(&["--format", "json"]).status.code(), Some(1));
}
