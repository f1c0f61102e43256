//! Rotating a key: the new secret is shown once, and the old one has a countdown.

use latchkey::{
    key::text::PlainKey,
    keys::rotate::{Rotation, rotate},
    role::Role,
    time::{DAY, MINUTE},
    usage::flush::flush,
    verify::Request,
};

use super::new_key::shown_key;
use crate::test_app::{TestApp, said};

on_both! {
    async fn the_new_secret_is_shown_once_and_the_old_one_runs_out(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let old = org.key("Production").await;
        let path = format!("/orgs/northwind/keys/{}", old.id);
        let form = owner.get(&format!("{path}/rotate")).await;
        assert!(form.status == 200 && form.text().contains("It has not been used yet."), "{}", form.body);
        let token = form.body.split("name=\"rotation_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fields = [("overlap", "86400"), ("rotation_token", token)];
        let answer = owner.submit(&format!("{path}/rotate"), &fields).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.text().contains("Production has a new secret"), "{}", answer.body);
        let new = PlainKey::from_presented(shown_key(&answer));
        assert_eq!(said(&app.verify(&new).await), "VALID");
        app.clock.advance(5 * MINUTE);
        assert_eq!(said(&app.verify(&old.plain).await), "VALID");
        flush(&app.engine).await.unwrap();

        let again = owner.submit(&format!("{path}/rotate"), &fields).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, &*format!("{path}?shown=1")), "a form that is sent twice rotates once");
        let page = owner.get(&path).await.text();
        assert!(!page.contains(new.expose()), "it is shown nowhere else");
        let is_rotating = async |path: &str| owner.get(path).await.text().contains("The old secret works until Nov 22, 2026, 12:00 UTC.");
        for path in [&path, "/orgs/northwind/keys"] {
            assert!(is_rotating(path).await, "{path}");
        }
        assert!(page.contains("Old secret, last used ") && page.contains("Nov 22, 2026, 12:00 UTC"), "{page}");
        let running = owner.get(&format!("{path}/rotate")).await.text();
        assert!(running.contains("A rotation is already in progress") && !running.contains("name=\"overlap\""), "{running}");
        let refused = owner.submit(&format!("{path}/rotate"), &[("overlap", "0")]).await;
        assert!(refused.status == 422 && refused.text().contains("End the old secret now"), "{refused:?}");

        // The confirmation is in a closed dialog, or in the page without JavaScript.
        let (end, dialog) = ("value=\"end-old-secret\"", "id=\"end-old-secret\"");
        assert!(page.contains(&format!("{path}?end=1#secrets")) && running.contains("?end=1#secrets"), "{page}");
        assert!(page.contains(end) && page.contains(dialog), "{page}");
        let asked = owner.get(&format!("{path}?end=1")).await.text();
        assert!(asked.contains(end) && !asked.contains(dialog) && asked.contains("It was last used "), "{asked}");

        let id = old.id.to_string();
        let ended = owner.change_key(&id, "end-old-secret").await;
        assert_eq!(ended.header("location"), path, "{ended:?}");
        assert_eq!(said(&app.verify(&old.plain).await), "INVALID_API_KEY superseded");
        assert!(owner.get(&path).await.text().contains(", ended "));
        for path in [&path, "/orgs/northwind/keys"] {
            assert!(!is_rotating(path).await, "{path}");
        }
        app.clock.advance(DAY);
        assert_eq!(said(&app.verify(&new).await), "VALID");
    }

    async fn the_end_of_the_secret_settles_that_a_browser_had_it_until_one_has_the_next(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let old = org.key("Production").await;
        let in_a_page = async |key: &PlainKey| {
            app.ask(&Request { key: Some(key), origin: Some("https://shop.example"), ..Request::default() }).await;
            flush(&app.engine).await.unwrap();
            app.clock.advance(MINUTE);
            owner.get(&format!("/orgs/northwind/keys/{}", old.id)).await.text().contains("A browser sent this secret key")
        };
        assert!(in_a_page(&old.plain).await);
        let form = owner.get(&format!("/orgs/northwind/keys/{}/rotate", old.id)).await;
        assert!(form.text().contains("others can have a copy") && form.body.contains("value=\"0\" checked"), "{}", form.body);
        let rotated = rotate(&app.engine, &org.permit(), old.id, Rotation { overlap: DAY, token: None }).await.unwrap();
        app.clock.advance(MINUTE);
        let path = format!("/orgs/northwind/keys/{}", old.id);
        let page = owner.get(&path).await;
        assert!(page.text().contains("A browser sent the old secret of this key") && page.body.contains("?end=1#secrets"), "{}", page.body);
        app.clock.advance(DAY);
        let owner = app.signed_in(&org, "olga", Role::Owner).await;
        assert!(!owner.get(&path).await.text().contains("A browser sent"));
        app.ask(&Request { key: Some(&rotated.plain), origin: Some("https://shop.example"), ..Request::default() }).await;
        flush(&app.engine).await.unwrap();
        assert!(owner.get(&path).await.text().contains("A browser sent this secret key"));
    }

    async fn an_overlap_must_be_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        for overlap in ["", "-1", "2592001", "9223372036854775807", "soon"] {
            let answer = owner.submit(&format!("/orgs/northwind/keys/{}/rotate", made.id), &[("overlap", overlap)]).await;
            assert_eq!(answer.status, 422, "{overlap}");
            assert!(answer.text().contains("between 0 seconds and 30 days"), "{overlap}: {}", answer.body);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 1);
    }
}
