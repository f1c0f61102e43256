//! All results, and that only a valid key is accepted.

use latchkey::{
    convention::Scope,
    key::{RevokeReason, text::PlainKey},
    keys::change_state::{disable, enable, revoke},
    time::DAY,
    verify::Request,
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, widget_key, with},
    said,
};

on_both! {
    async fn a_good_key_is_valid_and_its_answer_says_whose_it_is(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let answer = app.verify(&made.plain).await;
        assert_eq!(said(&answer), "VALID");
        let (key, its_org) = (answer.key.unwrap(), answer.org.unwrap());
        assert_eq!((key.id, its_org.id, its_org.slug.as_str()), (made.id, org.org.id, "northwind"));
    }

    async fn without_a_key_one_is_missing(app: &TestApp) {
        assert_eq!(said(&app.ask(&Request::default()).await), "MISSING_API_KEY");
        let empty = PlainKey::from_presented("");
        assert_eq!(said(&app.verify(&empty).await), "MISSING_API_KEY");
        let agent_alone = Request { agent: Some("agt_1"), ..Request::default() };
        assert_eq!(said(&app.ask(&agent_alone).await), "AGENT_NOT_FOUND");
    }

    async fn what_is_not_a_key_is_invalid(app: &TestApp) {
        let other = TestApp::on_sqlite().await;
        let of_another_instance = other.org("northwind").await.key("Production").await;
        assert_eq!(said(&app.verify(&of_another_instance.plain).await), "INVALID_API_KEY unknown");
        let made = app.org("northwind").await.key("Production").await;
        let text = made.plain.expose();
        for wrong in [
            "nonsense", "lk_sk_live_", &text[1..], &text[..text.len() - 1], &format!("{text}0"), &format!(" {text}"),
            &format!("Bearer {text}"), &text.to_lowercase(), &text.replace("_live_", "_test_"), &text.replace("sk", "pk"),
            &"x".repeat(100_000), "lk_sk_live_\0", "🔑",
        ] {
            let wrong = PlainKey::from_presented(wrong);
            assert_eq!(said(&app.verify(&wrong).await), "INVALID_API_KEY malformed", "{}", wrong.expose());
        }
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }

    async fn a_key_answers_to_its_state(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        disable(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY disabled");
        enable(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY revoked");
    }

    async fn a_key_expires_on_the_millisecond_even_while_it_is_warm(app: &TestApp) {
        let org = app.org("northwind").await;
        let expires_at = Some(NOON.plus(30_000));
        let made = org.create_key(with(secret_key("Production"), |settings| settings.expires_at = expires_at)).await.unwrap();
        app.clock.advance(29_999);
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        app.clock.advance(1);
        assert_eq!(said(&app.verify(&made.plain).await), "EXPIRED_API_KEY");
    }

    async fn an_old_secret_works_until_its_overlap_is_over(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        app.database.execute(&format!("UPDATE key_secrets SET ends_at = {}", NOON.plus(1).as_millis())).await;
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        app.clock.advance(1);
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY superseded");
    }

    async fn the_first_check_that_fails_answers(app: &TestApp) {
        let org = app.org("northwind").await;
        let new = with(widget_key("Shop", &["shop.example"]), |settings| { settings.scopes = scopes(&["bots:read"]); settings.expires_at = Some(NOON.plus(DAY)); });
        let made = org.create_key(new).await.unwrap();
        let wanted = scopes(&["bots:write"]);
        let mut request = Request {
            key: Some(&made.plain), agent: Some("agt_1"), scopes: &wanted, origin: Some("https://evil.example"),
            ..Request::default()
        };
        disable(&app.engine, &org.permit(), made.id).await.unwrap();
        app.clock.advance(DAY);
        assert_eq!(said(&app.ask(&request).await), "INVALID_API_KEY disabled");
        app.database.execute("UPDATE keys SET disabled_at = NULL").await;
        app.clock.advance(60_000);
        assert_eq!(said(&app.ask(&request).await), "EXPIRED_API_KEY");
        app.database.execute("UPDATE keys SET expires_at = NULL").await;
        app.clock.advance(60_000);
        assert_eq!(said(&app.ask(&request).await), "AGENT_NOT_FOUND");
        request.agent = None;
        assert_eq!(said(&app.ask(&request).await), "ORIGIN_NOT_ALLOWED");
        request.origin = Some("https://shop.example");
        assert_eq!(said(&app.ask(&request).await), "INSUFFICIENT_SCOPE bots:write");
        request.scopes = &[];
        assert_eq!(said(&app.ask(&request).await), "VALID");
    }

    async fn a_key_needs_every_scope_that_is_asked_for(app: &TestApp) {
        let org = app.org("northwind").await;
        for (granted, asked, expected) in [
            (&["bots:read", "channels:read"][..], &["bots:read"][..], "VALID"),
            (&["bots:read"], &["bots:read", "bots:write", "channels:read"], "INSUFFICIENT_SCOPE bots:write channels:read"),
            (&["bots:read"], &[], "VALID"),
            (&[], &["bots:write"], "VALID"),
            (&["admin"], &["bots:write"], "VALID"),
            (&["bots:write"], &["bots:read"], "INSUFFICIENT_SCOPE bots:read"),
            (&["bots:read"], &["made:up"], "INSUFFICIENT_SCOPE made:up"),
        ] {
            let made = org.create_key(with(secret_key("Production"), |settings| settings.scopes = scopes(granted))).await.unwrap();
            let asked = scopes(asked);
            let request = Request { key: Some(&made.plain), scopes: &asked, ..Request::default() };
            assert_eq!(said(&app.ask(&request).await), expected, "{granted:?} {asked:?}");
        }
    }

    async fn a_widget_key_works_from_its_domains_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        for (origin, referer, passes) in [
            (Some("https://shop.example"), None, true),
            (Some("http://localhost:5173"), None, true),
            (None, Some("https://shop.example/cart?id=1"), true),
            (None, None, false),
            (Some("null"), Some("https://shop.example/"), false),
            (Some(""), Some("https://shop.example/"), false),
            (Some("https://evil.example"), Some("https://shop.example/"), false),
            (Some("https://www.shop.example"), None, false),
            (Some("https://shop.example.evil.example"), None, false),
            (Some("https://shop.example, https://evil.example"), None, false),
        ] {
            let request = Request { key: Some(&made.plain), origin, referer, ..Request::default() };
            let expected = if passes { "VALID" } else { "ORIGIN_NOT_ALLOWED" };
            assert_eq!(said(&app.ask(&request).await), expected, "{origin:?} {referer:?}");
        }
        let secret = org.key("Production").await;
        let request = Request { key: Some(&secret.plain), origin: None, ..Request::default() };
        assert_eq!(said(&app.ask(&request).await), "VALID", "a secret key needs no origin");
    }

    async fn keys_made_under_an_older_pepper_still_pass(app: &TestApp) {
        use latchkey::key::digest::{Pepper, Peppers};
        let made = app.org("northwind").await.key("Production").await;
        let rotated = app.another_engine(|settings| {
            settings.peppers = Peppers::new(Pepper::new(2, &[8; 32]).unwrap(), vec![Pepper::new(1, &[7; 32]).unwrap()]);
        }).await;
        let request = Request { key: Some(&made.plain), ..Request::default() };
        assert_eq!(said(&latchkey::verify::verify(&rotated, &request).await.unwrap()), "VALID");
        let made_since = TestOrg::make(&rotated, "contoso").await.key("Production").await;
        assert_eq!(said(&app.verify(&made_since.plain).await), "INVALID_API_KEY unknown");
        let without = app.another_engine(|settings| {
            settings.peppers = Peppers::new(Pepper::new(2, &[8; 32]).unwrap(), vec![]);
        }).await;
        assert_eq!(said(&latchkey::verify::verify(&without, &request).await.unwrap()), "INVALID_API_KEY unknown");
    }
}

fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}
