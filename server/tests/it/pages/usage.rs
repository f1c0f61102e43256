//! The usage of an org's keys: the page, and the data for its island when another range is selected.

use latchkey::{role::Role, usage::flush::flush};

use crate::test_app::{Browser, TestApp, TestOrg};

/// An org with a key that was used forty days ago and now.
async fn used(app: &TestApp) -> TestOrg {
    let org = app.org("northwind").await;
    let key = org.key("Production").await;
    app.clock.advance(40 * latchkey::time::DAY);
    for _ in 0..2 {
        app.verify(&key.plain).await;
    }
    flush(&app.engine).await.unwrap();
    org
}

async fn usage(browser: &Browser, range: &str) -> serde_json::Value {
    let answer = browser
        .call("/api/usage", &[("org", "northwind"), ("range", range)])
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

on_both! {
    async fn the_island_is_shown_of_a_range_what_its_page_shows(app: &TestApp) {
        let org = used(app).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (range, step) in [("24h", "hour"), ("7d", "day"), ("30d", "day"), ("12m", "month")] {
            let shown = usage(&owner, range).await;
            assert_eq!((&shown["range"], &shown["requests"]), (&range.into(), &2.into()), "{shown}");
            let page = owner.get(&format!("/orgs/northwind/usage?range={range}")).await.text();
            let (period, html) = (shown["period"].as_str().unwrap(), shown["html"].as_str().unwrap().replace("<!>", ""));
            assert!(html.contains(&format!("per {step}")) && html.contains("Production"), "{html}");
            assert!(page.contains(period) && page.contains(&html), "{html} is not in {page}");
        }
    }

    async fn a_member_is_shown_the_totals_alone(app: &TestApp) {
        let org = used(app).await;
        let html = async |name, role| usage(&app.signed_in(&org, name, role).await, "7d").await["html"].as_str().unwrap().to_owned();
        let member = html("ben", Role::Member).await;
        assert!(member.contains("2 requests") && !member.contains("Production") && !member.contains("By key"), "{member}");
        assert!(html("kim", Role::Admin).await.contains("Production"));
    }

    async fn what_people_wrote_stays_text(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("<img src=x onerror=alert(1)>").await;
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        let shown = usage(&app.signed_in(&org, "dana", Role::Owner).await, "7d").await;
        let html = shown["html"].as_str().unwrap();
        assert!(html.contains("&lt;img src=x") && !html.contains("<img"), "{html}");
    }

    async fn a_range_is_one_of_four(app: &TestApp) {
        let org = used(app).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for fields in [&[("org", "northwind"), ("range", "2y")][..], &[("org", "northwind")]] {
            let answer = owner.call("/api/usage", fields).await;
            assert_eq!(answer.status, 400, "{answer:?}");
        }
        let page = owner.get("/orgs/northwind/usage?range=2y").await.text();
        assert!(page.contains("previous 30 days"), "{page}");
        let page = owner.get("/orgs/northwind/usage?range=12m").await.text();
        assert!(page.contains("previous 12 months"), "an address from before: {page}");
    }
}
