//! Secret keys in requests from browsers.

use std::sync::Arc;

use latchkey::{
    Engine,
    convention::Convention,
    orgs::settings::{self, OrgSettings},
    revision::Known,
    time::MINUTE,
    usage::flush::flush,
    usage::problem::{self, Problem, Seen},
    verify::{Request, verify},
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, with},
    said,
};

on_both! {
    async fn a_secret_key_in_a_browser_is_refused_and_the_finding_kept(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        for (origin, referer, expected) in [
            (None, None, "VALID"),
            (Some("https://shop.example"), None, "SECRET_KEY_IN_BROWSER"),
            (None, Some("https://shop.example/cart"), "SECRET_KEY_IN_BROWSER"),
            (Some("null"), None, "SECRET_KEY_IN_BROWSER"),
            (Some(""), Some(""), "VALID"),
        ] {
            let request = Request { key: Some(&made.plain), origin, referer, ..Request::default() };
            assert_eq!(said(&app.ask(&request).await), expected, "{origin:?} {referer:?}");
            app.clock.advance(MINUTE);
        }
        flush(&app.engine).await.unwrap();
        app.ask(&Request { key: Some(&made.plain), origin: Some("https://WWW.Shop.example:443"), ..Request::default() }).await;
        flush(&app.engine).await.unwrap();
        let found = problem::of_key(&app.engine, &org.permit(), made.id).await.unwrap();
        let expected = Seen {
            secret_id: found[0].secret_id,
            finding: Problem::SecretKeyInBrowser,
            first_at: NOON.plus(MINUTE),
            last_at: NOON.plus(5 * MINUTE),
            count: 4,
            origin: "https://www.shop.example".to_owned(),
        };
        assert_eq!(found, [expected]);
        let stranger = app.org("contoso").await;
        assert!(problem::of_key(&app.engine, &stranger.permit(), made.id).await.unwrap().is_empty());
    }

    async fn an_org_may_let_secret_keys_into_browsers_and_the_finding_is_kept_all_the_same(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let (made, theirs) = (org.key("Production").await, other.key("Production").await);
        let ask = async |key| said(&app.ask(&Request { key: Some(key), origin: Some("https://shop.example"), ..Request::default() }).await);
        assert_eq!(ask(&made.plain).await, "SECRET_KEY_IN_BROWSER");
        let allow = OrgSettings { name: "Northwind".parse().unwrap(), secrets_in_browsers: true };
        settings::change(&app.engine, &org.permit(), allow.clone(), &Known::Nothing).await.unwrap();
        assert_eq!(settings::read(&app.engine, &org.permit()).await.unwrap(), allow);
        assert_eq!(ask(&made.plain).await, "VALID", "immediately, even though the key was in memory");
        assert_eq!(ask(&theirs.plain).await, "SECRET_KEY_IN_BROWSER");
        settings::change(&app.engine, &org.permit(), OrgSettings { secrets_in_browsers: false, ..allow }, &Known::Nothing).await.unwrap();
        assert_eq!(ask(&made.plain).await, "SECRET_KEY_IN_BROWSER");
        flush(&app.engine).await.unwrap();
        let found = problem::of_key(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(found[0].count, 3);
    }

    async fn a_key_that_is_meant_for_pages_is_no_finding(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.convention = Convention::built_in("agentix").unwrap()).await;
        let org = TestOrg::make(&engine, "northwind").await;
        for (scopes, expected, findings) in [
            (&["chat"][..], "VALID", 0),
            (&["chat", "config"], "SECRET_KEY_IN_BROWSER", 1),
            (&[], "SECRET_KEY_IN_BROWSER", 1),
        ] {
            let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
            let made = org.create_key(with(secret_key("Widget"), |settings| settings.scopes = scopes)).await.unwrap();
            let request = Request { key: Some(&made.plain), origin: Some("https://shop.example"), ..Request::default() };
            assert_eq!(ask(&engine, &request).await, expected);
            flush(&engine).await.unwrap();
            let found = problem::of_key(&engine, &org.permit(), made.id).await.unwrap();
            assert_eq!(found.len(), findings);
        }
    }
}

async fn ask(engine: &Arc<Engine>, request: &Request<'_>) -> String {
    said(&verify(engine, request).await.unwrap())
}
