//! Which pages can read the API's responses.

use std::time::Duration;

use axum::http::{Method, header};
use latchkey::{
    feed,
    keys::change_state::{disable, enable},
    orgs::settings::{self, OrgSettings},
    revision::Known,
    time::SECOND,
};
use serde_json::json;
use tokio::time::sleep;

use crate::test_app::{TestApp, org::widget_key};

on_both! {
    async fn a_preflight_is_answered_without_key_or_token_where_some_key_works(app: &TestApp) {
        let org = app.org("northwind").await;
        org.create_key(widget_key("Shop", &["shop.example", "*.shop.example", "https://pay.example:8443"])).await.unwrap();
        for (origin, passes) in [
            ("https://shop.example", true),
            ("http://shop.example:8080", true),
            ("https://a.b.shop.example", true),
            ("https://pay.example:8443", true),
            ("http://localhost:5173", true),
            ("https://pay.example", false),
            ("https://evil.example", false),
            ("https://shop.example.evil.example", false),
            ("https://notshop.example", false),
            ("http://127.0.0.1", false),
            ("null", false),
            ("", false),
        ] {
            for path in ["/v1/verify", "/v1/orgs", "/v1/chat/completions"] {
                let answer = app.preflight(path, origin).await;
                assert!(answer.header("vary").contains("origin"), "{origin}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                if passes {
                    assert_eq!(answer.status, 204, "{origin}");
                    assert_eq!(answer.header("access-control-allow-origin"), origin);
                    assert_eq!(answer.header("access-control-allow-methods"), "GET, POST, PATCH, DELETE");
                    assert_eq!(answer.header("access-control-allow-headers"), "Authorization, Content-Type, X-API-Key");
                    assert_eq!(answer.header("access-control-max-age"), "600");
                } else {
                    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (403, &json!("ORIGIN_NOT_ALLOWED")), "{origin}");
                    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{origin}");
                }
            }
        }
    }

    async fn without_an_active_widget_key_no_page_is_allowed(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("Production").await;
        let status = async || app.preflight("/v1/verify", "https://shop.example").await.status.as_u16();
        assert_eq!(status().await, 403);
        assert_eq!(app.preflight("/v1/verify", "http://localhost").await.status, 403);
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        assert_eq!(status().await, 204, "a change on this instance is seen immediately");
        disable(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(status().await, 403);
        enable(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(status().await, 204);
        let another = app.another_engine(|_| {}).await;
        feed::start(&app.engine).await.unwrap();
        disable(&another, &org.permit(), made.id).await.unwrap();
        assert_eq!(status().await, 204);
        feed::catch_up(&app.engine).await.unwrap();
        assert_eq!(status().await, 403, "a change on another instance is seen through the feed");
    }

    async fn an_agents_sites_are_allowed_as_long_as_it_lists_them(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let status = async || app.preflight("/v1/verify", "https://shop.example").await.status.as_u16();
        let agents = "/v1/orgs/northwind/agents";
        let made = api.post(agents, &json!({"name": "Helper", "domains": ["shop.example"]})).await.json();
        assert_eq!(status().await, 204);
        let path = format!("{agents}/{}", made["public_id"].as_str().unwrap());
        api.patch(&path, &json!({"domains": ["other.example"]})).await;
        assert_eq!(status().await, 403);
        api.patch(&path, &json!({"domains": ["*.example", "shop.example"]})).await;
        assert_eq!(status().await, 403, "a rejected request changes nothing");
        api.patch(&path, &json!({"domains": ["shop.example"]})).await;
        assert_eq!(status().await, 204);
        api.delete(&path).await;
        assert_eq!(status().await, 403);
    }

    async fn a_verification_says_which_headers_let_the_page_read_the_answer(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let token = app.service_token().await;
        let headers = async |origin: &str, scope: &str| {
            let body = json!({"key": made.plain.expose(), "origin": origin, "scopes": [scope]}).to_string();
            app.post_verify(Some(&token), &body).await.json()["headers"].clone()
        };
        let allowed = headers("https://shop.example", "bots:read").await;
        assert_eq!(allowed, json!({
            "access-control-allow-origin": "https://shop.example",
            "access-control-expose-headers": "RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate",
            "ratelimit": "\"default\";r=599;t=60", "ratelimit-policy": "\"default\";q=600;w=60", "vary": "Origin",
        }));
        let refused = headers("https://shop.example", "admin").await;
        assert_eq!(refused["access-control-allow-origin"], "https://shop.example", "the page can read the reason");
        assert_eq!(headers("https://evil.example", "bots:read").await, json!({"vary": "Origin"}));
    }

    async fn a_page_on_which_some_key_works_may_read_why_its_own_is_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        org.create_key(widget_key("Other", &["shop.example"])).await.unwrap();
        let secret = org.key("Secret").await;
        disable(&app.engine, &org.permit(), made.id).await.unwrap();
        let token = app.service_token().await;
        for (key, code) in [
            (made.plain.expose(), "INVALID_API_KEY"), ("lk_sk_live_nonsense", "INVALID_API_KEY"), ("", "MISSING_API_KEY"),
            (secret.plain.expose(), "SECRET_KEY_IN_BROWSER"),
        ] {
            for (origin, readable) in [("https://shop.example", json!("https://shop.example")), ("https://evil.example", json!(null))] {
                let body = json!({"key": key, "origin": origin}).to_string();
                let answer = app.post_verify(Some(&token), &body).await.json();
                let headers = &answer["headers"];
                assert_eq!((&answer["code"], &headers["access-control-allow-origin"], &headers["vary"]), (&json!(code), &readable, &json!("Origin")), "{body}");
            }
        }
    }

    async fn a_secret_key_that_may_be_used_in_pages_opens_all_of_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let token = app.service_token().await;
        let body = json!({"key": made.plain.expose(), "origin": "https://any.example"}).to_string();
        let allowed = async || {
            let verified = app.post_verify(Some(&token), &body).await.json();
            let preflight = app.preflight("/v1/verify", "https://any.example").await;
            (verified["code"].clone(), verified["headers"]["access-control-allow-origin"].clone(), preflight.status.as_u16())
        };
        assert_eq!(allowed().await, (json!("SECRET_KEY_IN_BROWSER"), json!(null), 403));
        let name = "Northwind".parse().unwrap();
        settings::change(&app.engine, &org.permit(), OrgSettings { name, secrets_in_browsers: true }, &Known::Nothing).await.unwrap();
        assert_eq!(allowed().await, (json!("VALID"), json!("https://any.example"), 204));
        assert_eq!(app.preflight("/v1/verify", "null").await.status, 403);
        disable(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(allowed().await, (json!("INVALID_API_KEY"), json!(null), 403));
    }

    async fn a_warm_preflight_asks_no_database(app: &TestApp) {
        let org = app.org("northwind").await;
        org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        assert_eq!(app.preflight("/v1/verify", "https://shop.example").await.status, 204);
        app.engine.db().close().await;
        assert_eq!(app.preflight("/v1/verify", "https://shop.example").await.status, 204);
        assert_eq!(app.preflight("/v1/verify", "https://evil.example").await.status, 403);
        app.clock.advance(60_000);
        assert_eq!(app.preflight("/v1/verify", "https://shop.example").await.status, 204, "the old patterns are kept");
    }

    async fn patterns_are_reloaded_in_the_background_before_they_are_too_old_to_be_used(app: &TestApp) {
        let org = app.org("northwind").await;
        org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let status = async |host| app.preflight("/v1/verify", &format!("https://{host}.example")).await.status.as_u16();
        assert_eq!((status("shop").await, status("other").await), (204, 403));
        // A change that no event announces, like that of a key that expires.
        app.database.execute(r#"UPDATE keys SET domains = '["other.example"]'"#).await;
        app.clock.advance(30 * SECOND - 1);
        assert_eq!(status("shop").await, 204);
        sleep(Duration::from_millis(50)).await;
        assert_eq!(status("shop").await, 204, "not reloaded yet");
        app.clock.advance(1);
        assert_eq!(status("shop").await, 204, "decided by what is cached");
        for _ in 0..500 {
            if status("other").await == 204 { break; }
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!((status("shop").await, status("other").await), (403, 204), "reloaded meanwhile");
        app.database.execute(r#"UPDATE keys SET domains = '["shop.example"]'"#).await;
        app.clock.advance(60 * SECOND);
        assert_eq!((status("other").await, status("shop").await), (403, 204), "too old: the request waits");
    }

    async fn without_database_and_memory_a_preflight_is_not_decided(app: &TestApp) {
        app.engine.db().close().await;
        let answer = app.preflight("/v1/verify", "https://shop.example").await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (503, ""));
    }

    async fn answers_and_errors_may_be_read_from_allowed_pages(app: &TestApp) {
        let org = app.org("northwind").await;
        org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let api = app.api().await;
        for (path, status) in [("/v1/orgs", 200), ("/v1/orgs/none/keys", 404), ("/v1/nothing", 404), ("/v1/orgs?limit=0", 400)] {
            let allowed = api.send(Method::GET, path, "", &[(header::ORIGIN, "https://shop.example")]).await;
            assert_eq!((allowed.status.as_u16(), allowed.header("access-control-allow-origin")), (status, "https://shop.example"));
            assert_eq!(
                allowed.header("access-control-expose-headers"), "RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate"
            );
            let other = api.send(Method::GET, path, "", &[(header::ORIGIN, "https://evil.example")]).await;
            assert_eq!((other.status.as_u16(), other.header("access-control-allow-origin")), (status, ""));
            let none = api.get(path).await;
            for answer in [&allowed, &other, &none] {
                assert!(answer.header("vary").contains("origin"), "{path}");
            }
        }
        let browser = app.browser();
        let request = browser.request(Method::GET, "/v1/orgs").header(header::ORIGIN, "https://shop.example");
        let refused = browser.send(request, "").await;
        assert_eq!((refused.status.as_u16(), refused.header("access-control-allow-origin")), (401, "https://shop.example"));
    }

    async fn an_options_request_that_is_no_preflight_is_none(app: &TestApp) {
        let browser = app.browser();
        let request = browser.request(Method::OPTIONS, "/v1/verify").header(header::ORIGIN, "https://shop.example");
        assert_eq!(browser.send(request, "").await.status, 405);
    }
}
