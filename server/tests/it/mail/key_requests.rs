//! The letters about requests for keys.

use latchkey::role::Role;

use crate::test_app::{Browser, TestApp, org::PASSWORD};

const ASK: &str = "/orgs/northwind/requests/new";
const DANA: &str = "dana@northwind.example";
const KIM: &str = "kim@northwind.example";

async fn asked(browser: &Browser) -> String {
    let fields = [
        ("name", "evil.example"),
        ("purpose", "Tests"),
        ("kind", "secret"),
        ("environment", "live"),
        ("access", "full"),
        ("expires", "30"),
    ];
    let answer = browser.submit(ASK, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

on_both! {
    async fn owners_get_a_letter_for_a_request_and_the_requester_one_for_the_decision(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("olga", Role::Owner).await;
        org.person("ari", Role::Admin).await;
        org.person("kim", Role::Member).await;
        app.database.execute("UPDATE users SET email_confirmed = FALSE WHERE name = 'olga'").await;
        let mailing = app.mailing().await;
        let (owner, member) = (mailing.signed_in(DANA, PASSWORD).await, mailing.signed_in(KIM, PASSWORD).await);
        let path = asked(&member).await;
        let mail = mailing.smtp.mail_to(DANA).await;
        assert!(mail.text.contains("kim asks for the key") && mail.text.contains(&path), "{}", mail.text);
        assert!(!mail.text.contains("evil.example"), "a name becomes no link: {}", mail.text);
        assert_eq!(owner.submit(&path, &[("change", "approve"), ("version", "0")]).await.status, 303);
        let mail = mailing.smtp.mail_to(KIM).await;
        assert!(mail.text.contains("dana approved your request") && mail.text.contains("before Nov 28, 2026, 12:00 UTC") && mail.text.contains(&path), "{}", mail.text);
        assert_eq!(owner.submit(&path, &[("change", "decline"), ("comment", "No")]).await.status, 303);
        let mail = mailing.smtp.mail_to(KIM).await;
        assert!(mail.text.contains("dana declined your request"), "{}", mail.text);
        // Of the requests of one person, five a day are mailed. What is refused counts as none.
        assert_eq!(member.submit(ASK, &[("name", "No purpose")]).await.status, 422);
        for number in 0..8 {
            let path = asked(&member).await;
            if number < 4 {
                assert!(mailing.smtp.mail_to(DANA).await.text.contains(&path));
            }
            assert_eq!(member.submit(&path, &[("change", "withdraw")]).await.status, 303);
        }
        // Who can reveal a new secret of their key is told.
        let path = asked(&member).await;
        assert_eq!(owner.submit(&path, &[("change", "approve"), ("version", "0")]).await.status, 303);
        mailing.smtp.mail_to(KIM).await;
        assert_eq!(member.submit(&path, &[("change", "reveal")]).await.status, 200);
        let key = app.database.texts("SELECT id FROM keys").await.remove(0);
        let key = format!("/orgs/northwind/keys/{key}");
        assert_eq!(owner.submit(&format!("{key}/rotate"), &[("overlap", "0"), ("gets", "member")]).await.status, 303);
        let mail = mailing.smtp.mail_to(KIM).await;
        assert!(mail.text.contains("dana lets you reveal a new secret") && mail.text.contains("before Nov 28, 2026, 12:00 UTC") && mail.text.contains(&key), "{}", mail.text);
        assert!(!mail.text.contains("evil.example"), "a name becomes no link: {}", mail.text);
        app.database.execute("DELETE FROM sessions").await;
        assert_eq!(mailing.stop().await, [], "nobody else gets a letter");
    }
}
