//! The session cookie.

use latchkey::role::Role;

use crate::test_app::{TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";

on_both! {
    async fn over_https_the_cookie_is_bound_to_the_host_and_to_https(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let browser = app.browser_with(&[("public_url", "https://keys.example.com")]);
        let answer = browser.sign_in(DANA, PASSWORD).await;
        for name in ["__Host-latchkey", "__Host-latchkey-browser"] {
            let cookie = the_cookie(&answer.set_cookies(), name);
            assert_has(&cookie, &["HttpOnly", "Secure", "SameSite=Lax", "Path=/"]);
            assert!(!cookie.contains("Domain="), "{cookie}");
        }
        let ended = browser.submit("/sign-out", &[]).await;
        let removal = the_cookie(&ended.set_cookies(), "__Host-latchkey");
        assert_eq!(ended.set_cookies().len(), 1, "the account still knows the browser");
        assert!(removal.starts_with("__Host-latchkey=;"), "{removal}");
        assert_has(&removal, &["Max-Age=0", "Secure", "Path=/"]);
    }

    async fn on_localhost_over_http_the_cookie_has_a_plain_name_with_the_port(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let answer = app.browser().sign_in(DANA, PASSWORD).await;
        for name in ["latchkey-3000", "latchkey-browser-3000"] {
            let cookie = the_cookie(&answer.set_cookies(), name);
            assert_has(&cookie, &["HttpOnly", "SameSite=Lax", "Path=/"]);
            assert!(!cookie.contains("Secure"), "{cookie}");
        }
    }

    async fn every_cookie_is_secure_by_the_public_url_whatever_the_request_says(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        for (public_url, is_secure) in [("https://keys.example.com", true), ("http://localhost:3000", false)] {
            let browser = app.browser_with(&[("public_url", public_url)]);
            browser.sign_in(DANA, PASSWORD).await;
            let name = format!("Shop {is_secure}");
            let made = browser.submit("/orgs/northwind/projects", &[("change", "create"), ("name", &name)]).await;
            let cookies = made.set_cookies();
            let done = cookies.iter().find(|cookie| cookie.contains("project-created"));
            let done = done.unwrap_or_else(|| panic!("{:?}", made.status));
            assert_eq!(done.split("; ").any(|part| part == "Secure"), is_secure, "{done}");
            let shown = browser.get("/orgs/northwind/projects").await;
            for cookie in shown.set_cookies() {
                assert_eq!(cookie.split("; ").any(|part| part == "Secure"), is_secure, "{cookie}");
            }
        }
    }

    async fn no_one_gets_a_cookie_for_looking(app: &TestApp) {
        for path in ["/", "/sign-in", "/forgot-password", "/account", "/no/such/page", "/healthz"] {
            assert_eq!(app.browser().get(path).await.set_cookies(), [""; 0], "{path}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 0);
    }

    async fn the_id_in_the_cookie_has_128_random_bits_and_is_not_stored(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, eve) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "eve", Role::Owner).await);
        let (one, other) = (dana.session_cookie().unwrap(), eve.session_cookie().unwrap());
        assert_ne!(one, other);
        assert!(one.len() >= 22, "{one}");
        assert!(!app.database.holds(&one).await);
    }
}

/// The cookie with this name.
fn the_cookie(cookies: &[&str], name: &str) -> String {
    let named = |cookie: &&&str| cookie.split_once('=').is_some_and(|(has, _)| has == name);
    let cookie = cookies.iter().find(named);
    let cookie = cookie.unwrap_or_else(|| panic!("no {name} in {cookies:?}"));
    (*cookie).to_owned()
}

fn assert_has(cookie: &str, attributes: &[&str]) {
    for attribute in attributes {
        assert!(
            cookie.split("; ").any(|part| part == *attribute),
            "{attribute} in {cookie}"
        );
    }
}
