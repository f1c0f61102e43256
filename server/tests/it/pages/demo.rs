//! What `latchkey demo` fills a database with, as its pages show it.

use latchkey::{outcome::Outcome, role::Role};
use latchkey_server::demo::{self, DemoError, SignIn, Size};

use crate::test_app::{Browser, TestApp};

const SIZE: Size = Size {
    keys: 0,
    orgs: 1,
    days: 90,
    seed: 1,
};

async fn filled(app: &TestApp) -> Vec<SignIn> {
    app.set_time("2026-11-21T15:00:00Z");
    let now = app.clock.now();
    let sign_ins = demo::fill(&app.engine, SIZE, now).await.unwrap();
    assert_eq!(app.clock.now(), now);
    sign_ins
}

async fn browser(app: &TestApp, sign_ins: &[SignIn], role: Role) -> Browser {
    let browser = app.browser();
    let account = sign_ins.iter().find(|account| account.role == role);
    let SignIn {
        email, password, ..
    } = account.unwrap();
    assert_eq!(browser.sign_in(email, password).await.status, 303);
    browser
}

async fn open(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.text()
}

/// The addresses of a page that begin with this text.
fn links(page: &str, start: &str) -> Vec<String> {
    let begin = format!("href=\"{start}");
    let parts = page.split(&begin).skip(1);
    let mut links: Vec<String> = parts
        .map(|part| {
            let (rest, _) = part.split_once('"').unwrap();
            format!("{start}{rest}").replace("&amp;", "&")
        })
        .collect();
    links.sort();
    links.dedup();
    links
}

on_both! {
    async fn no_page_of_a_demo_is_empty_or_leads_to_an_empty_list(app: &TestApp) {
        let sign_ins = filled(app).await;
        assert_eq!(sign_ins.iter().map(|account| account.role).collect::<Vec<_>>(), Role::ALL);
        let owner = browser(app, &sign_ins, Role::Owner).await;
        let org = "/orgs/northwind";
        let empty = "class=\"empty\"";
        for path in ["keys", "agents", "projects", "usage", "usage?range=24h", "usage?range=12m&group_by=project", "usage/refusals", "members", "audit", "tokens"] {
            let page = open(&owner, &format!("{org}/{path}")).await;
            assert!(!page.contains(empty) && !page.contains("No requests"), "{path}: {page}");
        }
        let keys = links(&open(&owner, &format!("{org}/keys?status=all")).await, "/orgs/northwind/keys/key_");
        let keys: Vec<&String> = keys.iter().filter(|link| !link[1..].contains('?') && link.matches('/').count() == 4).collect();
        assert!(keys.len() >= 14, "{keys:?}");
        let (mut rotating, mut listed) = (0, 0);
        for key in keys {
            let page = open(&owner, key).await;
            rotating += usize::from(page.contains("still works") || page.contains("End now"));
            for list in links(&page, "/orgs/northwind/usage/refusals") {
                let rejected = open(&owner, &list).await;
                assert!(!rejected.contains(empty), "{list} of {key}: {rejected}");
                listed += 1;
            }
        }
        assert!(rotating >= 1 && listed >= 5, "{rotating} {listed}");
        let named = async |name: &str| {
            let id = app.database.texts(&format!("SELECT id FROM keys WHERE name = '{name}'")).await;
            open(&owner, &format!("{org}/keys/{}", id[0])).await
        };
        let server = named("Production server").await;
        for part in ["Full access", "axios", "bots:read", "198.51.100.0/24"] {
            assert!(server.contains(part), "{part}: {server}");
        }
        assert!(!server.contains("Missing scope"), "{server}");
        let checkout = named("Storefront checkout").await;
        for part in ["https://shop.northwind.example", "Days that stood out", "Changed</b> by Dana Reyes"] {
            assert!(checkout.replace("<!>", "").contains(part), "{part}: {checkout}");
        }
        // What is allowed by a pattern counts for it.
        let by_pattern = app.database.number("SELECT COUNT(*) FROM usage_domains WHERE domain = '*.shop.northwind.example' AND passed AND count > 100").await;
        assert!(by_pattern > 80, "{by_pattern} days");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM service_tokens WHERE last_used_at IS NULL").await, 0);
        let minutes = owner.get(&format!("{org}/usage.json?from=2026-11-21T12:00&to=2026-11-21T14:00&step=minute")).await.json();
        let quiet = minutes["steps"].as_array().unwrap().iter().filter(|step| step["passed"] == 0).count();
        assert_eq!((minutes["steps"].as_array().unwrap().len(), quiet), (120, 0), "{minutes}");
        let usage = open(&owner, &format!("{org}/usage")).await;
        assert!(usage.contains("Unusual requests") && usage.contains("Nightly export"), "{usage}");
        for code in ["ORIGIN_NOT_ALLOWED", "RATE_LIMITED", "INVALID_API_KEY", "EXPIRED_API_KEY", "INSUFFICIENT_SCOPE", "SECRET_KEY_IN_BROWSER", "WRONG_ENVIRONMENT"] {
            let count = app.database.number(&format!("SELECT COUNT(*) FROM refusals WHERE code = '{code}'")).await;
            assert!(count > 0, "{code}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM refusals").await, 1_000);
        // A reviewer saw nothing that happened after the review.
        let mut seen = 0;
        for review in app.database.texts("SELECT CAST(at AS TEXT) || ' ' || findings FROM reviews").await {
            let (at, findings) = review.split_once(' ').unwrap();
            let (at, findings): (i64, serde_json::Value) = (at.parse().unwrap(), serde_json::from_str(findings).unwrap());
            for finding in findings.as_array().unwrap() {
                for time in [&finding["since"], &finding["evidence"]["last_at"]] {
                    assert!(time.as_i64().is_none_or(|time| time <= at), "{at}: {finding}");
                }
                seen += usize::from(finding["evidence"]["last_at"].is_i64());
            }
        }
        assert!(seen > 0, "someone reviewed a key that was seen in a browser");
        let leaked = app.database.number("SELECT count FROM key_findings").await;
        let listed = app.database.number("SELECT COUNT(*) FROM refusals WHERE code = 'SECRET_KEY_IN_BROWSER'").await;
        let counted = app.database.number(&format!("SELECT CAST(SUM(count) AS BIGINT) FROM usage_days WHERE outcome = {} AND subject IN (SELECT id FROM usage_subjects WHERE kind = 2)", Outcome::SecretKeyInBrowser.number())).await;
        assert_eq!(leaked, counted);
        // Of all rejected requests, only the newest are listed.
        assert!(listed > 1 && listed <= leaked, "{listed} {leaked}");
        let prototype = named("Prototype").await.replace("<!>", "");
        assert!(prototype.contains(&format!("sent this secret key {leaked} times")), "{prototype}");
        let added = open(&owner, &format!("{org}/usage/refusals?code=ORIGIN_NOT_ALLOWED")).await;
        assert!(added.contains("Add <span class=\"unit\">preview.northwind.example"), "{added}");
        let member = browser(app, &sign_ins, Role::Member).await;
        assert!(!open(&member, &format!("{org}/usage")).await.contains(empty));
    }

    async fn a_demo_is_never_added_to_data(app: &TestApp) {
        app.org("contoso").await;
        let refused = demo::fill(&app.engine, SIZE, app.clock.now()).await;
        assert!(matches!(refused, Err(DemoError::NotEmpty)), "{refused:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 1);
    }
}
