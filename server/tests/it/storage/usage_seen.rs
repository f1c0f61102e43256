//! What the valid requests of a key came with.

use std::net::{IpAddr, Ipv4Addr};

use latchkey::{
    key::settings::SettingsChange,
    role::Role,
    time::{DAY, MINUTE},
    usage::{
        flush::{flush, flush_regularly},
        retention::delete_old,
        seen::{Facet, KEPT_FOR, of_key},
    },
    verify::{Request, verify},
};

use crate::test_app::{TestApp, TestOrg, org::widget_key};

const FIREFOX: &str = "Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0";

on_both! {
    async fn the_valid_requests_of_a_key_show_where_they_come_from(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.create_key(widget_key("Shop", &["*.shop.example"])).await.unwrap();
        let scopes = ["bots:read".parse().unwrap(), "bots:write".parse().unwrap()];
        let request = Request {
            key: Some(&key.plain),
            origin: Some("https://www.Shop.example"),
            user_agent: Some(FIREFOX),
            ip: Some(IpAddr::from([203, 0, 113, 7])),
            scopes: &scopes[..1],
            ..Request::default()
        };
        app.ask(&request).await;
        flush_regularly(&app.engine).await.unwrap();
        app.clock.advance(MINUTE);
        app.ask(&Request { ip: Some(IpAddr::from([203, 0, 113, 99])), ..request }).await;
        app.ask(&Request { origin: None, referer: Some("https://m.shop.example/cart?x=1"), user_agent: Some("curl/8"), ..request }).await;
        // Neither of these counts.
        app.ask(&Request { origin: Some("https://evil.example"), ..request }).await;
        app.ask(&Request { dry_run: true, origin: Some("https://dry.shop.example"), ..request }).await;
        let other = app.another_engine(|settings| settings.clock = app.clock.clone()).await;
        verify(&other, &Request { scopes: &scopes, ..request }).await.unwrap();
        flush(&other).await.unwrap();
        flush(&app.engine).await.unwrap();
        let rows = seen(app, &org, key.id).await;
        insta::allow_duplicates! { insta::assert_snapshot!(rows, @r"
        Origin https://www.shop.example 3, 1 to 0 min ago
        Origin https://m.shop.example 1, 0 to 0 min ago
        Scope bots:read 4, 1 to 0 min ago
        Scope bots:write 1, 0 to 0 min ago
        Network 203.0.113.0/24 4, 1 to 0 min ago
        Client firefox 3, 1 to 0 min ago
        Client curl 1, 0 to 0 min ago
        ") };
        let narrowed = SettingsChange { scopes: Some(vec!["bots:read".parse().unwrap(), "conversations:read".parse().unwrap()]), ..SettingsChange::default() };
        org.edit(key.id, narrowed).await.unwrap();
        let page = format!("/orgs/northwind/keys/{}", key.id);
        let text = app.signed_in(&org, "ari", Role::Admin).await.get(&page).await.text();
        for part in ["https://m.shop.example", "203.0.113.0/24", "firefox", "No request required conversations:read."] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // What was stored before first times were recorded stays without one.
        app.database.execute("UPDATE usage_seen SET first_at = NULL WHERE value = 'curl'").await;
        app.ask(&Request { user_agent: Some("curl/8"), ..request }).await;
        flush(&app.engine).await.unwrap();
        let rows = seen(app, &org, key.id).await;
        assert!(rows.contains("Client curl 2, unknown to 0 min ago"), "{rows}");
        let text = app.signed_in(&org, "abe", Role::Admin).await.get(&page).await.text();
        assert!(text.contains("Not recorded"), "{text}");
        let member = app.signed_in(&org, "mo", Role::Member).await.get(&page).await;
        assert!(!member.body.contains("m.shop.example") && !member.body.contains("203.0.113"));
        app.clock.advance(KEPT_FOR + 1);
        delete_old(&app.engine).await.unwrap();
        assert_eq!(seen(app, &org, key.id).await, "");
    }

    async fn a_flood_of_networks_leaves_twenty_and_those_that_are_used(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        let from = |number: u32| Request {
            key: Some(&key.plain),
            ip: Some(Ipv4Addr::from_bits(number << 8).into()),
            ..Request::default()
        };
        for number in 0..20 {
            app.ask(&from(number)).await;
        }
        flush(&app.engine).await.unwrap();
        app.clock.advance(DAY + 1);
        app.ask(&from(0)).await;
        flush(&app.engine).await.unwrap();
        for number in 100..180 {
            app.ask(&from(number)).await;
        }
        app.ask(&from(0)).await;
        flush(&app.engine).await.unwrap();
        let rows = seen(app, &org, key.id).await;
        assert_eq!(rows.lines().count(), Facet::Network.limit() + 1, "{rows}");
        assert!(rows.contains("0.0.0.0/24 3, 1440 to 0 min ago"), "{rows}");
        // 19 of the flood took the places of those that were not seen for a day, whose requests are in the sum.
        assert!(rows.contains("\nNetwork  80, 1440 to 0 min ago"), "{rows}");
    }
}

async fn seen(app: &TestApp, org: &TestOrg, key: latchkey::id::KeyId) -> String {
    let seen = of_key(&app.engine, &org.permit(), key).await.unwrap();
    let line = |seen: &latchkey::usage::seen::SeenValue| {
        let ago = |at| app.clock.now().since(at) / MINUTE;
        let (first, last) = (seen.first_at.map(ago), ago(seen.last_at));
        let (facet, value) = (seen.facet, &seen.value);
        let first = first.map_or("unknown".to_owned(), |first| first.to_string());
        format!(
            "{facet:?} {value} {}, {first} to {last} min ago\n",
            seen.count
        )
    };
    seen.iter().map(line).collect()
}
