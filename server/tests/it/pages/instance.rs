//! The Instance area, for operators.

use latchkey::{access::Operator, key::text::PlainKey, operators::mark, role::Role};
use serde_json::json;

use crate::test_app::{Browser, HttpAnswer, TestApp, TestOrg, org::PASSWORD};

on_both! {
    async fn an_operator_finds_the_area_in_the_menu_and_sees_how_the_instance_is_doing(app: &TestApp) {
        let org = app.org("northwind").await;
        let operator = operator(app, &org).await;
        let home = operator.get("/account").await.body;
        assert!(home.contains("href=\"/instance\"") && home.contains("href=\"/orgs/new\""), "{home}");
        let page = operator.get("/instance").await.text();
        let database = app.engine.db().name();
        for part in ["1 organization, 1 person, 1 operator.", database, "It responds.", "Not set up.", "Nothing waits.", "0 of 256"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let settings = operator.get("/instance/settings").await.text();
        assert!(settings.contains("keys_per_org") && settings.contains("20000") && settings.contains("operators"), "{settings}");
        assert!(!settings.contains("postgres://"), "{settings}");
    }

    async fn others_see_no_link_to_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for path in ["/account", "/orgs/northwind/settings", "/orgs/northwind/audit", "/orgs/new", "/instance", "/instance/people"] {
            let page = owner.get(path).await.body;
            for trace in ["\"/instance", "href=\"/orgs/new\"", "operator.added", "Operator added"] {
                assert!(!page.contains(trace), "{path} {trace}");
            }
        }
    }

    async fn organizations_are_searched_and_one_is_deleted_with_its_name_and_the_password(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let key = other.key("Production").await;
        let unused = other.key("Old").await.id;
        latchkey::keys::change_state::revoke(&app.engine, &other.permit(), unused, latchkey::key::RevokeReason::Unused).await.unwrap();
        let operator = operator(app, &org).await;
        let list = operator.get("/instance/organizations?q=cont").await.text();
        assert!(list.contains("contoso") && !list.contains(&org.org.id.to_string()), "{list}");
        let path = format!("/instance/organizations/{}", other.org.id);
        assert!(operator.get(&path).await.text().contains("Created the organization"));
        for (name, password, field) in [("", PASSWORD, "name"), ("northwind", PASSWORD, "name"), ("contoso", "wrong", "password"), ("contoso", "", "password")] {
            let refused = operator.submit(&path, &[("name", name), ("password", password)]).await;
            assert_eq!(refused.status, 422, "{name} {password}");
            assert!(refused.body.contains(&format!("id=\"{field}-error\"")), "{name} {password}: {}", refused.body);
            assert!(!refused.body.contains(PASSWORD));
        }
        assert_eq!(said(app, &key.plain).await, "VALID");
        let deleted = operator.submit(&path, &[("name", " contoso "), ("password", PASSWORD)]).await;
        assert_eq!((deleted.status.as_u16(), deleted.header("location")), (303, path.as_str()));
        assert_eq!(said(app, &key.plain).await, "INVALID_API_KEY unknown");
        let page = operator.get(&path).await.text();
        assert!(page.contains("Organization deleted.") && page.contains("Deleted the organization") && page.contains("olga"), "{page}");
        assert!(!page.contains("Delete this organization"), "{page}");
        let again = operator.submit(&path, &[("name", "contoso"), ("password", PASSWORD)]).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, path.as_str()), "submitted twice");
        assert!(page.contains("data-label=\"Changes\"") && page.contains("Unused"), "{page}");
        let actor = app.database.texts("SELECT actor_kind || ' ' || via FROM audit_log WHERE event = 'org.deleted' AND org_id IS NOT NULL").await;
        assert_eq!(actor, ["user page"], "it is in that organization's log");
    }

    async fn someone_is_made_an_operator_with_the_password_and_their_open_session_has_the_area_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let (operator, owner) = (operator(app, &org).await, app.signed_in(&org, "dana", Role::Owner).await);
        let dana = app.database.texts("SELECT id FROM users WHERE name = 'dana'").await.remove(0);
        const PAGE: &str = "/instance/people";
        let card = operator.get(&format!("{PAGE}?operator={dana}")).await;
        assert!(card.text().contains("Make “dana” an operator?"), "{}", card.text());
        let refused = operator.submit(PAGE, &[("change", "mark"), ("person", &dana), ("password", "wrong")]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("Make “dana” an operator?") && refused.body.contains("id=\"password-error\""), "{}", refused.body);
        assert_eq!(owner.get("/instance").await.status, 404);
        let marked = operator.submit(PAGE, &[("change", "mark"), ("person", &dana), ("password", PASSWORD)]).await;
        assert_eq!((marked.status.as_u16(), marked.header("location")), (303, PAGE));
        assert_eq!(owner.get("/instance").await.status, 200);
        let log = owner.get("/instance/log").await.text();
        assert!(log.contains("olga") && log.contains("Made <b>dana</b> an operator"), "{log}");
        // On another instance, too.
        let elsewhere = app.browser_on(&std::sync::Arc::new(app.fresh_engine()));
        elsewhere.sign_in("dana@northwind.example", PASSWORD).await;
        assert_eq!(elsewhere.get("/instance").await.status, 200);
        operator.submit(PAGE, &[("change", "unmark"), ("person", &dana), ("password", PASSWORD)]).await;
        for browser in [&owner, &elsewhere] {
            assert_eq!(browser.get("/instance").await.status, 404);
        }
        let olga = app.database.texts("SELECT id FROM users WHERE name = 'olga'").await.remove(0);
        let card = operator.get(&format!("{PAGE}?operator={olga}")).await.text();
        assert!(card.contains("Make someone else an operator first") && !card.contains("Remove operator</button>"), "{card}");
        let last = operator.submit(PAGE, &[("change", "unmark"), ("person", &olga), ("password", PASSWORD)]).await;
        assert_eq!((last.status.as_u16(), last.text().contains("Make someone else an operator first")), (422, true));
        operator.submit(PAGE, &[("change", "mark"), ("person", &dana), ("password", PASSWORD)]).await;
        let left = operator.submit(PAGE, &[("change", "unmark"), ("person", &olga), ("password", PASSWORD)]).await;
        assert_eq!((left.status.as_u16(), left.header("location")), (303, "/account"));
    }

    async fn a_token_for_the_instance_is_shown_once_and_revoked_with_the_password(app: &TestApp) {
        const PAGE: &str = "/instance/tokens";
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let operator = operator(app, &org).await;
        app.token(Some(&other), latchkey::role::TokenScope::Verify).await;
        let form = operator.get(PAGE).await.hidden("creation_token");
        let create = async |password: &str| {
            let fields = [
                ("change", "create"), ("creation_token", &form), ("name", "API servers"), ("scope", "verify"), ("expires", "365"), ("password", password),
            ];
            operator.submit(PAGE, &fields).await
        };
        assert_eq!(create("wrong").await.status, 422);
        let created = create(PASSWORD).await;
        assert_eq!((created.status.as_u16(), created.header("cache-control")), (200, "no-store"));
        let token = token_in(&created);
        assert_eq!(token_in(&create(PASSWORD).await), token, "the same submit, twice");
        let plain = PlainKey::from_presented(token);
        let key = other.key("Production").await;
        let body = json!({"key": key.plain.expose()}).to_string();
        assert_eq!(app.post_verify(Some(&plain), &body).await.json()["code"], "VALID");
        let ids = app.database.texts("SELECT id FROM service_tokens WHERE org_id IS NULL").await;
        assert_eq!(ids.len(), 1);
        let list = operator.get(PAGE).await.body;
        assert_eq!(list.matches("?revoke=").count(), 1, "those of organizations are not listed");
        let refused = operator.submit(PAGE, &[("change", "revoke"), ("token", &ids[0]), ("password", "wrong")]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("Revoke “API servers”?"), "{}", refused.text());
        let revoked = operator.submit(PAGE, &[("change", "revoke"), ("token", &ids[0]), ("password", PASSWORD)]).await;
        assert_eq!(revoked.status, 303);
        assert_eq!(app.post_verify(Some(&plain), &body).await.status, 401);
    }

    async fn ids_of_nothing_are_not_found(app: &TestApp) {
        let org = app.org("northwind").await;
        let operator = operator(app, &org).await;
        for id in ["org_00000000000000000000000000000000", "northwind", "usr_00000000000000000000000000000000"] {
            let path = format!("/instance/organizations/{id}");
            assert_eq!(operator.get(&path).await.status, 404, "{id}");
            assert_eq!(operator.submit(&path, &[("name", "northwind"), ("password", PASSWORD)]).await.status, 404, "{id}");
        }
        for (path, field) in [("/instance/people", "person"), ("/instance/tokens", "token")] {
            for (id, change) in [("usr_00000000000000000000000000000000", "mark"), ("svc_00000000000000000000000000000000", "revoke"), ("x", "mark")] {
                let answer = operator.submit(path, &[("change", change), (field, id), ("password", PASSWORD)]).await;
                assert!([400, 404].contains(&answer.status.as_u16()), "{path} {id}: {}", answer.status);
            }
        }
    }
}

/// A signed-in operator who is a member of an org.
async fn operator(app: &TestApp, org: &TestOrg) -> Browser {
    let browser = app.signed_in(org, "olga", Role::Member).await;
    let id = app
        .database
        .texts("SELECT id FROM users WHERE name = 'olga'")
        .await
        .remove(0);
    let command_line = Operator::at_the_command_line();
    mark(&app.engine, &command_line, id.parse().unwrap())
        .await
        .unwrap();
    browser
}

async fn said(app: &TestApp, key: &PlainKey) -> String {
    crate::test_app::said(&app.verify(key).await)
}

/// The plaintext of a service token in a page.
fn token_in(page: &HttpAnswer) -> String {
    let start = page.body.find("lk_service_").expect("the token is shown");
    let token = page.body[start..].chars();
    token
        .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
        .collect()
}
