//! The zone of the profile, in which pages show times.

use latchkey::{
    agents::create::create, key::settings::SettingsChange, role::Role, usage::flush::flush,
};

use crate::test_app::{TestApp, org::agent};

/// The tooltips of the times on a page, each with its zone.
fn times(page: &str) -> Vec<&str> {
    let times = page.split("<time ").skip(1);
    times
        .map(|time| {
            let (_, title) = time.split_once("title=\"").expect("a time has a tooltip");
            title.split('"').next().unwrap_or_default()
        })
        .collect()
}

on_both! {
    async fn every_time_of_a_page_is_in_the_zone_of_its_viewer(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Production").await;
        let expires_at = Some(app.engine.clock().now().plus(40 * latchkey::time::DAY));
        org.edit(key.id, SettingsChange { expires_at: Some(expires_at), ..SettingsChange::default() }).await.unwrap();
        let agent = create(&app.engine, &org.permit(), &agent("Support", &["shop.example"])).await.unwrap().public_id;
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        let of_key = format!("/orgs/northwind/keys/{}", key.id);
        let of_agent = format!("/orgs/northwind/agents/{agent}");
        let pages = [
            of_key.as_str(), &of_agent, "/orgs/northwind/keys", "/orgs/northwind/members", "/orgs/northwind/audit", "/account/sessions",
        ];
        for page in pages {
            let page = owner.get(page).await.text();
            assert!(!times(&page).is_empty() && times(&page).iter().all(|time| time.ends_with(" UTC")), "{page}");
        }
        owner.submit("/account/profile", &[("change", "time_zone"), ("time_zone", "America/Los_Angeles")]).await;
        for page in pages {
            let page = owner.get(page).await.text();
            assert!(!times(&page).is_empty() && times(&page).iter().all(|time| time.ends_with(" (America/Los_Angeles)")), "{page}");
        }
        let page = owner.get(&of_key).await.text();
        assert!(page.contains("Dec 31, 2026, 04:00 UTC−8") && page.contains("datetime=\"2026-12-31T12:00:00.000Z\""), "{page}");
        let log = owner.get("/orgs/northwind/audit").await.text();
        assert!(log.contains("04:00:00\u{a0}UTC−8") && log.contains("Times are in America/Los_Angeles."), "{log}");
        // Days are those of the zone: at noon in UTC, it is the 21st there, and the 22nd in Auckland.
        let count = async |day: &str| {
            let page = owner.get(&format!("/orgs/northwind/audit?event=key.created&from={day}&to={day}")).await.text();
            page.matches("<time ").count()
        };
        assert_eq!((count("2026-11-21").await, count("2026-11-20").await), (1, 0));
        owner.submit("/account/profile", &[("change", "time_zone"), ("time_zone", "Pacific/Auckland")]).await;
        assert_eq!((count("2026-11-21").await, count("2026-11-22").await), (0, 1));
        // Files stay in UTC, with the same entries.
        let file = owner.get("/orgs/northwind/audit.csv?event=key.created&from=2026-11-22&to=2026-11-22").await.text();
        assert!(file.contains("2026-11-21T12:00:00.000Z"), "{file}");
    }

    async fn an_older_name_of_a_zone_is_stored_as_the_current_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let profile = owner.get("/account/profile").await.text();
        assert!(profile.contains("<optgroup label=\"America\">") && !profile.contains("Asia/Calcutta"), "{profile}");
        let chosen = owner.submit("/account/profile", &[("change", "time_zone"), ("time_zone", "Asia/Calcutta")]).await;
        assert_eq!(chosen.status, 303);
        assert_eq!(app.database.texts("SELECT time_zone FROM users").await, ["Asia/Kolkata"]);
    }
}
