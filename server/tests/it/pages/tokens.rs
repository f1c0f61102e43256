//! The page of an organization's service tokens.

use latchkey::role::{Role, TokenScope};
use serde_json::json;

use crate::test_app::{Browser, HttpAnswer, TestApp, org::PASSWORD};

const PAGE: &str = "/orgs/northwind/tokens";

on_both! {
    async fn an_owner_creates_a_token_that_is_shown_once_and_verifies(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = creation_token(&owner).await;
        let created = create(&owner, &form, PASSWORD).await;
        assert_eq!((created.status.as_u16(), created.header("cache-control")), (200, "no-store"));
        let token = token_in(&created).expect("the token is shown");
        let page = created.text();
        let lines = format!("export LATCHKEY_SERVICE_TOKEN={token}\n\ncurl ");
        assert!(page.contains(&lines) && page.contains("${LATCHKEY_API_KEY:-your key}"), "the example sets the token alone: {page}");
        let again = create(&owner, &form, PASSWORD).await;
        assert_eq!(token_in(&again).as_ref(), Some(&token), "the same submit, twice");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM service_tokens").await, 1);
        let key = org.key("Production").await;
        let body = json!({"key": key.plain.expose()}).to_string();
        let plain = latchkey::key::text::PlainKey::from_presented(token);
        assert_eq!(app.post_verify(Some(&plain), &body).await.json()["code"], "VALID");
        let list = owner.get(PAGE).await;
        assert!(list.body.contains("API servers") && token_in(&list).is_none());
        assert!(list.text().contains("<span class=\"tag plain\">Verify keys</span>"), "{}", list.body);
    }

    async fn without_the_password_no_token_is_created(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = creation_token(&owner).await;
        for password in ["", "not the password"] {
            let refused = create(&owner, &form, password).await;
            assert_eq!(refused.status, 422, "{password}");
            assert!(refused.body.contains("id=\"password-error\"") && refused.body.contains("value=\"API servers\""));
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM service_tokens").await, 0);
    }

    async fn wrong_passwords_in_one_session_use_up_the_attempts_of_no_other(app: &TestApp) {
        let org = app.org("northwind").await;
        let stolen = app.signed_in(&org, "dana", Role::Owner).await;
        let form = creation_token(&stolen).await;
        for _ in 0..10 {
            assert_eq!(create(&stolen, &form, "wrong").await.status, 422);
        }
        assert!(create(&stolen, &form, PASSWORD).await.text().contains("Too many"));
        let own = app.browser();
        own.sign_in("dana@northwind.example", PASSWORD).await;
        assert_eq!(create(&own, &form, PASSWORD).await.status, 200);
    }

    async fn tokens_that_work_are_listed_before_all_others(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        create(&owner, &creation_token(&owner).await, PASSWORD).await;
        app.database.execute("UPDATE service_tokens SET name = 'In use'").await;
        app.token(Some(&org), TokenScope::Verify).await;
        app.database.execute("UPDATE service_tokens SET revoked_at = 1 WHERE name <> 'In use'").await;
        let page = owner.get(PAGE).await.text();
        assert!(page.find("In use") < page.find("Revoked"), "{page}");
    }

    async fn a_token_in_use_is_revoked_by_its_name(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let token = app.token(Some(&org), TokenScope::Verify).await;
        let id = app.database.texts("SELECT id FROM service_tokens").await.remove(0);
        let used = |at: i64| format!("UPDATE service_tokens SET last_used_at = {at}");
        let now = app.engine.clock().now().as_millis();
        app.database.execute(&used(now - 3_600_000)).await;
        let asked = owner.get(&format!("{PAGE}?revoke={id}")).await.text();
        assert!(asked.contains("The token was used in the last 24 hours.") && asked.contains("1 hour ago"), "{asked}");
        for name in ["", "Other"] {
            let refused = owner.submit(PAGE, &[("change", "revoke"), ("token", &id), ("confirm", name)]).await;
            assert!(refused.status == 422 && refused.text().contains("Enter its name, API, to revoke it."), "{}", refused.text());
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM service_tokens WHERE revoked_at IS NULL").await, 1);
        for _ in 0..2 {
            let revoked = owner.submit(PAGE, &[("change", "revoke"), ("token", &id), ("confirm", "API")]).await;
            assert_eq!(revoked.status, 303);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM service_tokens WHERE revoked_at IS NULL").await, 0);
        // One that was used before is revoked without it.
        drop(token);
        app.token(Some(&org), TokenScope::Verify).await;
        let id = app.database.texts("SELECT id FROM service_tokens WHERE revoked_at IS NULL").await.remove(0);
        app.database.execute(&used(now - 86_400_001)).await;
        assert!(!owner.get(&format!("{PAGE}?revoke={id}")).await.body.contains("name=\"confirm\""));
        assert_eq!(owner.submit(PAGE, &[("change", "revoke"), ("token", &id)]).await.status, 303);
    }

    async fn a_repeat_that_comes_later_or_after_a_revocation_shows_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = creation_token(&owner).await;
        create(&owner, &form, PASSWORD).await;
        let id = app.database.texts("SELECT id FROM service_tokens").await.remove(0);
        let revoked = owner.submit(PAGE, &[("change", "revoke"), ("token", &id)]).await;
        assert_eq!((revoked.status.as_u16(), revoked.header("location")), (303, PAGE));
        let again = create(&owner, &form, PASSWORD).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, PAGE));
        let list = owner.get(PAGE).await;
        assert!(list.body.contains("Revoked") && !list.body.contains("?revoke="));
    }
}

async fn creation_token(owner: &Browser) -> String {
    let page = owner.get(PAGE).await.body;
    let field = page.split("name=\"creation_token\"").nth(1).unwrap();
    field
        .split("value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

async fn create(owner: &Browser, creation_token: &str, password: &str) -> HttpAnswer {
    let fields = [
        ("change", "create"),
        ("creation_token", creation_token),
        ("name", "API servers"),
        ("scope", "verify"),
        ("expires", "365"),
        ("password", password),
    ];
    owner.submit(PAGE, &fields).await
}

/// The plaintext of a service token in a page.
fn token_in(page: &HttpAnswer) -> Option<String> {
    let start = page.body.find("lk_service_")?;
    let token: String = page.body[start..]
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
        .collect();
    (token.len() > 30).then_some(token)
}
