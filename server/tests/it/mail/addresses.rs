//! A user's name and address.

use std::sync::Arc;

use clap::Parser as _;
use latchkey::{
    accounts::{
        SignUpPolicy,
        address::{ChangeAddressError, cancel_change, confirm, request_change},
        links::AccountToken,
        password::TypedPassword,
        sessions::SessionHash,
    },
    caller::{Person, Visit},
    role::Role,
    time::{DAY, HOUR},
};
use latchkey_server::cli::Cli;
use serde_json::json;

use super::{assert_same, forget};
use crate::test_app::{Browser, HttpAnswer, TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";
const PROFILE: &str = "/account/profile";

async fn change(browser: &Browser, email: &str, password: &str) -> HttpAnswer {
    let fields = [
        ("change", "email"),
        ("email", email),
        ("current_password", password),
    ];
    browser.submit(PROFILE, &fields).await
}

on_both! {
    async fn a_name_is_changed_everywhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let empty = dana.submit(PROFILE, &[("change", "name"), ("name", " ")]).await;
        assert!(empty.status == 422 && empty.text().contains("Enter your name."), "{}", empty.text());
        assert_eq!(empty.body.matches("aria-invalid").count(), 1, "{}", empty.body);
        let done = dana.submit(PROFILE, &[("change", "name"), ("name", "Dana Reyes")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/account"));
        assert!(dana.get("/account").await.text().contains("Name changed."));
        // Another instance, with nothing in memory.
        let elsewhere = app.another_engine(|_| {}).await;
        let other = app.browser_on(&elsewhere);
        other.sign_in(DANA, PASSWORD).await;
        assert!(other.get("/orgs/northwind/members").await.text().contains("Dana Reyes"));
        assert_eq!(dana.submit(PROFILE, &[("change", "nothing")]).await.status, 400);
    }

    async fn an_address_that_cannot_be_mailed_is_no_new_address_and_signs_in_where_it_is_stored(app: &TestApp) {
        const DOTS: &str = "a..b@northwind.example";
        const REASON: &str = "two dots in a row";
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("old", Role::Member).await;
        app.database.execute(&format!("UPDATE users SET email = '{DOTS}' WHERE name = 'old'")).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        let fields = [("change", "invite"), ("email", DOTS), ("role", "member"), ("password", "")];
        for refused in [
            mailing.browser().submit("/sign-up", &[("email", DOTS)]).await,
            change(&dana, DOTS, PASSWORD).await,
            dana.submit("/orgs/northwind/members", &fields).await,
        ] {
            assert!(refused.status == 422 && refused.text().contains(REASON), "{}", refused.text());
        }
        let api = app.api().await;
        let refused = api.post("/v1/orgs/northwind/invitations", &json!({"email": DOTS, "role": "member"})).await;
        assert!(refused.status == 422 && refused.body.contains(REASON), "{}", refused.body);
        let create = ["latchkey", "user", "create", "--email", DOTS, "--org", "northwind", "--role", "member", "--password-stdin"];
        let move_to = ["latchkey", "user", "change-email", "--email", DANA, "--to", DOTS];
        for refused in [Cli::try_parse_from(create), Cli::try_parse_from(move_to)] {
            let refused = refused.map(drop).unwrap_err().to_string();
            assert!(refused.contains(REASON), "{refused}");
        }
        assert!(Cli::try_parse_from(["latchkey", "user", "disable", "--email", DOTS]).is_ok());
        // Earlier versions accepted it.
        let old = mailing.signed_in(DOTS, PASSWORD).await;
        assert!(old.get("/account").await.text().contains(DOTS));
        assert!(dana.get("/orgs/northwind/members").await.text().contains(DOTS));
        assert_eq!(forget(&mailing.browser(), DOTS).await.status, 200);
        mailing.stop().await;
    }

    async fn an_address_is_changed_when_its_link_is_used_and_the_former_one_is_told(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        for (email, password, field) in [("nowhere", PASSWORD, "email"), ("d@example.com", "", "current_password"),
            ("d@example.com", "not the password", "current_password"), (DANA, PASSWORD, "email")] {
            let refused = change(&dana, email, password).await;
            assert!(refused.status == 422 && refused.body.contains(&format!("id=\"{field}-error\"")), "{email}: {}", refused.text());
        }
        let sent = change(&dana, "D@Example.com", PASSWORD).await;
        assert_eq!((sent.status.as_u16(), sent.header("location")), (303, "/account/profile"));
        let page = dana.get("/account/profile").await.text();
        assert!(page.contains("Check your mail.") && page.contains("d@example.com"), "the change waits: {page}");
        let page = dana.get("/account").await.text();
        assert!(page.contains(DANA) && !page.contains("d@example.com"), "{page}");
        let link = mailing.smtp.mail_to("d@example.com").await.link("confirm-email");
        let browser = mailing.browser();
        let page = browser.get(&link).await;
        assert_eq!((page.status.as_u16(), page.header("cache-control"), page.header("referrer-policy")), (200, "no-store", "strict-origin"));
        assert!(page.text().contains("<b>dana</b>") && !page.body.contains("lk_acc_"), "{}", page.text());
        assert_eq!(browser.sign_in("d@example.com", PASSWORD).await.status, 422, "opening it changes nothing");
        let done = browser.submit(&link, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/sign-in?confirmed=1"));
        assert!(browser.get("/sign-in?confirmed=1").await.text().contains("E-mail address confirmed."));
        assert!(mailing.smtp.mail_to(DANA).await.text.contains("Your account has another e-mail address now."));
        assert!(dana.get("/account").await.text().contains("d@example.com"), "sessions continue");
        assert_eq!(mailing.browser().sign_in(DANA, PASSWORD).await.status, 422);
        assert_eq!(mailing.browser().sign_in("d@example.com", PASSWORD).await.status, 303);
        assert_eq!(mailing.browser().submit(&link, &[]).await.status, 410);
        mailing.stop().await;
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'account.email_changed'").await, 1);
    }

    async fn a_request_does_not_show_whether_an_address_is_taken(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["dana", "kim"] {
            org.person(name, Role::Owner).await;
        }
        let mailing = app.mailing().await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        let taken = change(&dana, "kim@northwind.example", PASSWORD).await;
        let of_taken = dana.get(PROFILE).await;
        let free = change(&dana, "free@northwind.example", PASSWORD).await;
        let of_free = dana.get(PROFILE).await;
        assert_same((&taken, "kim@northwind.example"), (&free, "free@northwind.example"));
        // Nor does the profile, where both wait alike.
        let waits = "We have sent an e-mail to <b>kim@northwind.example</b>.";
        assert!(of_taken.text().contains(waits) && of_taken.body.contains("value=\"cancel\""), "{}", of_taken.text());
        assert!(!of_free.text().contains("kim@northwind.example"), "a request replaces the one before");
        let without_done = |page: &HttpAnswer, email: &str| {
            let text = page.without_nonces().replace(email, "ADDRESS");
            text.split_once("<main").map(|(_, main)| main.to_owned()).unwrap()
        };
        assert_eq!(without_done(&of_taken, "kim@northwind.example"), without_done(&of_free, "free@northwind.example"));
        assert!(mailing.smtp.mail_to("kim@northwind.example").await.text.contains("it has an account already"));
        // An address that is taken in the meantime.
        let link = mailing.smtp.mail_to("free@northwind.example").await.link("confirm-email");
        org.person("free", Role::Member).await;
        assert_eq!(dana.submit(&link, &[]).await.status, 410);
        for _ in 0..3 {
            assert_eq!(change(&dana, "more@northwind.example", PASSWORD).await.status, 303);
        }
        assert_eq!(change(&dana, "more@northwind.example", PASSWORD).await.status, 429, "five letters in an hour");
        mailing.stop().await;
    }

    async fn an_address_gets_ten_letters_an_hour_and_the_first_of_each_user_whether_or_not_it_is_taken(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["dana", "eve", "kim", "taken"] {
            org.person(name, Role::Owner).await;
        }
        let mailing = app.mailing().await;
        let mut answers = vec![];
        for email in ["taken@northwind.example", "free@northwind.example"] {
            for (name, sent) in [("dana", 5), ("eve", 5), ("kim", 3)] {
                let browser = mailing.signed_in(&format!("{name}@northwind.example"), PASSWORD).await;
                for number in 0..5 {
                    let answer = change(&browser, email, PASSWORD).await;
                    let status = if number < sent { 303 } else { 429 };
                    assert_eq!(answer.status, status, "{name}: {}", answer.text());
                    answers.push((email, answer));
                }
            }
            app.clock.advance(HOUR);
        }
        assert!(answers[14].1.text().contains("Too many links were requested."), "{}", answers[14].1.text());
        assert_same((&answers[14].1, answers[14].0), (&answers[29].1, answers[29].0));
        assert_eq!(mailing.stop().await.len(), 26);
    }

    async fn a_change_that_waits_is_canceled_or_expires_and_its_link_with_it(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        let waits = async || dana.get(PROFILE).await.text().contains("d@example.com");
        change(&dana, "d@example.com", PASSWORD).await;
        let link = mailing.smtp.mail_to("d@example.com").await.link("confirm-email");
        assert!(waits().await);
        for _ in 0..2 {
            let canceled = dana.submit(PROFILE, &[("change", "cancel")]).await;
            assert_eq!((canceled.status.as_u16(), canceled.header("location")), (303, PROFILE));
        }
        assert!(!waits().await);
        assert_eq!(dana.submit(&link, &[]).await.status, 410);
        change(&dana, "d@example.com", PASSWORD).await;
        assert!(waits().await);
        app.clock.advance(DAY);
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        assert!(!dana.get(PROFILE).await.text().contains("d@example.com"));
        // A session that ended meanwhile neither changes nor cancels.
        let ended = Person { user_id: app.database.texts("SELECT id FROM users").await[0].parse().unwrap(), visit: Visit { session: Some(SessionHash::of(b"ended")), ..Visit::default() } };
        let email = "eve@example.com".parse().unwrap();
        let changed = request_change(&mailing.engine, ended.clone(), SessionHash::of(b"ended"), TypedPassword::new(PASSWORD), email).await;
        let canceled = cancel_change(&mailing.engine, ended).await;
        assert!(format!("{changed:?} {canceled:?}").matches("SessionEnded").count() == 2, "{changed:?} {canceled:?}");
        mailing.stop().await;
    }

    async fn a_link_to_another_address_ends_with_the_password(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let thief = mailing.signed_in(DANA, PASSWORD).await;
        change(&thief, "eve@example.com", PASSWORD).await;
        let link = mailing.smtp.mail_to("eve@example.com").await.link("confirm-email");
        forget(&mailing.browser(), DANA).await;
        let reset = mailing.smtp.mail_to(DANA).await.link("reset-password");
        assert_eq!(mailing.browser().submit(&reset, &[("new_password", "granite teapot sings")]).await.status, 303);
        assert_eq!(mailing.browser().submit(&link, &[]).await.status, 410);
        mailing.stop().await;
    }

    async fn of_many_who_confirm_at_once_one_wins(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        change(&dana, "d@example.com", PASSWORD).await;
        let link = mailing.smtp.mail_to("d@example.com").await.link("confirm-email");
        let token: AccountToken = link.rsplit('/').next().unwrap().parse().unwrap();
        let token = Arc::new(token);
        let running: Vec<_> = (0..8).map(|_| {
            let (engine, token) = (Arc::clone(&mailing.engine), Arc::clone(&token));
            tokio::spawn(async move { confirm(&engine, &token, Visit::default()).await })
        }).collect();
        let mut won = 0;
        for one in running {
            match one.await.unwrap() {
                Ok(()) => won += 1,
                Err(ChangeAddressError::Gone) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won, 1);
        mailing.stop().await;
    }

    async fn ones_own_address_is_confirmed_with_a_link(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        assert!(!dana.get(PROFILE).await.text().contains("not confirmed"));
        assert_eq!(dana.submit(PROFILE, &[("change", "confirm")]).await.status, 422);
        app.database.execute("UPDATE users SET email_confirmed = FALSE").await;
        assert!(dana.get("/account").await.text().contains("Not confirmed"));
        assert!(dana.get(PROFILE).await.text().contains("Your e-mail address is not confirmed."));
        assert_eq!(dana.submit(PROFILE, &[("change", "confirm")]).await.status, 303);
        let link = mailing.smtp.mail_to(DANA).await.link("confirm-email");
        let done = dana.submit(&link, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/account"));
        let page = dana.get("/account").await.text();
        assert!(page.contains("E-mail address confirmed.") && !page.contains("Not confirmed"), "{page}");
        assert_eq!(mailing.stop().await, [], "nobody is told");
    }

    async fn without_mail_an_address_is_not_changed_and_the_page_says_whom_to_ask(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("kim", Role::Member).await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let page = dana.get(PROFILE).await.text();
        assert!(page.contains("latchkey user change-email") && !page.contains("name=\"current_password\""), "{page}");
        let (taken, free) = (change(&dana, "kim@northwind.example", PASSWORD).await, change(&dana, "free@northwind.example", PASSWORD).await);
        assert_eq!(free.status, 422);
        assert_same((&taken, "kim@northwind.example"), (&free, "free@northwind.example"));
        assert_eq!(dana.submit(PROFILE, &[("change", "confirm")]).await.status, 422);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email = 'dana@northwind.example'").await, 1);
    }
}
