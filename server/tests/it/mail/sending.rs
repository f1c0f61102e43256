//! How letters are sent: again if the server does not accept them for now, and to the end when the process stops.

use std::{collections::BTreeSet, time::Duration};

use latchkey::{accounts::SignUpPolicy, role::Role};
use tokio::time::{sleep, timeout};

use super::forget;
use crate::test_app::{Browser, TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";

on_both! {
    async fn a_letter_is_sent_again_until_it_is_accepted_and_its_metrics_say_so(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        mailing.smtp.respond(&["451 later", "421 later", "450 later"]);
        invite(&owner, "guest@example.com").await;
        let mail = mailing.smtp.mail_to("guest@example.com").await;
        assert_eq!((mail.from.as_str(), mailing.smtp.tried()), ("keys@example.com", 4));
        invite(&owner, "other@example.com").await;
        let second = mailing.smtp.mail_to("other@example.com").await;
        assert_ne!(mail.link("invitations"), second.link("invitations"));
        let state = mailing.state.clone();
        assert_eq!(mailing.stop().await, []);
        let metrics = state.metrics.render(&state.engine);
        assert!(metrics.contains("latchkey_mails_total{result=\"sent\"} 2"), "{metrics}");
        assert!(metrics.contains("latchkey_mails_waiting 0"), "{metrics}");
    }

    async fn the_metrics_do_not_show_whether_an_address_has_an_account(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        let browser = mailing.browser();
        let shown = async || {
            let metrics = browser.get("/metrics").await.body;
            metrics.lines().filter(|line| line.starts_with("latchkey_mails_")).map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let before = shown().await;
        assert!(before.contains("latchkey_mails_waiting 0"), "{before:?}");
        mailing.smtp.respond(&["550 no such mailbox"]);
        for number in 1..=4 {
            match number {
                1..=3 => forget(&browser, DANA).await,
                _ => browser.submit("/sign-up", &[("email", DANA)]).await,
            };
            assert_eq!(shown().await, before, "while it waits");
            while mailing.smtp.tried() < number || mailing.engine.outbox().depth() > 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(shown().await, before, "when it was sent");
        }
        assert_eq!(mailing.stop().await.len(), 3);
    }

    async fn the_metrics_say_whether_the_mail_server_works(app: &TestApp) {
        let mailing = app.mailing().await;
        for (accepts, shown) in [(true, "latchkey_mail_server_reachable 1"), (false, "latchkey_mail_server_reachable 0")] {
            mailing.smtp.greets(accepts);
            let found = async {
                while !mailing.state.metrics.render(&mailing.engine).contains(shown) {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(Duration::from_secs(20), found).await.unwrap();
        }
        mailing.stop().await;
    }

    async fn a_letter_that_is_rejected_for_good_or_too_often_is_given_up(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        mailing.smtp.respond(&["550 no such mailbox"]);
        invite(&owner, "guest@example.com").await;
        while mailing.smtp.tried() < 1 || mailing.engine.outbox().depth() > 0 {
            tokio::task::yield_now().await;
        }
        mailing.smtp.respond(&["451 later"; 4]);
        invite(&owner, "other@example.com").await;
        while mailing.smtp.tried() < 5 || mailing.engine.outbox().depth() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(mailing.smtp.tried(), 5);
        let metrics = mailing.state.metrics.render(&mailing.engine);
        assert!(metrics.contains("latchkey_mails_total{result=\"failed\"} 2"), "{metrics}");
        assert_eq!(mailing.stop().await, []);
    }

    async fn what_waits_is_sent_before_the_process_ends(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        for number in 0..20 {
            invite(&owner, &format!("guest-{number}@example.com")).await;
        }
        assert_eq!(mailing.stop().await.len(), 20);
    }
}

async fn invite(owner: &Browser, email: &str) {
    let fields = [("change", "invite"), ("email", email), ("role", "member")];
    let invited = owner.submit("/orgs/northwind/members", &fields).await;
    assert_eq!(invited.status, 303, "{}", invited.text());
}
