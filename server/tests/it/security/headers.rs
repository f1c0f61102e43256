//! The headers of every kind of response.

use std::time::Duration;

use axum::http::Method;
use latchkey::role::Role;
use tokio::time::{pause, resume, timeout};

use crate::test_app::{Browser, HttpAnswer, TestApp, org::PASSWORD};

on_both! {
    async fn every_kind_of_answer_carries_the_headers(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (kind, answer) in every_kind(app, &owner).await {
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{kind}");
            assert_eq!(answer.header("referrer-policy"), "same-origin", "{kind}");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{kind}");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{kind}");
            assert!(!answer.header("permissions-policy").is_empty(), "{kind}");
            assert!(!answer.header("x-request-id").is_empty(), "{kind}");
            assert_eq!(answer.header("server"), "", "{kind}");
            assert_eq!(answer.header("strict-transport-security"), "", "{kind}: http has no HSTS");
            let policy = answer.header("content-security-policy");
            for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{kind}: {policy}");
            }
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{kind}: {policy}");
            if kind != "a file" {
                assert_eq!(answer.header("cache-control"), "no-store", "{kind}");
            }
        }
    }

    async fn over_https_browsers_are_told_to_stay(app: &TestApp) {
        let browser = app.browser_with(&[("public_url", "https://keys.example.com")]);
        for path in ["/sign-in", "/healthz", "/v1/nothing"] {
            assert_eq!(browser.get(path).await.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
        }
        let alone = app.browser_with(&[("public_url", "https://keys.example.com"), ("hsts_subdomains", "none")]);
        assert_eq!(alone.get("/sign-in").await.header("strict-transport-security"), "max-age=63072000");
    }

    async fn each_page_has_a_nonce_of_its_own_that_its_scripts_carry(app: &TestApp) {
        let browser = app.browser();
        let mut nonces = vec![];
        for _ in 0..3 {
            let page = browser.get("/sign-in").await;
            let policy = page.header("content-security-policy").to_owned();
            let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
            assert!(nonce.len() >= 22, "128 bits: {nonce}");
            for script in page.body.split("<script").skip(1) {
                let tag = script.split('>').next().unwrap();
                assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{tag}");
            }
            assert!(!page.body.contains(" style=\"") && !page.body.contains(" onclick="), "nothing inline");
            nonces.push(nonce);
        }
        nonces.sort();
        nonces.dedup();
        assert_eq!(nonces.len(), 3);
    }

    async fn a_request_id_is_kept_when_it_is_plain_and_from_a_trusted_proxy(app: &TestApp) {
        let proxy = app.browser_with(&[("trusted_proxies", "192.0.2.0/24")]);
        let send = async |browser: &Browser, id: &str| {
            let request = browser.request(Method::GET, "/healthz").header("x-request-id", id);
            browser.send(request, "").await.header("x-request-id").to_owned()
        };
        assert_eq!(send(&proxy, "abc-123").await, "abc-123");
        assert_ne!(send(&proxy, "<script>").await, "<script>");
        assert_ne!(send(&app.browser(), "abc-123").await, "abc-123");
    }

    async fn readiness_says_when_the_database_is_gone_and_liveness_does_not(app: &TestApp) {
        let browser = app.browser();
        assert_eq!(browser.get("/readyz").await.status, 200);
        app.engine.db().close().await;
        assert_eq!(browser.get("/readyz").await.status, 503);
        assert_eq!(browser.get("/healthz").await.status, 200);
    }

    async fn without_the_database_a_page_says_so_and_nothing_of_its_inside(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        app.engine.db().close().await;
        for answer in [owner.get("/orgs/northwind/keys").await, owner.call("/api/keys/in-effect", &[("org", "northwind"), ("key", "key_1")]).await, app.browser().sign_in("dana@northwind.example", PASSWORD).await] {
            assert!(answer.status.is_server_error(), "{answer:?}");
            for word in ["sqlx", "PoolClosed", "pool", "SELECT", "src/"] {
                assert!(!answer.body.contains(word), "{word}: {}", answer.body);
            }
        }
    }
}

/// One response of every kind.
async fn every_kind(app: &TestApp, owner: &Browser) -> Vec<(&'static str, HttpAnswer)> {
    let token = app.service_token().await;
    vec![
        ("a page", owner.get("/orgs/northwind/keys").await),
        ("a page for everyone", app.browser().get("/sign-in").await),
        ("a redirect", app.browser().get("/").await),
        (
            "a redirect to the sign-in",
            app.browser().get("/account").await,
        ),
        ("a missing page", owner.get("/no/such/page").await),
        ("a missing org", owner.get("/orgs/contoso/keys").await),
        (
            "data",
            owner
                .call(
                    "/api/keys/in-effect",
                    &[("org", "northwind"), ("key", "key_1")],
                )
                .await,
        ),
        (
            "a refused form",
            owner
                .submit(
                    "/sign-in",
                    &[("email", "x"), ("password", "x"), ("next", "")],
                )
                .await,
        ),
        (
            "a form without its fields",
            owner.submit("/account", &[]).await,
        ),
        (
            "a missing function",
            owner.call("/api/no-such-function", &[]).await,
        ),
        (
            "a wrong method",
            owner
                .send(owner.request(Method::DELETE, "/account"), "")
                .await,
        ),
        (
            "a request from another site",
            owner
                .send(
                    owner
                        .request(Method::POST, "/sign-out")
                        .header("sec-fetch-site", "cross-site"),
                    "",
                )
                .await,
        ),
        ("an API answer", app.post_verify(Some(&token), "{}").await),
        ("an API problem", app.post_verify(None, "{}").await),
        ("health", owner.get("/healthz").await),
        ("metrics", owner.get("/metrics").await),
        ("a missing file", owner.get("/assets/none.js").await),
    ]
}

/// A load balancer asks every few seconds. The clock of the runtime is paused, so nothing is waited for.
#[tokio::test]
async fn readiness_does_not_wait_for_a_database_that_hangs() {
    let app = TestApp::on_sqlite().await;
    let state = app.state(&[]);
    let router = latchkey_server::router(state.clone());
    let browser = Browser::new(router, "http://localhost:3000");
    // Another look at the database, which does not end.
    let hangs = state.checking.lock().await;
    pause();
    let ready = timeout(Duration::from_secs(10), browser.get("/readyz")).await;
    assert_eq!(ready.unwrap().status, 503);
    assert_eq!(browser.get("/healthz").await.status, 200);
    drop(hangs);
    resume();
    assert_eq!(browser.get("/readyz").await.status, 200);
    app.remove().await;
}
