//! Open sign-up where mail is sent.

use std::sync::Arc;

use latchkey::{
    accounts::{
        SignUpPolicy,
        links::AccountToken,
        sign_up::{SignUp, SignUpError, finish},
    },
    caller::Visit,
    role::Role,
};

use super::assert_same;
use crate::test_app::{TestApp, org::PASSWORD};

const NEW: &str = "new@example.com";
const DANA: &str = "dana@northwind.example";

on_both! {
    async fn the_answer_does_not_show_whether_an_address_has_an_account(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        let browser = mailing.browser();
        let page = browser.get("/sign-up").await.text();
        assert!(page.contains("name=\"email\"") && !page.contains("name=\"password\""), "{page}");
        let invalid = browser.submit("/sign-up", &[("email", "nowhere")]).await;
        assert!(invalid.status == 422 && invalid.body.contains("id=\"email-error\""), "{}", invalid.text());
        let known = browser.submit("/sign-up", &[("email", DANA)]).await;
        let unknown = browser.submit("/sign-up", &[("email", NEW)]).await;
        assert!(known.status == 200 && known.text().contains("Check your mail"), "{}", known.text());
        assert_same((&known, DANA), (&unknown, NEW));
        assert!(mailing.smtp.mail_to(DANA).await.text.contains("it has an account already"));

        let link = mailing.smtp.mail_to(NEW).await.link("sign-up");
        let page = browser.get(&link).await;
        assert_eq!((page.status.as_u16(), page.header("referrer-policy")), (200, "strict-origin"));
        assert!(page.text().contains(NEW) && !page.body.contains("lk_acc_"), "{}", page.text());
        let refused = browser.submit(&link, &[("name", "New"), ("org_name", ""), ("password", "short")]).await;
        assert!(refused.status == 422 && refused.body.contains("org_name-error") && refused.body.contains("password-error"));
        let fields = [("name", "New"), ("org_name", "Fabrikam"), ("password", PASSWORD)];
        let done = browser.submit(&link, &fields).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/orgs/fabrikam/keys"));
        assert_eq!(browser.get("/orgs/fabrikam/keys").await.status, 200);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_confirmed AND name = 'New'").await, 1);
        assert_eq!(mailing.browser().submit(&link, &fields).await.status, 410);
        assert_eq!(mailing.browser().get(&link).await.status, 410);
        mailing.stop().await;
    }

    async fn of_many_who_use_a_link_at_once_one_wins(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        mailing.browser().submit("/sign-up", &[("email", NEW)]).await;
        let link = mailing.smtp.mail_to(NEW).await.link("sign-up");
        let token: Arc<AccountToken> = Arc::new(link.rsplit('/').next().unwrap().parse().unwrap());
        let running: Vec<_> = (0..6).map(|_| {
            let (engine, token) = (Arc::clone(&mailing.engine), Arc::clone(&token));
            let new = SignUp {
                name: "New".parse().unwrap(),
                email: NEW.parse().unwrap(),
                password: PASSWORD.parse().unwrap(),
                org_name: "Fabrikam".parse().unwrap(),
                setup_code: String::new(),
            };
            tokio::spawn(async move { finish(&engine, &token, new, Visit::default()).await })
        }).collect();
        let mut won = 0;
        for one in running {
            match one.await.unwrap() {
                Ok(_) => won += 1,
                Err(SignUpError::Gone) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((won, app.database.number("SELECT COUNT(*) FROM orgs").await), (1, 2));
        mailing.stop().await;
    }

    async fn without_open_sign_up_nothing_is_sent(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let refused = mailing.browser().submit("/sign-up", &[("email", NEW)]).await;
        assert_eq!(refused.status, 422);
        assert_eq!(mailing.stop().await, []);
    }
}
