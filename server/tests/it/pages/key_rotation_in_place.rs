//! Rotating a key with the island of its page: the response shows the new secret once.

use latchkey::{key::text::PlainKey, role::Role, usage::flush::flush};
use serde_json::Value;

use crate::test_app::{Browser, HttpAnswer, TestApp, said};

/// Sends the island's request for a key of `northwind`.
async fn rotate(browser: &Browser, key: &str, overlap: &str, token: &str) -> HttpAnswer {
    let fields = [
        ("org", "northwind"),
        ("key", key),
        ("form[overlap]", overlap),
        ("form[rotation_token]", token),
    ];
    let answer = browser.call("/api/keys/rotate", &fields).await;
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    answer
}

/// The token in the key's form.
async fn token(browser: &Browser, key: &str) -> String {
    let form = browser
        .get(&format!("/orgs/northwind/keys/{key}/rotate"))
        .await;
    form.hidden("rotation_token")
}

/// The key in a response.
fn shown(answer: &HttpAnswer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let html = answer["shown"]["html"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"));
    let (_, key) = html.split_once("<code id=\"key\">").unwrap();
    key.split('<').next().unwrap().to_owned()
}

fn refused(answer: &Value) -> (&str, &str) {
    let error = &answer["refused"][0];
    (
        error["field"].as_str().unwrap(),
        error["sentence"].as_str().unwrap(),
    )
}

on_both! {
    async fn the_new_secret_is_in_the_answer_and_nowhere_else(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let old = org.key("<b>Production").await;
        let id = old.id.to_string();
        let token = token(&owner, &id).await;
        let answer = rotate(&owner, &id, "3600", &token).await;
        let key = shown(&answer);
        let page = &answer.json()["shown"];
        assert_eq!((&page["title"], &page["path"]), (&"<b>Production has a new secret".into(), &format!("/orgs/northwind/keys/{id}").into()));
        let html = page["html"].as_str().unwrap();
        assert!(html.contains("data-component=\"CopyButton") && html.contains("&lt;b&gt;Production") && !html.contains("<b>Production"), "{html}");
        for plain in [&PlainKey::from_presented(key.clone()), &old.plain] {
            assert_eq!(said(&app.verify(plain).await), "VALID");
        }
        for path in ["", "/rotate", "/edit"] {
            let page = owner.get(&format!("/orgs/northwind/keys/{id}{path}")).await.body;
            assert!(!page.contains(&key), "{path}: {page}");
        }
    }

    async fn the_very_same_submit_shows_it_again_for_thirty_seconds(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let colleague = app.signed_in(&org, "kim", Role::Owner).await;
        let id = org.key("Production").await.id.to_string();
        let token = token(&owner, &id).await;
        let key = shown(&rotate(&owner, &id, "0", &token).await);
        let before = serde_json::json!({"shown_before": format!("/orgs/northwind/keys/{id}?shown=1")});
        assert_eq!(rotate(&colleague, &id, "0", &token).await.json(), before, "another session");
        assert_eq!(rotate(&owner, &id, "3600", &token).await.json(), before, "another form");
        app.clock.advance(29_999);
        assert_eq!(shown(&rotate(&owner, &id, "0", &token).await), key);
        // Submitting the plain form counts as the same submit.
        let fields = [("overlap", "0"), ("rotation_token", &*token)];
        let page = owner.submit(&format!("/orgs/northwind/keys/{id}/rotate"), &fields).await;
        assert!(page.status == 200 && page.body.contains(&key), "{}", page.status);
        app.clock.advance(1);
        assert_eq!(rotate(&owner, &id, "0", &token).await.json(), before);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 2);
    }

    async fn a_new_secret_that_was_lost_is_replaced_and_the_old_one_keeps_its_end(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let old = org.key("Production").await;
        let id = old.id.to_string();
        let lost = shown(&rotate(&owner, &id, "3600", &token(&owner, &id).await).await);
        app.clock.advance(2_000);
        let page = owner.get(&format!("/orgs/northwind/keys/{id}/rotate")).await;
        assert!(page.text().contains("The new secret has not been used. If it was lost, replace it"), "{page:?}");
        let new = shown(&rotate(&owner, &id, "0", &token(&owner, &id).await).await);
        for (key, expected) in [(new, "VALID"), (lost, "INVALID_API_KEY superseded")] {
            assert_eq!(said(&app.verify(&PlainKey::from_presented(key)).await), expected);
        }
        assert_eq!(said(&app.verify(&old.plain).await), "VALID");
        flush(&app.engine).await.unwrap();
        let page = owner.get(&format!("/orgs/northwind/keys/{id}/rotate")).await;
        assert!(!page.text().contains("The new secret has not been used"), "it is now in use: {page:?}");
    }

    async fn an_older_page_does_not_end_a_secret_that_someone_was_just_given(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let colleague = app.signed_in(&org, "kim", Role::Owner).await;
        let id = org.key("Production").await.id.to_string();
        let path = format!("/orgs/northwind/keys/{id}/rotate");
        let older = colleague.get(&path).await;
        let given = shown(&rotate(&owner, &id, "3600", &token(&owner, &id).await).await);
        app.clock.advance(2_000);
        let (token, base) = (older.hidden("rotation_token"), older.hidden("base"));
        let refused = colleague.submit(&path, &[("overlap", "3600"), ("rotation_token", &token), ("base", &base)]).await;
        assert!(refused.status == 422 && refused.text().contains("was changed or rotated after this page was loaded"), "{}", refused.status);
        assert_eq!(said(&app.verify(&PlainKey::from_presented(given)).await), "VALID");
    }

    async fn what_is_rejected_is_explained_at_its_field(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Production").await.id.to_string();
        for overlap in ["", "-1", "2592001", "soon"] {
            let answer = rotate(&owner, &id, overlap, "").await.json();
            let (field, sentence) = refused(&answer);
            assert!(field == "overlap" && sentence.contains("between 0 seconds and 30 days"), "{overlap}: {answer}");
        }
        let key = shown(&rotate(&owner, &id, "3600", &token(&owner, &id).await).await);
        assert_eq!(said(&app.verify(&PlainKey::from_presented(key)).await), "VALID");
        let answer = rotate(&owner, &id, "0", "").await.json();
        let (field, sentence) = refused(&answer);
        assert!(field == "form" && sentence.contains("already in progress"), "{answer}");
        owner.change_key(&id, "revoke").await;
        let answer = rotate(&owner, &id, "0", "").await.json();
        assert!(refused(&answer).1.contains("is revoked and cannot be rotated"), "{answer}");
    }
}
