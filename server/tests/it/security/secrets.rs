//! Secrets do not appear in logs, metrics or responses, except for the response that creates a key.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    pin::pin,
    sync::{LazyLock, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    http::Method,
};
use futures_util::poll;
use latchkey::{access::Operator, accounts::reset, key::text::PlainKey};
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    pages::new_key::{secret_key_fields, shown_key},
    test_app::{HttpAnswer, TestApp, org::PASSWORD},
};

on_both! {
    async fn a_whole_flow_leaves_no_secret_in_logs_metrics_or_answers(app: &TestApp) {
        start_capture();
        let browser = app.browser();
        let mut answers: Vec<HttpAnswer> = vec![];
        let wrong_password = format!("wrong marmalade {}", app.database.url());
        let fields = [("name", "Dana"), ("email", "dana@example.com"), ("org_name", "Northwind"), ("password", PASSWORD), ("code", &app.setup_code())];
        answers.push(browser.submit("/sign-up", &fields).await);
        let first_session = browser.session_cookie().unwrap();
        answers.push(browser.submit("/sign-out", &[]).await);
        answers.push(browser.sign_in("dana@example.com", &wrong_password).await);
        answers.push(browser.sign_in("dana@example.com", PASSWORD).await);
        let session = browser.session_cookie().unwrap();

        let made = shown_key(&browser.submit("/orgs/northwind/keys/new", &secret_key_fields("Production")).await);
        let plain = PlainKey::from_presented(made.clone());
        let id = app.verify(&plain).await.key.unwrap().id.to_string();
        let token = app.service_token().await;
        let invited = app.api().await.post("/v1/orgs/northwind/invitations", &json!({"email": "kim@example.com", "role": "member"})).await.json();
        let (_, invitation) = invited["url"].as_str().unwrap().rsplit_once('/').unwrap();
        let link = format!("/invitations/{invitation}");
        answers.push(app.browser().get(&link).await);
        answers.push(app.browser().submit(&link, &[("name", ""), ("password", "short")]).await);
        answers.push(browser.get(&link).await);
        answers.push(app.browser().submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await);
        answers.push(app.browser().get(&link).await);
        let dana = app.database.texts("SELECT id FROM users WHERE name = 'Dana'").await.remove(0).parse().unwrap();
        let reset = reset::create_link(&app.engine, &Operator::at_the_command_line(), dana).await.unwrap().unwrap();
        let reset = reset.expose();
        let link = format!("/reset-password/{reset}");
        answers.push(app.browser().get(&link).await);
        answers.push(app.browser().submit(&link, &[("new_password", "short")]).await);
        let strangers = made.replace("lk_sk_live_", "lk_sk_test_");
        for body in [json!({"key": made}), json!({"key": strangers}), json!({"key": [made]}), json!({"cost": made})] {
            answers.push(app.post_verify(Some(&token), &body.to_string()).await);
        }
        answers.push(app.post_verify(Some(&plain), "{}").await);
        app.verify(&plain).await;
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        for path in ["/orgs/northwind/keys", "/orgs/northwind/keys/new", "/orgs/northwind/usage", "/account", "/metrics"] {
            answers.push(browser.get(path).await);
        }
        let fields = [("current_password", wrong_password.as_str()), ("new_password", "another marmalade")];
        answers.push(browser.submit("/account", &fields).await);
        answers.push(browser.submit("/orgs/northwind/keys/find", &[("secret", &made)]).await);
        answers.push(browser.get(&format!("/orgs/northwind/keys?q={made}")).await);
        answers.push(browser.get(&format!("/orgs/northwind/keys/{made}")).await);
        let fields = [("org", "northwind"), ("text", &*made)];
        answers.push(browser.call("/api/find", &fields).await);
        let fields = [("org", "northwind"), ("key", &*id), ("form[overlap]", "0")];
        let rotated = browser.call("/api/keys/rotate", &fields).await.body;
        let (_, rotated) = rotated.split_once("lk_sk_live_").unwrap();
        let rotated = &rotated[..20];
        answers.push(browser.get(&format!("/orgs/northwind/keys/{id}")).await);
        app.engine.db().close().await;
        answers.push(browser.get("/orgs/northwind/keys").await);
        answers.push(browser.sign_in("dana@example.com", PASSWORD).await);
        answers.push(app.post_verify(Some(&token_that_never_was()), &json!({"key": made}).to_string()).await);

        let secrets = [
            ("the key", made.as_str()),
            ("the key's random part", &made["lk_sk_live_".len() + 4..made.len() - 4]),
            ("the new secret", rotated),
            ("the token", token.expose()),
            ("the invitation's token", invitation),
            ("the token of the link for a new password", reset),
            ("the password", PASSWORD),
            ("the wrong password", &wrong_password),
            ("the new password", "another marmalade"),
            ("the first session", &first_session),
            ("the session", &session),
        ];
        let log = captured();
        assert!(log.contains("/sign-in") && log.contains("/orgs/{org}/usage"), "requests are logged");
        for (what, secret) in secrets {
            assert!(!log.contains(secret), "{what} is in the log");
            for answer in &answers {
                assert!(!answer.body.contains(secret), "{what} is in {answer:?}");
            }
        }
    }

    async fn a_request_whose_client_hangs_up_leaves_a_line(app: &TestApp) {
        start_capture();
        let browser = app.browser_with(&[("trusted_proxies", "192.0.2.0/24")]);
        browser.plant_cookie("latchkey-3000", "AAAAAAAAAAAAAAAAAAAAAA");
        // No other request has this ID, and the log is that of all tests.
        let id = format!("{:032x}", digest_of(&app.database.url()));
        let request = browser.request(Method::POST, "/account").header("x-request-id", &id);
        {
            // A body that does not arrive: a page could be ready before the client hangs up.
            let body = Body::from_stream(futures_util::stream::pending::<io::Result<Bytes>>());
            let mut hung_up = pin!(browser.send_raw(request, body));
            assert!(poll!(&mut hung_up).is_pending());
        }
        let log = captured();
        let mut lines = log.lines().filter(|line| line.contains(&id));
        assert!(lines.any(|line| line.contains("client disconnected before the response") && line.contains("/account")));
    }

    async fn the_query_of_a_page_is_not_logged(app: &TestApp) {
        start_capture();
        let search = format!("confidential{}", number_of(app));
        app.browser().get(&format!("/orgs/northwind/keys?q={search}")).await;
        assert!(captured().contains("/orgs/{org}/keys"));
        assert!(!captured().contains(&search));
    }
}

/// A number that is unique to this test.
fn number_of(app: &TestApp) -> String {
    app.database
        .url()
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A well-formed token that would require the closed database.
fn token_that_never_was() -> PlainKey {
    PlainKey::generate("lk_service_", 26, &latchkey::random::Randomness::seeded(99)).unwrap()
}

/// Everything that any test of this process has logged since the capture started. Secrets differ between tests.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts to capture the log at a more detailed level than any setting allows.
fn start_capture() {
    static STARTED: LazyLock<()> = LazyLock::new(|| {
        let filter = EnvFilter::new(
            "debug,latchkey=trace,latchkey_app=trace,latchkey_server=trace,tower_sessions=trace",
        );
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(Log)
            .with_ansi(false)
            .init();
    });
    LazyLock::force(&STARTED);
    // What other tests log for the first time while the capture starts would otherwise stay switched off.
    tracing::callsite::rebuild_interest_cache();
}

/// A number that differs from test to test.
fn digest_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn captured() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}
