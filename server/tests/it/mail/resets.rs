//! Forgotten passwords.

use std::sync::Arc;

use latchkey::{
    access::Operator,
    accounts::{
        SignUpPolicy, lifecycle,
        links::{self, AccountToken},
        reset::{self, ResetError},
    },
    caller::Visit,
    role::Role,
    time::HOUR,
};

use super::{assert_same, forget};
use crate::test_app::{TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";
const NEW: &str = "granite teapot sings";

on_both! {
    async fn a_forgotten_password_is_replaced_and_everything_that_used_it_ends(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        app.database.execute("UPDATE users SET email_confirmed = FALSE").await;
        let mailing = app.mailing().await;
        let old = mailing.signed_in(DANA, PASSWORD).await;
        let browser = mailing.browser();
        assert!(browser.get("/sign-in").await.body.contains("href=\"/forgot-password\""));
        let sent = forget(&browser, DANA).await;
        assert!(sent.status == 200 && sent.text().contains("Check your mail"), "{}", sent.text());
        let mail = mailing.smtp.mail_to(DANA).await;
        assert_eq!(mail.subject(), "Reset your password (localhost)");
        let link = mail.link("reset-password");
        let token = link.rsplit('/').next().unwrap();
        assert!(!app.database.holds(token).await);
        for _ in 0..2 {
            let page = browser.get(&link).await;
            assert_eq!((page.status.as_u16(), page.header("cache-control"), page.header("referrer-policy")), (200, "no-store", "strict-origin"));
            assert!(page.text().contains(DANA) && !page.body.contains(token), "{}", page.text());
        }
        for (password, part) in [("short", "at least 8 characters"), ("password1", "too common")] {
            let refused = browser.submit(&link, &[("new_password", password)]).await;
            assert!(refused.status == 422 && refused.text().contains(part), "{}", refused.text());
        }
        assert_eq!(old.get("/account").await.status, 200, "nothing has changed yet");
        let done = browser.submit(&link, &[("new_password", NEW)]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/sign-in?reset=1"));
        assert!(browser.session_cookie().is_none(), "a link does not sign in");
        assert!(browser.get("/sign-in?reset=1").await.text().contains("Password changed. Sign in with the new one."));
        assert_eq!(old.get("/account").await.status, 302, "sessions have ended");
        assert_eq!(browser.submit(&link, &[("new_password", "another teapot sings")]).await.status, 410);
        assert_eq!(browser.get(&link).await.status, 410);
        assert_eq!(browser.sign_in(DANA, PASSWORD).await.status, 422);
        assert_eq!(browser.sign_in(DANA, NEW).await.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_confirmed").await, 1);
        let told = mailing.smtp.mail_to(DANA).await;
        assert!(told.text.contains("The password of your account was changed"), "{told:?}");
        mailing.stop().await;
        let events = "SELECT event || ' ' || actor_kind FROM audit_log WHERE event LIKE 'account.%' ORDER BY event";
        assert_eq!(app.database.texts(events).await, ["account.password_reset user", "account.reset_requested unknown"]);
    }

    async fn guesses_do_not_keep_out_whoever_has_just_used_a_link(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let guessing = mailing.browser();
        for _ in 0..11 {
            guessing.sign_in(DANA, "not the password").await;
        }
        let browser = mailing.browser();
        assert_eq!(browser.sign_in(DANA, PASSWORD).await.status, 429, "the same network");
        forget(&browser, DANA).await;
        let link = mailing.smtp.mail_to(DANA).await.link("reset-password");
        assert_eq!(browser.submit(&link, &[("new_password", NEW)]).await.status, 303);
        assert_eq!(browser.sign_in(DANA, NEW).await.status, 303);
        mailing.stop().await;
    }

    async fn the_answer_does_not_show_whether_an_address_has_an_account(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("gone", Role::Member).await;
        app.database.execute("UPDATE users SET disabled_at = 1 WHERE name = 'gone'").await;
        let mailing = app.mailing().await;
        let browser = mailing.browser();
        let known = forget(&browser, DANA).await;
        for email in ["nobody@northwind.example", "gone@northwind.example"] {
            assert_same((&known, DANA), (&forget(&browser, email).await, email));
        }
        // What is visible later is the same too: the budget of the network counts every address.
        for number in 0..7 {
            assert_eq!(forget(&browser, &format!("nobody-{number}@example.com")).await.status, 200);
        }
        let (known, unknown) = (forget(&browser, DANA).await, forget(&browser, "nobody@example.com").await);
        assert_eq!(known.status, 429);
        assert_same((&known, DANA), (&unknown, "nobody@example.com"));
        assert_eq!(forget(&mailing.browser().at_address([198, 51, 100, 1]), DANA).await.status, 200);
        let mails = mailing.stop().await;
        assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [DANA, DANA]);
    }

    async fn who_requests_many_links_for_an_account_does_not_keep_its_owner_out(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        for network in 0..20 {
            assert_eq!(forget(&mailing.browser().at_address([198, 51, network, 1]), DANA).await.status, 200);
        }
        let first = mailing.smtp.mail_to(DANA).await.link("reset-password");
        let browser = mailing.browser();
        app.clock.advance(HOUR - 1);
        assert_eq!(browser.get(&first).await.status, 200, "all that were sent still work");
        assert_eq!(mailing.browser().submit(&first, &[("new_password", NEW)]).await.status, 303);
        let mails = mailing.stop().await;
        let links: Vec<String> = mails.iter().filter(|mail| mail.text.contains("reset-password")).map(|mail| mail.link("reset-password")).collect();
        assert_eq!(links.len(), 4, "five in an hour");
        for link in links {
            assert_eq!(browser.get(&link).await.status, 410, "the others end with the first");
        }
    }

    async fn of_many_who_use_a_link_at_once_one_wins(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        let token = Arc::new(link_of(app, dana).await);
        let running: Vec<_> = (0..8).map(|number| {
            let (engine, token) = (Arc::clone(&app.engine), Arc::clone(&token));
            tokio::spawn(async move { reset::reset(&engine, &token, format!("granite teapot {number}").parse().unwrap(), Visit::default()).await })
        }).collect();
        let mut won = 0;
        for one in running {
            match one.await.unwrap() {
                Ok(_) => won += 1,
                Err(ResetError::Gone) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((won, app.database.number("SELECT COUNT(*) FROM account_links").await), (1, 0));
    }

    async fn a_link_ends_after_an_hour_and_with_what_it_was_for(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        let operator = Operator::at_the_command_line();
        let browser = app.browser();
        let status = async |token: &AccountToken| browser.get(&format!("/reset-password/{}", token.expose())).await.status.as_u16();
        let expired = link_of(app, dana).await;
        app.clock.advance(HOUR);
        assert_eq!(status(&expired).await, 410);
        links::delete_expired(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM account_links").await, 0);

        let changed = link_of(app, dana).await;
        let session = app.browser();
        session.sign_in(DANA, PASSWORD).await;
        session.submit("/account", &[("current_password", PASSWORD), ("new_password", NEW)]).await;
        assert_eq!(status(&changed).await, 410, "the password was changed");

        let moved = link_of(app, dana).await;
        app.database.execute("UPDATE users SET email = 'd@northwind.example'").await;
        assert_eq!(status(&moved).await, 410, "the address was changed");
        let gone = reset::reset(&app.engine, &moved, NEW.parse().unwrap(), Visit::default()).await;
        assert!(matches!(gone, Err(ResetError::Gone)), "{gone:?}");

        let disabled = link_of(app, dana).await;
        lifecycle::disable(&app.engine, &operator, dana).await.unwrap();
        assert!(reset::create_link(&app.engine, &operator, dana).await.unwrap().is_none());
        lifecycle::enable(&app.engine, &operator, dana).await.unwrap();
        assert_eq!(status(&disabled).await, 410, "the account was disabled");
    }

    async fn an_account_has_five_links_at_most(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        let first = link_of(app, dana).await;
        for _ in 0..5 {
            app.clock.advance(1);
            link_of(app, dana).await;
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM account_links").await, 5);
        let gone = reset::reset(&app.engine, &first, NEW.parse().unwrap(), Visit::default()).await;
        assert!(matches!(gone, Err(ResetError::Gone)), "{gone:?}");
    }

    async fn without_mail_the_page_says_whom_to_ask_and_the_operators_link_confirms_nothing(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        app.database.execute("UPDATE users SET email_confirmed = FALSE").await;
        let browser = app.browser();
        let page = browser.get("/forgot-password").await.text();
        assert!(page.contains("latchkey user reset-password") && !page.contains("name=\"email\""), "{page}");
        let (known, unknown) = (forget(&browser, DANA).await, forget(&browser, "nobody@example.com").await);
        assert_eq!(known.status, 422);
        assert_same((&known, DANA), (&unknown, "nobody@example.com"));
        let link = format!("/reset-password/{}", link_of(app, dana).await.expose());
        assert_eq!(browser.submit(&link, &[("new_password", NEW)]).await.status, 303);
        assert_eq!(browser.sign_in(DANA, NEW).await.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_confirmed").await, 0);
    }

    async fn malformed_links_and_those_of_other_kinds_are_not_found_or_gone(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        let token = link_of(app, dana).await;
        let token = token.expose();
        let browser = app.browser();
        for page in ["confirm-email", "sign-up"] {
            let path = format!("/{page}/{token}");
            assert_eq!(browser.get(&path).await.status, 410, "{page}");
            assert_eq!(browser.submit(&path, &[("name", "E"), ("org_name", "E"), ("password", NEW)]).await.status, 410, "{page}");
        }
        assert_eq!(browser.get(&format!("/invitations/{token}")).await.status, 404);
        for malformed in ["x", "lk_inv_000000000000000000000000000XX1s6", &token[1..]] {
            for page in ["reset-password", "confirm-email", "sign-up"] {
                assert_eq!(browser.get(&format!("/{page}/{malformed}")).await.status, 404, "{page} {malformed}");
            }
        }
        assert_eq!(browser.get(&format!("/reset-password/{token}")).await.status, 200);
    }
}

/// A link for a new password, as the operator creates it.
async fn link_of(app: &TestApp, user: latchkey::id::UserId) -> AccountToken {
    let operator = Operator::at_the_command_line();
    let link = reset::create_link(&app.engine, &operator, user).await;
    link.unwrap().unwrap()
}

/// On SQLite, everyone waits for the writes of everyone: a request is followed by the same ones for every address.
#[tokio::test]
async fn what_a_request_writes_does_not_depend_on_whether_the_address_has_an_account() {
    let app = TestApp::on_sqlite().await;
    app.org("northwind").await.person("dana", Role::Owner).await;
    let mailing = app.mailing_under(SignUpPolicy::Open).await;
    app.database
        .execute("CREATE TABLE writes (what TEXT NOT NULL)")
        .await;
    for table in ["attempts", "account_links", "audit_log"] {
        for done in ["INSERT", "UPDATE", "DELETE"] {
            let trigger = format!(
                "CREATE TRIGGER {table}_{done} AFTER {done} ON {table} \
                 BEGIN INSERT INTO writes VALUES ('{done} {table}'); END"
            );
            app.database.execute(&trigger).await;
        }
    }
    let written = async || {
        // Waits for the tasks that the answers did not wait for.
        mailing.engine.finish().await.unwrap();
        let written = app
            .database
            .texts("SELECT what FROM writes ORDER BY rowid")
            .await;
        app.database.execute("DELETE FROM writes").await;
        written
    };
    for path in ["/forgot-password", "/sign-up"] {
        // Six times: the fifth letter is the last.
        for number in 0..6 {
            let submit = async |email, network| {
                let browser = mailing.browser().at_address([network, 51, number, 1]);
                assert_eq!(browser.submit(path, &[("email", email)]).await.status, 200);
                written().await
            };
            let (known, unknown) = (
                submit(DANA, 198).await,
                submit("nobody@example.com", 203).await,
            );
            assert_eq!(sorted(&known), sorted(&unknown), "{path}, request {number}");
            let of_link = if number < 5 { 1 } else { 0 };
            let links = known
                .iter()
                .filter(|write| *write == "INSERT account_links");
            assert_eq!(
                links.count(),
                of_link,
                "{path}, request {number}: {known:?}"
            );
        }
    }
    mailing.stop().await;
    app.remove().await;
}

/// The writes without those that take back a link, of which there is one less where a letter has it.
fn sorted(writes: &[String]) -> Vec<&String> {
    let mut writes: Vec<&String> = writes
        .iter()
        .filter(|write| *write != "DELETE account_links")
        .collect();
    writes.sort_unstable();
    writes
}
