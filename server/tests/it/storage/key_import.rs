//! Importing keys by their SHA-256 digests.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use latchkey::{
    key::{Environment, Kind, text::PlainKey},
    keys::{
        import::{EntryReport, Format, ImportError, Report, import},
        list::KeyQuery,
        show,
    },
    projects,
    random::Randomness,
    time::DAY,
    verify::{Request, verify},
};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::test_app::{NOON, TestApp, org::secret_key, said};

on_both! {
    async fn an_import_whose_project_is_deleted_after_the_check_is_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let (permit, mut refused) = (org.permit(), 0);
        // The project is deleted at every await of the import.
        for polls in 1.. {
            let name = format!("Shop {polls}");
            let project = projects::create(&app.engine, &org.permit(), &name.parse().unwrap()).await.unwrap();
            let text = format!("name,sha256,project\nOne,{polls:064x},{name}\n");
            let mut importing = pin!(import(&app.engine, &permit, Format::Csv, &text, false));
            let mut left = polls;
            let early = poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                importing.as_mut().poll(context).map(Some)
            });
            if let Some(done) = early.await {
                assert!(done.unwrap().imported);
                break;
            }
            let of_project = org.permit();
            let mut deleting = pin!(projects::delete(&app.engine, &of_project, project));
            // Waits in vain if the import has the lock.
            let imported = match timeout(Duration::from_millis(100), deleting.as_mut()).await {
                Ok(_) => importing.await,
                Err(_) => tokio::join!(importing, deleting).0,
            };
            match imported {
                Ok(_) => {}
                Err(ImportError::ProjectDeleted) => refused += 1,
                Err(error) => panic!("after {polls} polls: {error:?}"),
            }
        }
        assert!(refused > 0);
    }

    async fn imported_keys_are_what_their_file_says_and_verify(app: &TestApp) {
        let org = app.org("northwind").await;
        let (one, two) = (key(1), key(2));
        assert_eq!(said(&app.verify(&one).await), "INVALID_API_KEY unknown");
        let text = format!(
            "name,sha256,prefix,last_four,environment,kind,scopes,domains,ip_ranges,expires_in_days,notes,project,metadata,external_id\n\
             Old server,{},lk_sk_test_ab,wxyz,test,,bots:read channels:read,,,30,\"Two\nlines\",Default,\"{{\"\"tier\"\": 1}}\",user_1\n\
             Old widget,{},,,,widget,,shop.example;*.shop.example,,,,,,\n",
            sha256(&one).to_uppercase(),
            sha256(&two),
        );
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(report.imported && report.is_good(), "{report:?}");
        assert_eq!(said(&app.verify(&one).await), "VALID", "a key that was requested before is found immediately");
        assert_eq!(org.names(KeyQuery::default()).await.len(), 2);
        let id = app.verify(&one).await.key.unwrap().id;
        let stored = show::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        assert_eq!(stored.summary.display, "lk_sk_test_ab••••••••wxyz");
        assert_eq!((stored.summary.kind, stored.summary.environment), (Kind::Secret, Environment::Test));
        assert_eq!((stored.settings.scopes.len(), stored.settings.external_id.as_deref()), (2, Some("user_1")));
        assert_eq!(stored.summary.lifecycle.expires_at, Some(NOON.plus(30 * DAY)));
        assert_eq!((stored.settings.notes.as_str(), stored.settings.metadata.as_json()), ("Two\nlines", r#"{"tier":1}"#));
        let id = app.verify(&two).await.key.unwrap().id;
        let stored = show::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        assert_eq!((stored.summary.kind, stored.settings.domains.len()), (Kind::Widget, 2));
        assert_eq!(stored.summary.lifecycle.expires_at, None, "a key without an expiry date does not expire");
    }

    async fn json_does_the_same_and_a_dry_run_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let text = serde_json::json!([{"name": "Old", "sha256": sha256(&key(1)), "scopes": ["bots:read"]}]).to_string();
        let report = import(&app.engine, &org.permit(), Format::Json, &text, true).await.unwrap();
        assert!(report.is_good() && !report.imported, "{report:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        let report = import(&app.engine, &org.permit(), Format::Json, &text, false).await.unwrap();
        assert!(report.imported, "{report:?}");
        assert_eq!(said(&app.verify(&key(1)).await), "VALID");
    }

    async fn only_an_import_that_would_be_carried_out_says_that_another_org_has_a_key(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let [own, theirs] = [(&org, 1), (&other, 2)];
        for (org, number) in [own, theirs] {
            let text = format!("name,sha256\nOld,{}\n", sha256(&key(number)));
            assert!(import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap().imported);
        }
        let text = format!("name,sha256\nOwn,{}\nTheirs,{}\n", sha256(&key(1)), sha256(&key(2)));
        for dry_run in [true, false] {
            let report = import(&app.engine, &org.permit(), Format::Csv, &text, dry_run).await.unwrap();
            assert_eq!(told(&report).trim(), "2 Own\n    sha256: This key already exists and cannot be imported again.\n3 Theirs");
        }
        let text = format!("name,sha256\nNew,{}\nTheirs,{}\n", sha256(&key(3)), sha256(&key(2)));
        let dry = import(&app.engine, &org.permit(), Format::Csv, &text, true).await.unwrap();
        assert!(dry.is_good(), "{dry:?}");
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(!report.imported);
        assert_eq!(told(&report).trim(), "2 New\n3 Theirs\n    sha256: This key already exists and cannot be imported again.");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 2);
    }

    async fn a_key_made_elsewhere_may_look_like_a_mistyped_one_of_ours(app: &TestApp) {
        let org = app.org("northwind").await;
        let ours = org.key("Ours").await.plain;
        let (front, last) = ours.expose().split_at(ours.expose().len() - 1);
        let theirs = PlainKey::from_presented(format!("{front}{}", if last == "0" { "1" } else { "0" }));
        assert_eq!(said(&app.verify(&theirs).await), "INVALID_API_KEY malformed");
        let text = serde_json::json!([{"name": "Theirs", "sha256": sha256(&theirs)}]).to_string();
        import(&app.engine, &org.permit(), Format::Json, &text, false).await.unwrap();
        assert_eq!(said(&app.verify(&theirs).await), "VALID");

        let other = app.another_engine(|_| {}).await;
        let request = Request { key: Some(&theirs), ..Request::default() };
        assert_eq!(said(&verify(&other, &request).await.unwrap()), "INVALID_API_KEY malformed");
        latchkey::imports::refresh(&other).await.unwrap();
        assert_eq!(said(&verify(&other, &request).await.unwrap()), "VALID", "another instance notices the import");
    }

    async fn a_running_server_takes_a_key_that_another_process_imports_within_ten_seconds(app: &TestApp) {
        let org = app.org("northwind").await;
        let at_the_command_line = app.another_engine(|_| {}).await;
        assert_eq!(said(&app.verify(&key(1)).await), "INVALID_API_KEY unknown");
        let text = serde_json::json!([{"name": "Old", "sha256": sha256(&key(1)), "scopes": ["bots:read", "bots:read"]}]).to_string();
        import(&at_the_command_line, &org.permit(), Format::Json, &text, false).await.unwrap();
        assert_eq!(app.database.texts("SELECT scopes FROM keys").await, [r#"["bots:read"]"#]);
        app.clock.advance(9_999);
        assert_eq!(said(&app.verify(&key(1)).await), "INVALID_API_KEY unknown", "not every request reads the database");
        app.clock.advance(1);
        assert_eq!(said(&app.verify(&key(1)).await), "VALID");
    }

    async fn one_bad_entry_keeps_all_out_and_each_is_told_what_is_wrong(app: &TestApp) {
        let org = app.org("northwind").await;
        let stored_by_another = app.org("contoso").await.create_key(secret_key("Theirs")).await.unwrap().plain;
        let (good, twin) = (sha256(&key(1)), sha256(&key(2)));
        let theirs = sha256(&stored_by_another);
        let text = format!(
            "name,sha256,kind,scopes,domains,expires_at,expires_in_days,project,last_four,metadata\n\
             Good,{good},,,,,,,,\n\
             ,abc,robot,bots:eat,,yesterday,,Nowhere,12345,[]\n\
             Twin,{twin},,,,,,,,\n\
             Twin,{twin},,,,,,,,\n\
             Theirs,{theirs},,,,,,,,\n\
             Widget,{},widget,bots:eat,,2020-01-01,,,,\n\
             Both,{},,,a.example com,2030-01-01,3,,,\n",
            sha256(&key(3)), sha256(&key(4)),
        );
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(!report.imported);
        insta::allow_duplicates! { insta::assert_snapshot!(told(&report), @r"
        2 Good
        3
            last_four: Must be the last four characters of the key, or be omitted.
            sha256: Must be the SHA-256 digest of the key: 64 hexadecimal digits, or 43 characters of base64.
            kind: Must be `secret` or `widget`.
            project: The project was not found in this organization. Choose another one.
            expires_at: Must be the last day, such as 2027-01-31, or a time, such as 2027-01-31T12:00:00Z.
            name: Enter a name.
            metadata: Must be a JSON object.
        4 Twin
        5 Twin
            sha256: Entry 4 has the same key. Remove one of them.
        6 Theirs
        7 Widget
            domains: Enter at least one domain. A widget key works only on its allowed domains.
            scopes: Unknown scope `bots:eat`. Choose from `bots:read`, `bots:write`, `integrations:read`, `integrations:write`, `channels:read`, `channels:write`, `conversations:read`, `conversations:write`, `agent-loops:read`, `agent-loops:write`, `admin`.
            expires_at: The expiry date must be in the future.
        8 Both
            expires_at: Use either expires_at or expires_in_days, not both.
            domains: Anyone can have a site under `com`. Enter your own domain, such as `mysite.com`.
        ") };
        assert_eq!(org.names(KeyQuery::default()).await, [""; 0]);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
    }

    async fn a_file_that_holds_nothing_or_too_much_is_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let refused = async |text: &str| import(&app.engine, &org.permit(), Format::Csv, text, true).await.unwrap_err();
        assert!(matches!(refused("name,sha256\n").await, ImportError::Empty));
        assert!(matches!(refused(&format!("name,sha256\n{}", "a,b\n".repeat(10_001))).await, ImportError::TooMany));
        assert!(matches!(refused("").await, ImportError::Unreadable(_)));
    }

    async fn many_keys_are_imported_in_one_go(app: &TestApp) {
        let org = app.org("northwind").await;
        let lines: String = (0..1_200).map(|number| format!("Key {number},{}\n", sha256(&key(number)))).collect();
        let text = format!("name,sha256\n{lines}");
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(report.imported, "{:?}", report.entries.first());
        assert_eq!(said(&app.verify(&key(1_199)).await), "VALID");
        let again = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(!again.imported && again.entries.iter().all(|entry| entry.problems.len() + entry.more_problems == 1));
    }

}

on_both! { under "cencori":
    async fn of_concurrent_imports_of_a_key_one_is_carried_out_and_the_other_told(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let text = |name: &str| {
            let keys: String = (0..600).map(|number| format!("{name} {number},{}\n", sha256(&key(number)))).collect();
            format!("name,sha256\n{keys}")
        };
        let (one, two) = (text("One"), text("Two"));
        let elsewhere = app.fresh_engine();
        let (org_permit, other_permit) = (org.permit(), other.permit());
        let (one, two) = tokio::join!(
            import(&app.engine, &org_permit, Format::Csv, &one, false),
            import(&elsewhere, &other_permit, Format::Csv, &two, false),
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_ne!(one.imported, two.imported);
        let rejected = if one.imported { two } else { one };
        assert!(told(&rejected).contains("This key already exists and cannot be imported again."), "{rejected:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 600);
    }

    async fn a_prefix_cannot_be_the_key_nor_the_key_without_its_last_four(app: &TestApp) {
        let org = app.org("northwind").await;
        let whole = "k7AA9C-9f3a2b1c";
        let digest = sha256(&PlainKey::from_presented(whole.to_owned()));
        let other = sha256(&key(1));
        let (longest, longer) = ("a".repeat(16), "a".repeat(17));
        let text = format!(
            "name,sha256,prefix,last_four\nWhole,{digest},{whole},\nFour,{digest},k7AA9C-9f3a,2b1c\nOver,{digest},k7AA9C-9f3a2b,2b1c\nLong,{other},{longer},\n\
             Good,{other},{longest},wxyz\nPart,{digest},k7AA9C-,2b1c\n"
        );
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, true).await.unwrap();
        let problems = |entry: &EntryReport| entry.problems.iter().map(|problem| format!("{}: {}", problem.field, problem.sentence)).collect::<Vec<_>>().join(" ");
        let problems: Vec<String> = report.entries.iter().map(problems).collect();
        let is_whole = "prefix: This is the whole key. Include only the part that is not secret.";
        assert!(problems[0].starts_with(is_whole) && problems[1].starts_with(is_whole), "{problems:?}");
        assert!(problems[2].starts_with(is_whole), "{problems:?}");
        assert!(problems[3].starts_with("prefix: A prefix must have at most 16 ASCII characters."), "{problems:?}");
        assert!(!problems[4..].concat().contains("prefix"), "{problems:?}");
        assert!(report.entries[..3].iter().all(|entry| entry.display.is_empty()));
    }

    async fn a_prefix_says_kind_and_environment(app: &TestApp) {
        let org = app.org("northwind").await;
        let rows = [
            ("Legacy", "cen_", ""), ("Legacy test", "cen_test_4f", ""), ("Publishable", "cpk_ab", "shop.example"),
            ("Publishable test", "cpk_test_", "localhost"), ("Secret", "csk_", ""), ("Secret test", "csk_test_", ""),
            ("Unknown", "sk_", ""),
        ];
        let lines: Vec<String> = (0..).zip(rows)
            .map(|(seed, (name, prefix, domains))| format!("{name},{},{prefix},{domains}\n", sha256(&key(seed))))
            .collect();
        let text = format!("name,sha256,prefix,domains\n{}", lines.concat());
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(report.imported, "{report:?}");
        let stored = app.database.texts("SELECT name || ': ' || kind || ' ' || environment FROM keys ORDER BY name").await;
        assert_eq!(stored, [
            "Legacy: secret live", "Legacy test: secret test", "Publishable: widget live", "Publishable test: widget test",
            "Secret: secret live", "Secret test: secret test", "Unknown: secret live",
        ]);
        let at = async |origin| said(&app.ask(&Request { key: Some(&key(2)), origin, ..Request::default() }).await);
        assert_eq!(at(Some("https://shop.example")).await, "VALID");
        assert_eq!(at(Some("https://evil.example")).await, "ORIGIN_NOT_ALLOWED");
        assert_eq!(at(None).await, "ORIGIN_NOT_ALLOWED", "a publishable key works only on its pages");
    }

    async fn what_contradicts_the_prefix_is_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let text = format!(
            "name,sha256,prefix,kind,environment,domains\n\
             No domains,{},cpk_,,,\n\
             Not secret,{},cpk_,secret,,\n\
             Not widget,{},cen_,widget,,shop.example\n\
             Not live,{},csk_test_,,live,\n\
             Neither,{},cpk_test_,secret,live,\n\
             As stated,{},csk_test_,secret,test,\n",
            sha256(&key(1)), sha256(&key(2)), sha256(&key(3)), sha256(&key(4)), sha256(&key(5)), sha256(&key(6)),
        );
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(!report.imported, "{report:?}");
        insta::allow_duplicates! { insta::assert_snapshot!(told(&report), @"
        2 No domains
            domains: Enter at least one domain. A widget key works only on its allowed domains.
        3 Not secret
            kind: Keys that begin with `cpk_` are live widget keys, but this entry says secret. Remove secret, or fix the prefix.
        4 Not widget
            kind: Keys that begin with `cen_` are live secret keys, but this entry says widget. Remove widget, or fix the prefix.
        5 Not live
            environment: Keys that begin with `csk_test_` are test secret keys, but this entry says live. Remove live, or fix the prefix.
        6 Neither
            kind: Keys that begin with `cpk_test_` are test widget keys, but this entry says secret. Remove secret, or fix the prefix.
            environment: Keys that begin with `cpk_test_` are test widget keys, but this entry says live. Remove live, or fix the prefix.
        7 As stated
        ") };
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }
}

on_both! { under "talkifai":
    async fn a_key_from_elsewhere_may_live_for_ever_where_new_ones_may_not(app: &TestApp) {
        let org = app.org("northwind").await;
        let text = format!("name,sha256,prefix,domains\nServer,{},,\nWidget,{},tk_widget_,mysite.com\n", sha256(&key(1)), sha256(&key(2)));
        let report = import(&app.engine, &org.permit(), Format::Csv, &text, false).await.unwrap();
        assert!(report.imported, "{report:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys WHERE expires_at IS NULL").await, 2);
        assert_eq!(app.database.texts("SELECT kind FROM keys ORDER BY name").await, ["secret", "widget"]);
    }
}

/// A key that is in no database.
fn key(seed: u64) -> PlainKey {
    PlainKey::generate("lk_sk_live_", 26, &Randomness::seeded(1_000_000 + seed)).unwrap()
}

fn sha256(key: &PlainKey) -> String {
    Sha256::digest(key.expose())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn told(report: &Report) -> String {
    let mut text = String::new();
    for entry in &report.entries {
        text += format!("{} {}", entry.line, entry.name).trim_end();
        text.push('\n');
        for problem in &entry.problems {
            text += &format!("    {}: {}\n", problem.field, problem.sentence);
        }
    }
    text
}
