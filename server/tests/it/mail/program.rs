//! `latchkey check`, `latchkey user reset-password` and `latchkey user change-email`.

use crate::{
    program::process::{Folder, text},
    test_app::smtp::SmtpServer,
};

const KIM: &str = "kim@northwind.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn check_connects_to_the_mail_server_and_sends_a_mail() {
    let smtp = SmtpServer::start().await;
    let folder = Folder::new();
    let run = |url: &str, arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command.env("LATCHKEY_SMTP_URL", url);
        command.env("LATCHKEY_MAIL_FROM", "Keys <keys@example.com>");
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stdout))
    };
    let server = smtp.url.strip_prefix("smtp://").unwrap();
    let (code, said) = run(&smtp.url, &["check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("mail: ok, {server}\n")), "{said}");
    assert!(smtp.mails().is_empty());

    let with_password = format!("smtp://user:teapot@{server}");
    let (code, said) = run(&with_password, &["check", "--mail-to", KIM]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&format!("mail: ok, {server}, sent a mail to {KIM}\n"))
            && !said.contains("teapot"),
        "{said}"
    );
    let mail = smtp.mail_to(KIM).await;
    assert!(
        mail.text.contains("From: Keys <keys@example.com>")
            && mail.text.contains("This Latchkey instance can send mail."),
        "{mail:?}"
    );
    // "\0user\0teapot"
    assert!(
        smtp.credentials()
            .iter()
            .all(|line| line == "AUTH PLAIN AHVzZXIAdGVhcG90")
            && !smtp.credentials().is_empty()
    );

    smtp.respond(&["550 \u{1b}[31mno such mailbox"]);
    let (code, said) = run(&smtp.url, &["check", "--mail-to", KIM]);
    assert!(
        code == Some(1) && said.contains("no such mailbox") && !said.contains('\u{1b}'),
        "{said}"
    );
    assert!(
        said.contains(
            "settings: smtp_url is set, but public_url is not: links in mail lead to localhost."
        ),
        "{said}"
    );
    let (code, said) = run("smtp://127.0.0.1:1", &["check"]);
    assert!(
        code == Some(1) && said.contains("mail: 127.0.0.1:1: "),
        "{said}"
    );
    let (code, said) = run("", &["check", "--mail-to", KIM]);
    assert!(
        code == Some(1) && said.contains("mail: smtp_url is not set"),
        "{said}"
    );
    let (code, said) = run("smtp://user:teapot@mail.example.com", &["check"]);
    assert!(
        code == Some(1)
            && said.contains("would send the password unencrypted")
            && !said.contains("teapot"),
        "{said}"
    );
}

#[test]
fn the_operator_prints_a_link_and_changes_an_address() {
    let folder = Folder::with_org();
    let create = [
        "user",
        "create",
        "--email",
        KIM,
        "--org",
        "northwind",
        "--role",
        "owner",
        "--password-stdin",
    ];
    folder.line(&create, "marmalade on a tuesday");
    let link = folder.line(&["user", "reset-password", KIM], "");
    let (_, token) = link
        .split_once("http://localhost:3000/reset-password/")
        .unwrap();
    let server = folder.serve(&["--public-url", "http://localhost:3000"]);
    let path = format!("/reset-password/{token}");
    let page = server.send("GET", &path, &[], "");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains(KIM),
        "{page}"
    );
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", "http://localhost:3000"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let done = server.send("POST", &path, &form, "new_password=granite+teapot+sings");
    assert!(done.starts_with("HTTP/1.1 303"), "{done}");
    assert_eq!(server.end("TERM"), Some(0));
    for arguments in [
        &["user", "reset-password", "nobody@example.com"][..],
        &["user", "reset-password"],
    ] {
        assert_eq!(
            folder.run(arguments, "").status.code(),
            Some(2),
            "{arguments:?}"
        );
    }

    let change = |from, to| folder.run(&["user", "change-email", "--email", from, "--to", to], "");
    assert!(change(KIM, "k@example.com").status.success());
    let taken = change("k@example.com", "k@example.com");
    assert!(taken.status.success(), "the same address");
    folder.line(&create, "marmalade on a tuesday");
    let taken = change("k@example.com", KIM);
    assert_eq!(taken.status.code(), Some(2), "{taken:?}");
    assert!(text(&taken.stderr).contains("already exists"));
}
