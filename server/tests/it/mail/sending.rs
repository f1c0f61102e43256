//! How letters are sent: again if the server does not accept them for now, and to the end when the process stops.

use latchkey::role::Role;

use super::forget;
use crate::test_app::{TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";

on_both! {
    async fn a_letter_is_sent_again_until_it_is_accepted_and_its_metrics_say_so(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        mailing.smtp.respond(&["451 later", "421 later", "450 later"]);
        let browser = mailing.browser();
        forget(&browser, DANA).await;
        let mail = mailing.smtp.mail_to(DANA).await;
        assert_eq!((mail.from.as_str(), mailing.smtp.tried()), ("keys@example.com", 4));
        forget(&browser, DANA).await;
        let second = mailing.smtp.mail_to(DANA).await;
        assert_ne!(mail.link("reset-password"), second.link("reset-password"));
        let state = mailing.state.clone();
        assert_eq!(mailing.stop().await, []);
        let metrics = state.metrics.render(&state.engine);
        assert!(metrics.contains("latchkey_mails_total{result=\"sent\"} 2"), "{metrics}");
        assert!(metrics.contains("latchkey_mails_waiting 0"), "{metrics}");
    }

    async fn a_letter_that_is_rejected_for_good_or_too_often_is_given_up(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        mailing.smtp.respond(&["550 no such mailbox"]);
        forget(&mailing.browser(), DANA).await;
        while mailing.smtp.tried() < 1 || mailing.engine.outbox().depth() > 0 {
            tokio::task::yield_now().await;
        }
        mailing.smtp.respond(&["451 later"; 4]);
        forget(&mailing.browser(), DANA).await;
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
            let email = format!("guest-{number}@example.com");
            let fields = [("change", "invite"), ("email", &*email), ("role", "member")];
            assert_eq!(owner.submit("/orgs/northwind/members", &fields).await.status, 303);
        }
        assert_eq!(mailing.stop().await.len(), 20);
    }
}
