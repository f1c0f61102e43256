//! Exporting one's data and deleting one's account, in the pages.

use latchkey::{audit::security_events, role::Role};

use crate::test_app::{TestApp, org::PASSWORD};

on_both! {
    async fn the_export_is_a_file_that_is_not_stored_and_has_only_ones_own_data(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, _) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "eve", Role::Owner).await);
        security_events::write(&app.engine, true).await.unwrap();
        assert!(dana.get("/account").await.body.contains("href=\"/account/export\""));
        let file = dana.get("/account/export").await;
        assert_eq!((file.status.as_u16(), file.header("cache-control")), (200, "no-store"));
        assert!(file.header("content-disposition").starts_with("attachment;") && file.header("content-type").starts_with("application/json"));
        let data = file.json();
        assert_eq!(data["account"]["email"], "dana@northwind.example");
        assert_eq!(data["memberships"][0]["org"]["slug"], "northwind");
        assert_eq!((data["sessions"].as_array().unwrap().len(), &data["audit_log"][0]["event"]), (1, &"session.started".into()));
        let session = data["sessions"][0].as_object().unwrap();
        assert!(["browser", "system", "network"].iter().all(|field| session.contains_key(*field)), "{session:?}");
        assert!(!file.body.contains("eve@") && !file.body.contains("argon2"), "{}", file.body);
        let elsewhere = dana.request(axum::http::Method::GET, "/account/export");
        let mut linked = elsewhere;
        linked.headers_mut().unwrap().insert("sec-fetch-site", "cross-site".parse().unwrap());
        assert_eq!(dana.send(linked, "").await.header("location"), "/account");
        security_events::write(&app.engine, true).await.unwrap();
        let noted = app.database.texts("SELECT event FROM audit_log WHERE org_id IS NULL ORDER BY position DESC LIMIT 1").await;
        assert_eq!(noted, ["export.made"]);
    }

    async fn a_long_export_comes_in_parts_each_row_once_and_has_its_share_of_the_queue(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Production").await.id;
        let user = app.database.texts("SELECT id FROM users").await.remove(0);
        let mut rows = vec![];
        for number in 0..620 {
            rows.push(format!("('r{number:04}', '{}', '{key}', 'keep', '{}', {number}, 'user', '{user}', '[]', '', {number})", org.org.id, "c".repeat(1_000)));
        }
        app.database.execute(&format!(
            "INSERT INTO reviews (id, org_id, key_id, verdict, comment, at, actor_kind, actor_id, findings, codes, superseded_at) VALUES {}",
            rows.join(", ")
        )).await;
        let data = dana.get("/account/export").await.json();
        let reviewed: Vec<&str> = data["reviews"].as_array().unwrap().iter().map(|review| review["reviewed_at"].as_str().unwrap()).collect();
        assert_eq!(reviewed.len(), 620);
        assert!(reviewed.is_sorted_by(|later, earlier| later > earlier), "{reviewed:?}");
        assert_eq!((&data["review_answers"], &data["audit_log_has_older_entries"]), (&serde_json::json!([]), &false.into()));
        // Nobody reads these.
        let unread = [dana.begin("/account/export").await, dana.begin("/account/export").await];
        assert!(unread.iter().all(|answer| answer.status() == 200));
        let busy = dana.get("/account/export").await;
        assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, "2"));
        let eve = app.signed_in(&org, "eve", Role::Owner).await;
        assert_eq!(eve.get("/account/export").await.status, 200);
        // Whose session ends gets no more of it.
        app.database.execute(&format!("DELETE FROM sessions WHERE user_id = '{user}'")).await;
        for unread in unread {
            http_body_util::BodyExt::collect(unread.into_body()).await.unwrap_err();
        }
    }

    async fn the_export_has_what_someone_asked_decided_reviewed_and_answered(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, ari) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "ari", Role::Admin).await);
        let fields = [("name", "Reports"), ("purpose", "For the board"), ("kind", "secret"), ("environment", "live"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "90")];
        for (change, comment) in [("approve", "Fine"), ("decline", "Too much")] {
            let path = ari.submit("/orgs/northwind/requests/new", &fields).await.header("location").to_owned();
            assert_eq!(dana.submit(&path, &[("change", change), ("version", "0"), ("comment", comment)]).await.status, 303);
            app.clock.advance(1_000);
        }
        let key = org.key("Production").await.id;
        let review = [("key", &*key.to_string()), ("verdict", "rotate"), ("comment", "Old"), ("seen", "full_access no_expiry")];
        assert_eq!(ari.submit("/orgs/northwind/review", &review).await.status, 303);
        let id = app.database.texts("SELECT id FROM reviews").await.remove(0);
        assert_eq!(dana.submit("/orgs/northwind/review/asked", &[("review", &id), ("promise", "1"), ("answer", "Soon")]).await.status, 303);
        let promised = dana.get("/account/export").await.json();
        let promised = &promised["review_answers"][0];
        assert_eq!((&promised["answer"], &promised["promise"], &promised["answered_at"]), (&"Soon".into(), &true.into(), &app.clock.now().rfc3339().to_string().into()));
        assert_eq!(dana.submit("/orgs/northwind/review/asked", &[("review", &id), ("answer", "Next week")]).await.status, 303);
        let (of_ari, of_dana) = (ari.get("/account/export").await.json(), dana.get("/account/export").await.json());
        let asked = &of_ari["key_requests"];
        assert_eq!((&asked[0]["purpose"], &asked[0]["state"], &asked[1]["state"]), (&"For the board".into(), &"declined".into(), &"approved".into()));
        assert_eq!((&of_ari["reviews"][0]["verdict"], &of_ari["reviews"][0]["comment"]), (&"rotate".into(), &"Old".into()));
        assert_eq!((&of_ari["key_request_decisions"], &of_ari["review_answers"]), (&serde_json::json!([]), &serde_json::json!([])));
        let decisions = &of_dana["key_request_decisions"];
        assert_eq!((&decisions[0]["decision"], &decisions[0]["comment"]), (&"declined".into(), &"Too much".into()));
        assert_eq!((&decisions[1]["decision"], &decisions[1]["comment"]), (&"approved".into(), &"Fine".into()));
        let answer = &of_dana["review_answers"][0];
        assert_eq!((&answer["answer"], &answer["promise"], &of_dana["reviews"]), (&"Next week".into(), &false.into(), &serde_json::json!([])));
        assert_eq!(of_dana["key_requests"], serde_json::json!([]));
    }

    async fn an_account_is_deleted_with_the_password_and_its_sessions_end(app: &TestApp) {
        const PAGE: &str = "/account/delete";
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let (kim, other) = (app.signed_in(&org, "kim", Role::Admin).await, app.browser());
        other.sign_in("kim@northwind.example", PASSWORD).await;
        let page = kim.get(PAGE).await.text();
        assert!(page.contains("You leave 1 organization.") && page.contains("Keys that you created keep working"), "{page}");
        for password in ["", "wrong"] {
            let refused = kim.submit(PAGE, &[("password", password)]).await;
            assert_eq!(refused.status, 422);
            assert!(refused.body.contains("id=\"password-error\""));
        }
        let deleted = kim.submit(PAGE, &[("password", PASSWORD)]).await;
        assert_eq!((deleted.status.as_u16(), deleted.header("location")), (303, "/sign-in?deleted=1"));
        assert_eq!(kim.session_cookie(), None);
        for browser in [&kim, &other] {
            assert!(browser.get("/account").await.header("location").starts_with("/sign-in"));
        }
        assert_eq!(other.sign_in("kim@northwind.example", PASSWORD).await.status, 422);
    }

    async fn an_operator_is_told_of_the_role_that_ends_and_the_last_one_is_led_to_what_to_do_first(app: &TestApp) {
        const PAGE: &str = "/account/delete";
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let (kim, other) = (app.signed_in(&org, "kim", Role::Admin).await, app.signed_in(&org, "olga", Role::Admin).await);
        assert!(!kim.get(PAGE).await.text().contains("operator"));
        app.database.execute("UPDATE users SET operator_since = 1 WHERE name <> 'dana'").await;
        let page = kim.get(PAGE).await.text();
        assert!(page.contains("You are no longer an operator of this instance. Others still are."), "{page}");
        assert_eq!(other.submit(PAGE, &[("password", PASSWORD)]).await.status, 303);
        let page = kim.get(PAGE).await.body;
        assert!(page.contains("href=\"/instance/people\"") && !page.contains("Delete account</button>"), "{page}");
        let refused = kim.submit(PAGE, &[("password", PASSWORD)]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("Make someone else an operator first."), "{}", refused.text());
        assert_eq!(kim.get("/instance").await.status, 200);
    }

    async fn the_only_owner_is_led_to_what_to_do_first(app: &TestApp) {
        const PAGE: &str = "/account/delete";
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let page = dana.get(PAGE).await.body;
        assert!(page.contains("href=\"/orgs/northwind/members\"") && page.contains("href=\"/orgs/northwind/delete\"") && !page.contains("Delete account</button>"), "{page}");
        let refused = dana.submit(PAGE, &[("password", PASSWORD)]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("You are the only owner of northwind."), "{}", refused.text());
        assert_eq!(dana.get("/account").await.status, 200);
    }
}
