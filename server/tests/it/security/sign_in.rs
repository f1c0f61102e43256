//! Signing in over HTTP does not reveal which accounts exist, and guessing is slowed down.

use latchkey::{accounts::SignUpPolicy, role::Role, time::MINUTE};

use crate::test_app::{Browser, HttpAnswer, TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";

on_both! {
    async fn a_known_and_an_unknown_address_are_answered_alike(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let browser = app.browser();
        let known = browser.sign_in(DANA, "wrong password").await;
        // An empty field is said to be empty, which says nothing about accounts.
        for email in ["nobody@northwind.example", "not an address"] {
            let unknown = browser.sign_in(email, "wrong password").await;
            assert_eq!((unknown.status, alike(&unknown, email)), (known.status, alike(&known, DANA)), "{email}");
            assert_eq!(unknown.set_cookies(), known.set_cookies());
        }
        assert_eq!(known.status, 422);
        assert_eq!(browser.session_cookie(), None);
    }

    async fn guesses_are_slowed_down_and_keep_the_owner_out_nowhere_else(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let owner = app.browser();
        assert!(owner.sign_in(DANA, PASSWORD).await.status.is_redirection());
        owner.submit("/sign-out", &[]).await;
        let guesser = app.browser().at_address([198, 51, 100, 7]);
        for _ in 0..10 {
            assert_eq!(guess(&guesser, DANA).await, "The e-mail address or password is incorrect.");
        }
        let throttled = guesser.sign_in(DANA, "wrong password").await;
        assert_eq!((throttled.status.as_u16(), throttled.header("retry-after")), (429, "900"), "{throttled:?}");
        assert!(throttled.text().contains("Too many attempts. Try again in 15 minutes."));
        let elsewhere = app.browser().at_address([203, 0, 113, 9]);
        assert!(elsewhere.sign_in(DANA, PASSWORD).await.status.is_redirection());
        let owner = owner.at_address([198, 51, 100, 7]);
        assert!(owner.sign_in(DANA, PASSWORD).await.status.is_redirection(), "the account knows the browser");
    }

    async fn every_form_that_was_sent_too_often_says_when_to_try_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let open = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        let wrong = "a wrong but long password";
        let account = [("current_password", wrong), ("new_password", "granite teapot sings")];
        let token = [("change", "create"), ("name", "CI"), ("scope", "verify"), ("expires", "365"), ("password", wrong)];
        let sign_up = [("name", "N"), ("email", "dana@northwind.example"), ("org_name", "O"), ("password", "granite teapot sings")];
        for (path, fields) in [("/account", &account[..]), ("/orgs/northwind/tokens", &token), ("/sign-up", &sign_up)] {
            app.clock.advance(15 * MINUTE);
            let stranger = app.browser_on(&open);
            let browser = if path == "/sign-up" { &stranger } else { &owner };
            for _ in 0..10 {
                assert_eq!(browser.submit(path, fields).await.status, 422, "{path}");
            }
            let throttled = browser.submit(path, fields).await;
            assert_eq!((throttled.status.as_u16(), throttled.header("retry-after")), (429, "900"), "{path}");
            assert!(throttled.text().contains("Try again in 15 minutes."), "{path}");
        }
        open.db().close().await;
    }

    async fn a_forwarded_address_counts_only_from_a_trusted_proxy(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        for (settings, throttled) in [(&[][..], true), (&[("trusted_proxies", "192.0.2.0/24")][..], false)] {
            let browser = app.browser_with(settings);
            let mut last = String::new();
            for number in 0..31 {
                let request = browser.request(axum::http::Method::POST, "/sign-in")
                    .header("x-forwarded-for", format!("203.0.{number}.9"));
                let form = format!("email=nobody{number}{throttled}@example.com&password=wrong&next=");
                last = browser.send(request, &form).await.body;
            }
            assert_eq!(last.contains("Too many attempts."), throttled, "{last}");
        }
    }

    async fn a_second_sign_up_is_refused_alike_for_a_known_and_an_unknown_address(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let sign_up = async |email: &str| {
            let fields = [("name", "N"), ("email", email), ("org_name", "O"), ("password", PASSWORD)];
            let answer = app.browser().submit("/sign-up", &fields).await;
            (answer.status, alike(&answer, email))
        };
        let known = sign_up(DANA).await;
        assert_eq!(known.0, 422);
        assert_eq!(known, sign_up("nobody@northwind.example").await);
    }
}

/// Tries a wrong password and returns the message.
async fn guess(browser: &Browser, email: &str) -> String {
    let answer = browser.sign_in(email, "wrong password").await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let text = answer.text();
    let alert = text.split("role=\"alert\"").nth(1).unwrap();
    let sentence = alert.split("<p>").nth(1).unwrap();
    sentence.split('<').next().unwrap().to_owned()
}

/// A page without the parts that vary: the input, and the nonce of its scripts.
fn alike(page: &HttpAnswer, email: &str) -> String {
    page.without_nonces()
        .replace(&format!("type=\"email\" value=\"{email}\""), "")
}
