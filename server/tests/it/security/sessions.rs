//! Sessions over HTTP.

use http_body_util::BodyExt as _;
use latchkey::{
    role::Role,
    time::{DAY, HOUR, MINUTE},
};

use crate::test_app::{Browser, TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";

on_both! {
    async fn a_sign_in_opens_a_session_under_a_new_id(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("eve", Role::Owner).await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        // Eve signs in on a browser whose session is known to someone else: Dana's, or one that never existed.
        for known in [dana.session_cookie().unwrap(), "AAAAAAAAAAAAAAAAAAAAAA".to_owned()] {
            let browser = app.browser();
            browser.plant_cookie("latchkey-3000", &known);
            browser.sign_in("eve@northwind.example", PASSWORD).await;
            assert_ne!(browser.session_cookie().unwrap(), known);
            assert!(browser.get("/account").await.body.contains("eve@northwind.example"));
            let other = app.browser();
            other.plant_cookie("latchkey-3000", &known);
            assert!(!other.get("/account").await.body.contains("eve@northwind.example"), "{known}");
        }
    }

    async fn a_second_sign_in_ends_the_session_that_the_browser_had(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let first = dana.session_cookie().unwrap();
        dana.sign_in(DANA, PASSWORD).await;
        assert!(!is_signed_in(&with_cookie(app, &first)).await);
        assert!(is_signed_in(&dana).await);
    }

    async fn an_export_ends_with_the_right_to_it(app: &TestApp) {
        let org = app.org("northwind").await;
        for number in 0..600 {
            org.key(&format!("Key {number:03}")).await;
        }
        let admin = |name| app.signed_in(&org, name, Role::Admin);
        let (demoted, gone) = (admin("kim").await, admin("ben").await);
        let whole = demoted.get("/orgs/northwind/keys.csv").await;
        assert_eq!((whole.status.as_u16(), whole.body.lines().count()), (200, 601));
        let (mut first, mut second) = (demoted.begin("/orgs/northwind/keys.csv").await.into_body(), gone.begin("/orgs/northwind/keys.csv").await.into_body());
        for file in [&mut first, &mut second] {
            assert!(file.frame().await.unwrap().unwrap().into_data().unwrap().starts_with(b"id,name,"));
        }
        let kim = app.database.texts("SELECT id FROM users WHERE email = 'kim@northwind.example'").await.remove(0);
        let lowered = app.api().await.patch(&format!("/v1/orgs/northwind/members/{kim}"), &serde_json::json!({"role": "member"})).await;
        assert_eq!(lowered.status, 200, "{}", lowered.body);
        gone.submit("/sign-out", &[]).await;
        for file in [first, second] {
            assert!(file.collect().await.is_err(), "the file is cut off");
        }
    }

    async fn signing_out_ends_the_session_on_the_server(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let cookie = dana.session_cookie().unwrap();
        let answer = dana.submit("/sign-out", &[]).await;
        assert_eq!((answer.status.is_redirection(), answer.header("location")), (true, "/sign-in"));
        assert_eq!(dana.session_cookie(), None);
        assert!(!is_signed_in(&with_cookie(app, &cookie)).await);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 0);
    }

    async fn signing_out_leaves_other_sessions(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let phone = app.browser();
        phone.sign_in(DANA, PASSWORD).await;
        dana.submit("/sign-out", &[]).await;
        assert!(is_signed_in(&phone).await);
    }

    async fn a_session_ends_after_twelve_idle_hours(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        app.clock.advance(12 * HOUR - MINUTE);
        assert!(is_signed_in(&dana).await);
        app.clock.advance(12 * HOUR - MINUTE);
        assert!(is_signed_in(&dana).await, "use restarted the timeout");
        app.clock.advance(12 * HOUR + MINUTE);
        assert!(!is_signed_in(&dana).await);
    }

    async fn a_session_ends_after_seven_days_of_use(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        for _ in 0..27 {
            app.clock.advance(6 * HOUR);
            assert!(is_signed_in(&dana).await);
        }
        app.clock.advance(7 * DAY - 27 * 6 * HOUR);
        assert!(!is_signed_in(&dana).await);
    }

    async fn using_a_session_does_not_write_each_time(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let ends = async || app.database.number("SELECT expires_at FROM sessions").await;
        let at_first = ends().await;
        app.clock.advance(9 * MINUTE);
        is_signed_in(&dana).await;
        assert_eq!(ends().await, at_first);
        app.clock.advance(2 * MINUTE);
        is_signed_in(&dana).await;
        assert_eq!(ends().await, at_first + 11 * MINUTE);
    }

    async fn a_password_change_ends_the_other_sessions(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let eve = app.signed_in(&org, "eve", Role::Owner).await;
        let phone = app.browser();
        phone.sign_in(DANA, PASSWORD).await;
        let fields = [("current_password", PASSWORD), ("new_password", "a new and better one")];
        let before = dana.session_cookie().unwrap();
        let changed = dana.submit("/account", &fields).await;
        assert_eq!((changed.status.as_u16(), changed.header("location")), (303, "/account"), "{changed:?}");
        assert!(is_signed_in(&dana).await && is_signed_in(&eve).await);
        assert!(!is_signed_in(&phone).await);
        assert_ne!(dana.session_cookie().unwrap(), before, "the session that changed it has a new ID");
        assert!(!is_signed_in(&with_cookie(app, &before)).await);
        assert_eq!(app.browser().sign_in(DANA, PASSWORD).await.status, 422);
        assert!(app.browser().sign_in(DANA, "a new and better one").await.status.is_redirection());
    }

    async fn a_request_that_was_under_way_does_not_bring_an_ended_session_back(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        for _ in 0..20 {
            let cookie = dana.session_cookie().unwrap();
            // Enough time has passed since the last use that each request writes the session.
            app.clock.advance(11 * MINUTE);
            let (one, other) = (with_cookie(app, &cookie), with_cookie(app, &cookie));
            tokio::join!(one.get("/account"), other.submit("/sign-out", &[]), one.get("/orgs/northwind/keys"));
            assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 0);
            dana.sign_in(DANA, PASSWORD).await;
        }
    }
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

fn with_cookie(app: &TestApp, cookie: &str) -> Browser {
    let browser = app.browser();
    browser.plant_cookie("latchkey-3000", cookie);
    browser
}
