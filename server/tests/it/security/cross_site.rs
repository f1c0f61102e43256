//! Requests that another site makes a browser send.

use axum::http::{Method, Request, header, request::Builder};
use latchkey::role::Role;

use crate::test_app::{TestApp, org::PASSWORD};

/// The settings, the host of a request, its origin, and whether that is the instance's own.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, bool);

on_both! {
    async fn a_form_from_another_site_does_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Production").await.id.to_string();
        let key_page = format!("/orgs/northwind/keys/{key}");
        let forms = [
            ("/sign-out", ""),
            (&*key_page, "change=disable"),
            (&*key_page, "change=revoke&reason=unused"),
            ("/account", "current_password=x&new_password=another+password"),
            ("/orgs/northwind/keys/new", "name=Made&kind=secret&environment=live&expires=never"),
            ("/sign-in", "email=eve@evil.example&password=x&next="),
        ];
        for (path, form) in &forms {
            for from_elsewhere in [
                post(path, &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]),
                post(path, &[("sec-fetch-site", "same-site"), ("origin", "https://other.localhost:3000")]),
                post(path, &[("origin", "https://evil.example")]),
                post(path, &[("origin", "null")]),
                post(path, &[("origin", "http://localhost:3001")]),
                post(path, &[]),
            ] {
                let answer = owner.send(from_elsewhere, form).await;
                assert_eq!(answer.status, 403, "{path}: {answer:?}");
            }
        }
        assert_eq!(org.summary(key.parse().unwrap()).await.status(app.clock.now()).as_str(), "active");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
        assert_eq!(owner.get("/account").await.status, 200, "still signed in");
    }

    async fn the_whole_origin_is_compared_for_every_form_and_server_function(app: &TestApp) {
        let (https, alias) = (("public_url", "https://keys.example.com"), ("hosts", "keys.internal"));
        let cases: [Case<'_>; 17] = [
            (&[https, alias], "keys.example.com", "https://keys.example.com", true),
            (&[https, alias], "keys.example.com", "http://keys.example.com", false),
            (&[https, alias], "keys.example.com:8443", "https://keys.example.com:8443", false),
            (&[https, alias], "keys.example.com", "https://keys.example.com:444", false),
            (&[https, alias], "keys.example.com", "https://keys.example.com.evil.example", false),
            (&[https, alias], "keys.internal", "https://keys.internal", true),
            (&[https, alias], "keys.internal:8443", "https://keys.internal:8443", true),
            (&[https, alias], "keys.internal", "http://keys.internal", false),
            (&[https, alias], "keys.internal", "https://keys.internal:8443", false),
            (&[https, alias], "keys.internal", "https://keys.example.com", true),
            (&[], "localhost:3000", "http://localhost:3000", true),
            (&[], "127.0.0.1:8080", "http://127.0.0.1:8080", true),
            (&[], "[::1]:3000", "http://[::1]:3000", true),
            (&[], "localhost:3000", "https://localhost:3000", false),
            (&[], "localhost:3000", "http://localhost:3001", false),
            (&[], "localhost:3000", "http://127.0.0.1:3000", false),
            (&[], "127.0.0.1:8080", "null", false),
        ];
        let posts: Vec<String> = latchkey_server::routes().into_iter()
            .filter(|(method, path)| method == Method::POST && !path.starts_with("/v1/"))
            .map(|(_, path)| path)
            .chain(["/api/keys/create".to_owned(), "/api/usage".to_owned()])
            .collect();
        for (settings, host, origin, is_own) in cases {
            let browser = app.browser_with(settings);
            for path in &posts {
                let path = path.replace(['{', '}'], "");
                let request = Request::builder().method(Method::POST).uri(&path).header("host", host).header("origin", origin).header("cookie", "a=b");
                let answer = browser.send(request, "").await;
                assert_eq!(answer.body.contains("Cross-site request"), !is_own, "{host} {origin} {path}: {}", answer.status);
            }
        }
        // What hides its origin says that it is one of ours, as the pages of single-use links do.
        let browser = app.browser();
        for (site, is_own) in [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)] {
            let answer = browser.send(post("/sign-in", &[("origin", "null"), ("sec-fetch-site", site)]), "email=a&password=b&next=").await;
            assert_eq!(answer.status == 403, !is_own, "{site}");
        }
        let two = post("/sign-in", &[("origin", "http://localhost:3000"), ("origin", "https://evil.example")]);
        assert_eq!(browser.send(two, "").await.status, 403);
    }

    async fn no_file_or_stream_is_opened_from_another_site(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let files = latchkey_server::routes().into_iter()
            .filter(|(method, path)| method == Method::GET && !path.starts_with("/v1/"))
            .map(|(_, path)| path.replace("{org}", "northwind"))
            .filter(|path| path.starts_with("/orgs/") || path.starts_with("/account/"));
        let files: Vec<String> = files.collect();
        assert!(files.len() >= 8, "{files:?}");
        for path in files {
            for (name, value) in [("sec-fetch-site", "same-site"), ("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3001")] {
                let answer = owner.send(with_headers(Method::GET, &path, &[(name, value)]), "").await;
                assert!([303, 403].contains(&answer.status.as_u16()), "{path} {name} {value}: {}", answer.status);
            }
        }
    }

    async fn a_form_that_states_no_site_needs_no_cookie_to_be_refused_one(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let form = format!("email=dana@northwind.example&password={}&next=", PASSWORD.replace(' ', "+"));
        let browser = app.browser();
        assert_eq!(browser.send(post("/sign-in", &[]), &form).await.status, 303, "a request without a cookie");
        assert_eq!(browser.send(post("/sign-in", &[]), &form).await.status, 403, "it has a cookie now");
    }

    async fn nothing_is_changed_by_a_get(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Production").await.id.to_string();
        for path in [
            "/sign-out".to_owned(),
            format!("/orgs/northwind/keys/{key}?change=disable"),
            format!("/orgs/northwind/keys/{key}?change=revoke&reason=unused"),
            "/orgs/northwind/keys/new?name=Made&kind=secret&environment=live&expires=never".to_owned(),
        ] {
            owner.get(&path).await;
        }
        assert_eq!(org.summary(key.parse().unwrap()).await.status(app.clock.now()).as_str(), "active");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
        assert_eq!(owner.get("/account").await.status, 200, "still signed in");
    }

    async fn a_link_from_another_site_opens_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let from_elsewhere = with_headers(Method::GET, "/orgs/northwind/keys", &[("sec-fetch-site", "cross-site")]);
        assert_eq!(owner.send(from_elsewhere, "").await.status, 200);
    }

    async fn a_link_from_another_site_to_a_file_leads_to_the_page_that_offers_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let file = "/orgs/northwind/audit.csv?event=key.created&from=2026-11-01";
        for site in ["cross-site", "same-site"] {
            let answer = owner.send(with_headers(Method::GET, file, &[("sec-fetch-site", site)]), "").await;
            assert_eq!((answer.status.as_u16(), answer.header("location")),
                (303, "/orgs/northwind/audit?event=key.created&from=2026-11-01"), "{site}");
        }
        for headers in [&[("sec-fetch-site", "same-origin")][..], &[("sec-fetch-site", "none")], &[]] {
            let answer = owner.send(with_headers(Method::GET, file, headers), "").await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/csv; charset=utf-8"), "{headers:?}");
        }
    }

    async fn the_sign_in_leads_to_paths_of_this_site_only(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        for (next, leads_to) in [
            ("/account", "/account"),
            ("https://evil.example/", "/orgs/northwind/keys"),
            ("//evil.example/", "/orgs/northwind/keys"),
            ("/\\evil.example", "/orgs/northwind/keys"),
            ("", "/orgs/northwind/keys"),
        ] {
            let fields = [("email", "dana@northwind.example"), ("password", PASSWORD), ("next", next)];
            let answer = app.browser().submit("/sign-in", &fields).await;
            assert!(answer.status.is_redirection(), "{answer:?}");
            assert_eq!(answer.header("location"), leads_to, "{next}");
        }
    }
}

fn post(path: &str, headers: &[(&str, &str)]) -> Builder {
    with_headers(Method::POST, path, headers)
}

/// A request with only these of the headers in which browsers report the origin.
fn with_headers(method: Method, path: &str, headers: &[(&str, &str)]) -> Builder {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost:3000");
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}
