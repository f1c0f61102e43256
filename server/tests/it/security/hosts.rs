//! The hosts at which pages are served.

use axum::http::{Method, header};

use crate::test_app::TestApp;

on_both! {
    async fn pages_are_served_at_our_own_hosts_only(app: &TestApp) {
        let public = ("public_url", "https://keys.example.com");
        let settings = [public, ("hosts", "keys.internal, [2001:db8::1]")];
        let status = async |settings: &[(&str, &str)], method: Method, path: &str, host: &str| {
            let browser = app.browser_with(settings);
            let request = browser.request(method, path).header(header::HOST, host);
            browser.send(request, "email=a&password=b&next=").await
        };
        for (host, own) in [
            ("keys.example.com", true), ("Keys.Example.com:443", true), ("keys.internal:3000", true), ("[2001:db8::1]:3000", true),
            ("evil.example", false), ("keys.example.com.evil.example", false), ("evil.example@keys.example.com", false),
            ("keys.example.com@evil.example", false), ("localhost", false), ("127.0.0.1:3000", false), ("", false), ("a b", false),
        ] {
            for (method, path, ours) in [(Method::GET, "/sign-in", 200), (Method::POST, "/sign-in", 422), (Method::GET, "/no/such/page", 404)] {
                let answer = status(&settings, method, path, host).await;
                assert_eq!(answer.status, if own { ours } else { 421 }, "{host} {path}");
                assert_eq!(answer.body.contains("Open https://keys.example.com instead."), !own, "{}", answer.body);
            }
            for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
                assert_eq!(status(&settings, Method::GET, path, host).await.status, 200, "{host} {path}");
            }
        }
        for (host, own) in [("localhost:3000", true), ("127.0.0.1:8080", true), ("[::1]", true), ("evil.example", false)] {
            let answer = status(&[], Method::GET, "/sign-in", host).await;
            assert_eq!(answer.status, if own { 200 } else { 421 }, "{host}");
        }
    }
}
