//! The hosts at which pages are served.

use axum::{
    body::Body,
    http::{Method, Request, Version, header},
};

use crate::test_app::{TestApp, browser::answer_of};

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
            ("evil.example", false), ("keys.example.com.evil.example", false),
            ("localhost", false), ("127.0.0.1:3000", false),
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
        for host in [
            "", "a b", "evil.example@keys.example.com", "keys.example.com@evil.example", "keys.example.com:port.evil.example",
            "keys.example.com:3000.evil.example", "keys.example.com:99999", "keys.example.com, evil.example",
        ] {
            let answer = status(&settings, Method::GET, "/sign-in", host).await;
            assert_eq!(answer.status, 400, "{host}");
            assert!(answer.body.starts_with("The request must name one host."), "{}", answer.body);
        }
        for (host, own) in [("localhost:3000", true), ("127.0.0.1:8080", true), ("[::1]", true), ("evil.example", false)] {
            let answer = status(&[], Method::GET, "/sign-in", host).await;
            assert_eq!(answer.status, if own { 200 } else { 421 }, "{host}");
        }
    }

    async fn a_request_names_one_host(app: &TestApp) {
        let (router, _) = app.server(&[("public_url", "https://keys.example.com")]);
        let status = async |version: Version, uri: &str, hosts: &[&str]| {
            let mut request = Request::builder().version(version).uri(uri);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            answer_of(&router, request.body(Body::empty()).unwrap()).await.status.as_u16()
        };
        const OURS: &str = "keys.example.com";
        for (version, uri, hosts, expected) in [
            (Version::HTTP_11, "/sign-in", &[OURS][..], 200),
            (Version::HTTP_11, "/sign-in", &[], 400),
            (Version::HTTP_11, "/sign-in", &[OURS, OURS], 400),
            (Version::HTTP_11, "/sign-in", &[OURS, "evil.example"], 400),
            (Version::HTTP_11, "http://evil.example/sign-in", &[OURS], 421),
            (Version::HTTP_11, "http://keys.example.com/sign-in", &["evil.example"], 421),
            (Version::HTTP_11, "http://keys.example.com/sign-in", &[], 400),
            (Version::HTTP_10, "/sign-in", &[], 200),
            (Version::HTTP_2, "https://keys.example.com/sign-in", &[], 200),
            (Version::HTTP_2, "https://evil.example/sign-in", &[], 421),
        ] {
            assert_eq!(status(version, uri, hosts).await, expected, "{version:?} {uri} {hosts:?}");
        }
    }
}
