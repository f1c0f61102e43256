//! Repeated requests with an `Idempotency-Key`.

use axum::http::{HeaderName, Method};
use latchkey::{
    access::Operator,
    db::Db,
    id::ProjectId,
    idempotency::{self, MAX_RELEASED},
    service_tokens,
    time::DAY,
};
use serde_json::{Value, json};

use crate::test_app::{HttpAnswer, TestApp, api::Api, org::PASSWORD};

const KEYS: &str = "/v1/orgs/northwind/keys";
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

on_both! {
    async fn the_same_request_makes_one_key_and_shows_its_text_once(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let first = post(&api, KEYS, "a-1", &json!({"name": "Production", "kind": "secret"})).await;
        let again = post(&api, KEYS, "a-1", &json!({"name": "Production", "kind": "secret"})).await;
        assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (201, ""));
        assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
        assert_eq!(first.header("location"), again.header("location"));
        let mut made = first.json();
        assert!(made["key"].is_string());
        made.as_object_mut().unwrap().remove("key");
        assert_eq!(again.json(), made, "the same key without the plaintext");
        assert_eq!(count(app, "keys").await, 1);
    }

    async fn a_secret_that_was_sent_as_the_key_is_stored_nowhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let secret = org.key("Old").await.plain.expose().to_owned();
        let body = json!({"name": "Production", "kind": "secret"});
        assert_eq!(post(&api, KEYS, &secret, &body).await.status, 201);
        let stored = async || app.database.texts("SELECT idempotency_key FROM idempotency_keys").await;
        let digest = stored().await.remove(0);
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
        // As an earlier version stored it.
        app.database.execute(&format!("UPDATE idempotency_keys SET idempotency_key = '{secret}', is_digest = FALSE")).await;
        Db::open(&app.database.url()).await.unwrap().close().await;
        assert_eq!(stored().await, [digest]);
        assert_eq!(post(&api, KEYS, &secret, &body).await.header("idempotent-replayed"), "true");
    }

    async fn another_request_under_the_same_key_is_refused(app: &TestApp) {
        app.org("northwind").await;
        app.org("contoso").await;
        let api = app.api().await;
        let body = json!({"name": "Production", "kind": "secret"});
        post(&api, KEYS, "a-1", &body).await;
        for (path, body) in [
            (KEYS, json!({"name": "Other", "kind": "secret"})),
            ("/v1/orgs/contoso/keys", body.clone()),
            ("/v1/orgs", json!({"name": "N", "slug": "new-org"})),
        ] {
            let answer = post(&api, path, "a-1", &body).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")), "{path}");
        }
        assert_eq!((count(app, "keys").await, count(app, "orgs").await), (1, 2));
    }

    async fn a_key_of_another_token_or_another_day_is_another_key(app: &TestApp) {
        app.org("northwind").await;
        let (api, other) = (app.api().await, app.api().await);
        let body = json!({"name": "Production", "kind": "secret"});
        post(&api, KEYS, "a-1", &body).await;
        assert_eq!(post(&other, KEYS, "a-1", &body).await.header("idempotent-replayed"), "");
        app.clock.advance(DAY - 1);
        assert_eq!(post(&api, KEYS, "a-1", &body).await.header("idempotent-replayed"), "true");
        app.clock.advance(1);
        assert_eq!(post(&api, KEYS, "a-1", &json!({"name": "New", "kind": "secret"})).await.status, 201);
        assert_eq!(count(app, "keys").await, 3);
        app.clock.advance(DAY);
        idempotency::delete_old(&app.engine).await.unwrap();
        assert_eq!(count(app, "idempotency_keys").await, 0);
    }

    async fn of_requests_that_come_at_once_one_makes_the_key(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let body = json!({"name": "Production", "kind": "secret"});
        let send = || post(&api, KEYS, "a-1", &body);
        let answers = tokio::join!(send(), send(), send(), send());
        let answers: [HttpAnswer; 4] = answers.into();
        assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
        let with_text = answers.iter().filter(|answer| answer.json()["key"].is_string());
        assert_eq!(with_text.count(), 1);
        assert_eq!(count(app, "keys").await, 1);
    }

    async fn a_refused_request_may_be_sent_again(app: &TestApp) {
        let api = app.api().await;
        app.org("contoso").await;
        let taken = json!({"name": "Contoso", "slug": "contoso"});
        assert_eq!(post(&api, "/v1/orgs", "o-1", &taken).await.status, 409);
        assert_eq!(post(&api, "/v1/orgs", "o-1", &taken).await.status, 409, "it never returns the existing org");
        let new = json!({"name": "Northwind", "slug": "northwind"});
        let made = post(&api, "/v1/orgs", "o-2", &new).await;
        let again = post(&api, "/v1/orgs", "o-2", &new).await;
        assert_eq!((made.json(), again.header("idempotent-replayed")), (again.json(), "true"));
    }

    async fn of_refused_requests_a_token_keeps_the_newest_keys_and_all_of_those_that_succeeded(app: &TestApp) {
        app.org("northwind").await;
        let (api, other) = (app.api().await, app.api().await);
        let (wrong, right) = (json!({"name": "Shop", "kind": "widget"}), json!({"name": "Server", "kind": "secret"}));
        assert_eq!(post(&api, KEYS, "succeeded", &right).await.status, 201);
        assert_eq!(post(&other, KEYS, "of another token", &wrong).await.status, 400);
        assert_eq!(post(&other, KEYS, "of-another-token", &wrong).await.status, 422);
        for round in 0..MAX_RELEASED + 20 {
            app.clock.advance(i64::from(round % 7 == 0));
            assert_eq!(post(&api, KEYS, &format!("round-{round}"), &wrong).await.status, 422);
        }
        assert_eq!(count(app, "idempotency_keys").await, MAX_RELEASED + 2);
        assert_eq!(post(&api, KEYS, "succeeded", &right).await.header("idempotent-replayed"), "true");
        assert_eq!(count(app, "idempotency_keys WHERE length(fingerprint) = 0").await, MAX_RELEASED + 1);
    }

    async fn a_revoked_token_leaves_no_keys_behind(app: &TestApp) {
        app.org("northwind").await;
        let (other, api) = (app.api().await, app.api().await);
        let body = json!({"name": "Production", "kind": "secret"});
        assert_eq!(post(&other, KEYS, "other", &body).await.status, 201);
        let id = app.database.texts("SELECT service_token_id FROM idempotency_keys").await.remove(0).parse().unwrap();
        assert_eq!(post(&api, KEYS, "kept", &body).await.status, 201);
        let operator = Operator::at_the_command_line();
        service_tokens::revoke(&app.engine, &operator, id).await.unwrap();
        assert_eq!(count(app, "idempotency_keys").await, 1);
        assert_eq!(post(&api, KEYS, "kept", &body).await.header("idempotent-replayed"), "true");
    }

    async fn what_was_refused_is_sent_again_corrected_under_the_same_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let rotate = format!("{KEYS}/{}/rotate", made.id);
        let running = latchkey::keys::rotate::Rotation { overlap: DAY, token: None };
        latchkey::keys::rotate::rotate(&app.engine, &org.permit(), made.id, running).await.unwrap();
        let agents = "/v1/orgs/northwind/agents";
        for (path, wrong, status, right) in [
            (KEYS, json!({"name": "Shop", "kind": "widget"}), 422, json!({"name": "Shop", "kind": "widget", "domains": ["shop.example"]})),
            (agents, json!({"name": "A", "public_embedding": true}), 422, json!({"name": "A"})),
            ("/v1/orgs", json!({"name": "N", "slug": "northwind"}), 409, json!({"name": "N", "slug": "southwind"})),
            (rotate.as_str(), json!({"overlap_seconds": 0}), 409, json!({"overlap_seconds": 1})),
        ] {
            let key = format!("c-{}", path.len());
            for _ in 0..2 {
                assert_eq!(post(&api, path, &key, &wrong).await.status.as_u16(), status, "{path}");
            }
            if path == rotate {
                api.post_nothing(&format!("{KEYS}/{}/end-old-secret", made.id)).await;
                app.clock.advance(latchkey::keys::rotate::APART);
            }
            let corrected = post(&api, path, &key, &right).await;
            assert_eq!((corrected.status.as_u16(), corrected.header("idempotent-replayed")), (201, ""), "{path}: {}", corrected.body);
            assert_eq!(post(&api, path, &key, &right).await.header("idempotent-replayed"), "true", "{path}");
            let again = post(&api, path, &key, &wrong).await;
            assert_eq!(again.json()["code"], "IDEMPOTENCY_KEY_REUSED", "{path}: a successful request uses up its key");
        }
        assert_eq!((count(app, "keys").await, count(app, "agents").await, count(app, "orgs").await), (2, 1, 2));
    }

    async fn a_refused_and_a_right_request_that_come_at_once_make_one_key(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        let (wrong, right) = (json!({"name": "Shop", "kind": "widget"}), json!({"name": "Server", "kind": "secret"}));
        for round in 0..20 {
            let key = format!("round-{round}");
            let (_, _, _, _, last) = tokio::join!(
                post(&api, KEYS, &key, &wrong), post(&api, KEYS, &key, &right), post(&api, KEYS, &key, &wrong),
                post(&api, KEYS, &key, &right), post(&api, KEYS, &key, &wrong),
            );
            assert_eq!(last.status, 422);
            assert_eq!(post(&api, KEYS, &key, &right).await.status, 201, "it was created, now or before");
            assert_eq!(count(app, "keys").await, round + 1);
        }
    }

    async fn a_key_that_is_none_is_refused(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        for key in ["", " ", "a b", "é", &"x".repeat(256)] {
            let answer = post(&api, KEYS, key, &json!({"name": "Production", "kind": "secret"})).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("INVALID_REQUEST")), "{key}");
        }
        let longest = "x".repeat(255);
        assert_eq!(post(&api, KEYS, &longest, &json!({"name": "Production", "kind": "secret"})).await.status, 201);
        assert_eq!(count(app, "keys").await, 1);
    }

    async fn a_repeat_does_not_create_again_what_was_deleted_since(app: &TestApp) {
        app.org("northwind").await;
        let api = app.api().await;
        for (path, body, table) in [
            ("/v1/orgs/northwind/agents", json!({"name": "Helper"}), "agents"),
            ("/v1/orgs/northwind/projects", json!({"name": "Site"}), "projects"),
            ("/v1/orgs/northwind/invitations", json!({"email": "kim@example.com", "role": "member"}), "invitations"),
        ] {
            let before = count(app, table).await;
            let created = post(&api, path, table, &body).await;
            assert_eq!(created.status, 201, "{path}");
            assert_eq!(post(&api, path, table, &body).await.header("idempotent-replayed"), "true");
            let id = if table == "agents" { "public_id" } else { "id" };
            let object = format!("{path}/{}", created.json()[id].as_str().unwrap());
            assert_eq!(api.delete(&object).await.status, 204, "{object}");
            for _ in 0..2 {
                let again = post(&api, path, table, &body).await;
                assert_eq!((again.status.as_u16(), &again.json()["code"]), (410, &json!("OBJECT_GONE")), "{path}");
            }
            let other = body.to_string().replace("Helper", "Other").replace("Site", "Other").replace("kim@", "kit@");
            let other = serde_json::from_str(&other).unwrap();
            assert_eq!(post(&api, path, table, &other).await.status, 422, "it still belongs to its request");
            assert_eq!(count(app, table).await, before);
            assert_eq!(post(&api, path, &format!("{table}-2"), &body).await.status, 201, "another key");
        }
        // An invitation that was accepted, and one that was replaced.
        let path = "/v1/orgs/northwind/invitations";
        let (kim, ari) = (json!({"email": "kim@example.com", "role": "member"}), json!({"email": "ari@example.com", "role": "member"}));
        let url = post(&api, path, "kim", &kim).await.json()["url"].as_str().unwrap().to_owned();
        let link = url.replace("http://localhost:3000", "");
        assert_eq!(app.browser().submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await.status, 303);
        post(&api, path, "ari", &ari).await;
        post(&api, path, "ari-again", &ari).await;
        for (key, body) in [("kim", &kim), ("ari", &ari)] {
            let again = post(&api, path, key, body).await;
            assert_eq!((again.status.as_u16(), &again.json()["code"]), (410, &json!("OBJECT_GONE")), "{key}");
        }
    }
}

async fn post(api: &Api, path: &str, key: &str, body: &Value) -> HttpAnswer {
    api.send(Method::POST, path, &body.to_string(), &[(HEADER, key)])
        .await
}

/// Postgres: the request waits for a lock after it has claimed its key.
#[tokio::test]
async fn the_key_of_a_rejected_request_is_released_though_the_client_hung_up() {
    let app = TestApp::on_postgres_under("latchkey").await;
    app.org("northwind").await;
    let api = app.api().await;
    let unknown =
        json!({"name": "Production", "kind": "secret", "project": ProjectId::new(0, [0; 10])});
    let held = app.database.hold_table("projects").await;
    let request = post(&api, KEYS, "hung-up", &unknown);
    let claimed = async {
        while app.database.waiting().await == 0 || count(&app, "idempotency_keys").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = request => panic!("the request did not wait: {answer:?}"),
        () = claimed => {}
    }
    drop(held);
    let mut released = 0;
    for _ in 0..10_000 {
        released = count(&app, "idempotency_keys WHERE length(fingerprint) = 0").await;
        if released == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(released, 1);
    let corrected = json!({"name": "Production", "kind": "secret"});
    assert_eq!(post(&api, KEYS, "hung-up", &corrected).await.status, 201);
    app.remove().await;
}

async fn count(app: &TestApp, table: &str) -> i64 {
    app.database
        .number(&format!("SELECT COUNT(*) FROM {table}"))
        .await
}
