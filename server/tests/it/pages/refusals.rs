//! `/orgs/{org}/usage/refusals`.

use latchkey::{refusals::store, role::Role, verify::Request};

use crate::test_app::{
    TestApp,
    org::{secret_key, widget_key, with},
};

const PAGE: &str = "/orgs/northwind/usage/refusals";

on_both! {
    async fn a_refusal_leads_its_owner_to_what_can_be_done(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        assert!(owner.get(PAGE).await.text().contains("All requests passed"));
        let shop = org.create_key(widget_key("=Shop", &["shop.example"])).await.unwrap();
        app.ask(&Request { key: Some(&shop.plain), origin: Some("https://new.example"), ..Request::default() }).await;
        store(&app.engine).await.unwrap();
        let page = owner.get(PAGE).await;
        let remedy = format!("/orgs/northwind/keys/{}?origin=https%3A%2F%2Fnew.example#domains", shop.id);
        assert!(page.text().contains("Add <span class=\"unit\">new.example</span>") && page.body.contains(&remedy), "{}", page.body);
        assert!(owner.get(&remedy).await.text().contains("new.example"));
        let none = owner.get(&format!("{PAGE}?q=other.example")).await;
        assert!(none.text().contains("No requests found"));
        let of_key = owner.get(&format!("{PAGE}?key={}", shop.id)).await;
        assert!(of_key.text().contains("Requests with the key"));
        let invalid = owner.get(&format!("{PAGE}?key=Shop")).await;
        assert!(invalid.text().contains("Enter an ID such as key_01"));
        assert!(page.text().contains("12:00:00\u{a0}UTC") && page.text().contains("Times are in UTC."), "{}", page.text());
        let zone = owner.submit("/account/profile", &[("change", "time_zone"), ("time_zone", "Asia/Kolkata")]).await;
        assert_eq!(zone.status, 303);
        let there = owner.get(PAGE).await.text();
        assert!(there.contains("2026, 17:30:00") && there.contains("Times are in Asia/Kolkata.") && there.contains("datetime=\"2026-11-21T12:00:00.000Z\""), "{there}");
        let admin = app.signed_in(&org, "ari", Role::Admin).await.get(PAGE).await;
        assert!(admin.text().contains("https://new.example") && !admin.text().contains("Add <span") && admin.text().contains("Ask an owner to allow it"));
        let file = owner.get(&format!("{PAGE}.csv?q=new.example")).await;
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"rejected-requests-northwind-2026-11-21.csv\"");
        let [head, row] = <[&str; 2]>::try_from(file.body.lines().collect::<Vec<_>>()).unwrap();
        assert_eq!(head.split(',').count(), row.split(',').count());
        let begin = format!("2026-11-21T12:00:00.000Z,ORIGIN_NOT_ALLOWED,,,{},'=Shop,,,,default,https://new.example,,,rfs_", shop.id);
        assert!(row.starts_with(&begin), "{row}");
        assert_eq!(owner.get(&format!("{PAGE}.csv?key=Shop")).await.status, 400);
        assert_eq!(app.signed_in(&org, "mo", Role::Member).await.get(PAGE).await.status, 403);
    }

    async fn a_missing_scope_is_selected_in_the_form_that_adds_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let scopes = vec!["bots:read".parse().unwrap()];
        let made = org.create_key(with(secret_key("Orders"), |key| key.scopes = scopes)).await.unwrap();
        let missing = ["integrations:read".parse().unwrap()];
        app.ask(&Request { key: Some(&made.plain), scopes: &missing, ..Request::default() }).await;
        store(&app.engine).await.unwrap();
        let form = format!("/orgs/northwind/keys/{}/edit?add=integrations%3Aread", made.id);
        let page = owner.get(PAGE).await;
        assert!(page.body.contains(&format!("href=\"{form}#scopes\"")), "{}", page.body);
        let checked = |body: &str, value: &str| {
            let input = body.split("<input").find(|input| input.contains(&format!("value=\"{value}\""))).unwrap_or_default();
            input.split('>').next().unwrap_or_default().contains(" checked")
        };
        let page = owner.get(&form).await;
        assert!(page.text().contains("Nothing is changed until you save.") && checked(&page.body, "bots:read") && checked(&page.body, "integrations:read"));
        assert!(!checked(&page.body, "bots:write"));
        let unknown = owner.get(&form.replace("integrations", "nothing")).await;
        assert!(!unknown.text().contains("Nothing is changed until you save.") && unknown.status == 200);
    }
}
