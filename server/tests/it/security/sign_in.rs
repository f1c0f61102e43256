//! Signing in over HTTP tells nothing and is slowed down.

use latchkey::role::Role;

use crate::test_app::{Browser, TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";

on_both! {
    async fn a_known_and_an_unknown_address_are_answered_alike(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let browser = app.browser();
        let known = browser.sign_in(DANA, "wrong password").await;
        for email in ["nobody@northwind.example", "not an address", ""] {
            let unknown = browser.sign_in(email, "wrong password").await;
            assert_eq!((unknown.status, &unknown.body), (known.status, &known.body), "{email}");
            assert_eq!(unknown.set_cookies(), known.set_cookies());
        }
        assert_eq!(known.status, 422);
        assert_eq!(browser.session_cookie(), None);
    }

    async fn without_javascript_they_are_answered_alike_too(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mut answers = vec![];
        for email in [DANA, "none@northwind.example"] {
            let fields = [("email", email), ("password", "wrong password"), ("next", "")];
            let answer = app.browser().submit("/api/sign-in", &fields).await;
            assert!(answer.status.is_redirection(), "{answer:?}");
            assert!(!answer.header("location").contains("password"), "{}", answer.header("location"));
            answers.push((answer.status, answer.header("location").to_owned(), answer.body));
        }
        assert_eq!(answers[0], answers[1]);
    }

    async fn guesses_are_slowed_down_by_address_and_by_account(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("eve", Role::Owner).await;
        let guesser = app.browser().at_address([198, 51, 100, 7]);
        for _ in 0..10 {
            assert_eq!(guess(&guesser, DANA).await, "wrong_credentials");
        }
        assert_eq!(guess(&guesser, DANA).await, "too_many_tries");
        assert_eq!(guess(&guesser, "eve@northwind.example").await, "too_many_tries", "the address has guessed enough");
        let elsewhere = app.browser().at_address([203, 0, 113, 9]);
        assert_eq!(guess(&elsewhere, DANA).await, "too_many_tries", "the account was guessed at enough");
        assert!(elsewhere.sign_in("eve@northwind.example", PASSWORD).await.status.is_success());
        app.clock.advance(30_000);
        assert!(elsewhere.sign_in(DANA, PASSWORD).await.status.is_success());
    }

    async fn a_forwarded_address_counts_only_from_a_trusted_proxy(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        for (settings, throttled) in [(&[][..], true), (&[("trusted_proxies", "192.0.2.0/24")][..], false)] {
            let browser = app.browser_with(settings);
            let mut last = String::new();
            for number in 0..12 {
                let request = browser.request(axum::http::Method::POST, "/api/sign-in")
                    .header("accept", "application/json")
                    .header("x-forwarded-for", format!("203.0.113.{number}"));
                let form = format!("email=nobody{number}{throttled}@example.com&password=wrong&next=");
                last = browser.send(request, &form).await.body;
            }
            assert_eq!(last.contains("too_many_tries"), throttled, "{last}");
        }
    }

    async fn a_second_sign_up_is_refused_alike_for_a_known_and_an_unknown_address(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let sign_up = async |email: &str| {
            let fields = [("name", "N"), ("email", email), ("org_name", "O"), ("password", PASSWORD)];
            let answer = app.browser().call("/api/sign-up", &fields).await;
            (answer.status, answer.body)
        };
        let known = sign_up(DANA).await;
        assert_eq!(known.0, 422);
        assert_eq!(known, sign_up("nobody@northwind.example").await);
    }
}

/// Tries a wrong password and gives the code of the refusal.
async fn guess(browser: &Browser, email: &str) -> String {
    let answer = browser.sign_in(email, "wrong password").await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let refused = answer.json()["refused"].clone();
    refused.as_str().map_or_else(
        || refused.as_object().unwrap().keys().next().unwrap().clone(),
        str::to_owned,
    )
}
