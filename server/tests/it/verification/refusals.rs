//! The latest rejected requests of an organization.

use std::net::IpAddr;

use latchkey::{
    agents::create::create,
    key::text::PlainKey,
    keys::import::{Format, import},
    outcome::Outcome,
    refusals::{self, KEPT, KEPT_FOR, Refusal, RefusalQuery},
    usage::flush::flush,
    verify::Request,
};
use sha2::{Digest, Sha256};

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, secret_key, widget_key, with},
};

on_both! {
    async fn a_rejected_request_is_kept_with_why_and_from_where(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let request = Request {
            key: Some(&shop.plain),
            origin: Some("https://Evil.example"),
            user_agent: Some("Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0"),
            ip: Some(IpAddr::from([203, 0, 113, 7])),
            ..Request::default()
        };
        app.ask(&request).await;
        app.ask(&Request { origin: Some("https://shop.example"), ..request }).await;
        app.ask(&Request { dry_run: true, ..request }).await;
        refusals::store(&app.engine).await.unwrap();
        let [refusal] = <[Refusal; 1]>::try_from(list(app, &org, &all()).await).unwrap();
        assert_eq!((refusal.code, refusal.key.unwrap().id), (Outcome::OriginNotAllowed, shop.id));
        let from = [refusal.origin, refusal.network, refusal.client].map(Option::unwrap);
        assert_eq!(from, ["https://evil.example", "203.0.113.0/24", "firefox"]);
        let limited = with(secret_key("Production"), |settings| settings.scopes = vec!["bots:read".parse().unwrap()]);
        let limited = org.create_key(limited).await.unwrap();
        let scopes = ["bots:write".parse().unwrap()];
        app.clock.advance(1);
        app.ask(&Request { key: Some(&limited.plain), scopes: &scopes, ..Request::default() }).await;
        refusals::store(&app.engine).await.unwrap();
        assert_eq!(list(app, &org, &all()).await[0].missing_scopes, ["bots:write"]);
        let stranger = app.org("contoso").await;
        assert_eq!(codes(app, &stranger, &all()).await, []);
    }

    async fn an_unknown_key_is_noted_only_where_it_leads_to_an_organization(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let known = org.key("Production").await;
        let theirs = other.key("Theirs").await;
        let bot = create(&app.engine, &org.permit(), &agent("Support", &[])).await.unwrap().public_id.to_string();
        let unknown = PlainKey::from_presented("lk_sk_live_leaked-but-never-ours");
        // No organization.
        app.ask(&Request { key: Some(&unknown), ..Request::default() }).await;
        // An agent that no request has named yet is not in memory.
        app.ask(&Request { key: Some(&known.plain), agent: Some(&bot), ..Request::default() }).await;
        app.ask(&Request { key: Some(&unknown), agent: Some(&bot), ..Request::default() }).await;
        app.clock.advance(1);
        // A token of the organization's own, with a key of its own that does not exist for it.
        app.ask(&Request { key: Some(&theirs.plain), org: Some(org.org.id), ..Request::default() }).await;
        refusals::store(&app.engine).await.unwrap();
        let noted = list(app, &org, &all()).await;
        let [foreign, named] = <[Refusal; 2]>::try_from(noted).unwrap();
        assert_eq!((foreign.key, foreign.reason, foreign.prefix.as_deref()), (None, None, Some("lk_sk_live_")));
        assert_eq!((named.prefix.as_deref(), named.agent.unwrap().public_id.to_string()), (Some("lk_sk_live_"), bot));
        assert_eq!(codes(app, &other, &all()).await, []);
        assert!(!app.database.holds("never-ours").await);
    }

    async fn a_key_that_is_sent_as_something_else_is_stored_nowhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let own = org.key("Own").await.plain;
        // Never verified here: an import is known before its first use.
        let elsewhere = "k7aa9c-9f3a2b-0d1e2f";
        let sha256: String = Sha256::digest(elsewhere).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = format!("name,sha256\nImported,{sha256}\n");
        assert!(import(&app.engine, &org.permit(), Format::Csv, &file, false).await.unwrap().imported);
        let empty = PlainKey::from_presented("");
        let scopes = [elsewhere.parse().unwrap()];
        for secret in [own.expose(), elsewhere] {
            let (origin, agent) = (format!("https://{secret}.example"), format!("{secret}/1"));
            for key in [None, Some(&empty), Some(&PlainKey::from_presented("something else"))] {
                let request = Request { key, org: Some(org.org.id), user_agent: Some(&agent), ..Request::default() };
                app.ask(&Request { origin: Some(&origin), ..request }).await;
                app.ask(&Request { referer: Some(&origin), scopes: &scopes, ..request }).await;
            }
        }
        let limited = with(secret_key("Production"), |settings| settings.scopes = vec!["bots:read".parse().unwrap()]);
        let limited = org.create_key(limited).await.unwrap();
        app.ask(&Request { key: Some(&limited.plain), scopes: &scopes, ..Request::default() }).await;
        app.ask(&Request { org: Some(org.org.id), origin: Some("https://shop.example"), ..Request::default() }).await;
        refusals::store(&app.engine).await.unwrap();
        flush(&app.engine).await.unwrap();
        let origins: Vec<_> = list(app, &org, &all()).await.into_iter().filter_map(|refusal| refusal.origin).collect();
        assert_eq!((app.database.number("SELECT COUNT(*) FROM refusals").await, origins), (14, vec!["https://shop.example".to_owned()]));
        assert!(!app.database.holds(elsewhere).await && !app.database.holds(own.expose()).await);
        assert!(!app.database.holds(&own.expose().to_lowercase()).await);
    }

    async fn a_key_that_a_program_rewrote_as_a_host_is_stored_nowhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let lenient = app.org("contoso").await;
        app.database.execute("UPDATE orgs SET secrets_in_browsers = TRUE WHERE slug = 'contoso'").await;
        let (secret, in_pages) = (org.key("Secret").await.plain, lenient.key("In pages").await.plain);
        let shop = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().plain;
        let elsewhere = PlainKey::from_presented("lk_sk_live_neverMadeHere0123456789abcdefg");
        let mut asked = 0;
        for sent in [&secret, &in_pages, &shop] {
            for written in [&secret, &in_pages, &shop, &elsewhere] {
                let lower = written.expose().to_lowercase();
                for host in [lower.clone(), lower.replace('_', "-"), lower.replace('_', "."), lower.replace('_', "")] {
                    let page = format!("https://www.{host}.example/path");
                    let scopes = [lower.replace('_', "-").parse().unwrap()];
                    let request = Request { key: Some(sent), referer: Some(&page), ip: Some([192, 0, 2, 1].into()), ..Request::default() };
                    app.ask(&request).await;
                    app.ask(&Request { origin: Some(page.trim_end_matches("/path")), scopes: &scopes, ..request }).await;
                    asked += 2;
                }
            }
            // An organization has the memory for fifty between two writes.
            refusals::store(&app.engine).await.unwrap();
        }
        flush(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM refusals").await, asked / 3 * 2);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_findings").await, 2);
        assert_eq!(app.database.texts("SELECT DISTINCT origin FROM key_findings").await, [""]);
        for written in [&secret, &in_pages, &shop, &elsewhere] {
            let tail = written.expose()["lk_sk_live_".len()..].to_lowercase();
            assert!(!app.database.holds(&tail).await && !app.database.holds(&tail[..12]).await);
        }
    }

    async fn origins_of_previews_are_listed_although_they_look_mixed(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().plain;
        let mut expected = vec![];
        for host in [
            "shop-live-2024.example.com", "my-app-git-main-team.vercel.app", "my-app-a1b2c3d4e-team.vercel.app",
            "a1b2c3d4e5f6g7h8.cloudfront.net", "d111111abcdef8.cloudfront.net",
            "550e8400-e29b-41d4-a716-446655440000.previews.example", "lk-pk-live-git-main-team.vercel.app",
        ] {
            let origin = format!("https://{host}");
            app.ask(&Request { key: Some(&shop), origin: Some(&origin), ..Request::default() }).await;
            app.clock.advance(1);
            expected.insert(0, origin);
        }
        refusals::store(&app.engine).await.unwrap();
        let listed = list(app, &org, &all()).await.into_iter();
        assert_eq!(listed.map(|refusal| refusal.origin.unwrap()).collect::<Vec<_>>(), expected);
    }

    async fn the_newest_thousand_of_thirty_days_are_kept(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        for _ in 0..(KEPT + 90) / 30 {
            for _ in 0..30 {
                app.clock.advance(1);
                app.ask(&Request { key: Some(&shop.plain), origin: Some("https://evil.example"), ..Request::default() }).await;
            }
            refusals::store(&app.engine).await.unwrap();
        }
        let oldest = "SELECT COUNT(*) FROM refusals";
        assert_eq!(app.database.number(oldest).await, KEPT);
        let newest = list(app, &org, &all()).await.remove(0);
        assert_eq!(newest.at, app.clock.now());
        app.clock.advance(KEPT_FOR);
        refusals::delete_old(&app.engine).await.unwrap();
        assert_eq!(app.database.number(oldest).await, 1);
        app.clock.advance(1);
        refusals::delete_old(&app.engine).await.unwrap();
        assert_eq!(app.database.number(oldest).await, 0);
    }
}

fn all() -> RefusalQuery {
    RefusalQuery {
        limit: 100,
        ..RefusalQuery::default()
    }
}

async fn list(app: &TestApp, org: &TestOrg, query: &RefusalQuery) -> Vec<Refusal> {
    let page = refusals::list(&app.engine, &org.permit(), query).await;
    page.unwrap().refusals
}

async fn codes(app: &TestApp, org: &TestOrg, query: &RefusalQuery) -> Vec<Outcome> {
    let refusals = list(app, org, query).await.into_iter();
    refusals.map(|refusal| refusal.code).collect()
}
