//! `/v1/orgs/{org}/reviews` and `/v1/orgs/{org}/keys/{id}/reviews`.

use axum::http::{HeaderName, Method};
use latchkey::{
    keys::rotate::{Rotation, rotate},
    reviews::{self, ReviewQuery},
    service_tokens::TokenScope,
    time::DAY,
};
use serde_json::{Value, json};

use crate::test_app::{TestApp, api::Api};

const REVIEWS: &str = "/v1/orgs/northwind/reviews";
/// A rotation that ends the old secret.
const AT_ONCE: Rotation = Rotation {
    overlap: 0,
    token: None,
};

async fn list(api: &Api, path: &str) -> Vec<Value> {
    let answer = api.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["data"].as_array().unwrap().clone()
}

on_both! {
    async fn a_review_is_created_listed_and_marked_as_a_tokens(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/reviews", key.id);
        let created = api.post(&path, &json!({"verdict": "keep", "comment": " Used by the till ", "until": "2026-12-01T12:00:00Z"})).await;
        assert_eq!((created.status.as_u16(), created.header("cache-control")), (201, "no-store"));
        let review = created.json();
        let at = &review["at"];
        assert_eq!((at, &review["key"]), (&json!("2026-11-21T12:00:00.000Z"), &json!({"id": key.id.to_string(), "name": "Production"})));
        let said = [&review["verdict"], &review["comment"], &review["until"], &review["reviewer"]["kind"], &review["request"]];
        assert_eq!(said, [&json!("keep"), &json!("Used by the till"), &json!("2026-12-01T12:00:00.000Z"), &json!("token"), &Value::Null]);
        let codes = review["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap());
        assert_eq!(codes.collect::<Vec<_>>(), ["full_access", "no_expiry"]);
        let findings = list(&api, "/v1/orgs/northwind/findings").await;
        assert!(findings.iter().all(|finding| finding["reviewed_until"] == review["until"]), "{findings:?}");
        app.clock.advance(1_000);
        let asked = api.post(&path, &json!({"verdict": "rotate"})).await.json();
        assert_eq!((&asked["request"], &asked["until"], &asked["comment"]), (&json!("open"), &Value::Null, &Value::Null));
        let silent = api.post(&path, &json!({"verdict": "keep"})).await;
        assert_eq!((silent.status.as_u16(), &silent.json()["errors"][0]["field"]), (422, &json!("comment")), "it would end a request");
        rotate(&app.engine, &org.permit(), key.id, AT_ONCE).await.unwrap();
        let all = list(&api, REVIEWS).await;
        let mut ended = review;
        ended["superseded_by"] = all[0]["id"].clone();
        let review = &ended;
        assert_eq!((all.len(), &all[1]), (2, review));
        assert_eq!((&all[0]["request"], &all[0]["done"]["event"]), (&json!("done"), &json!("key.rotated")));
        assert_eq!(list(&api, &path).await, all);
        assert_eq!(list(&api, &format!("{REVIEWS}?verdict=rotate&key={}", key.id)).await, all[..1]);
        assert_eq!(list(&api, &format!("{REVIEWS}?to=2026-11-21T12:00:01Z")).await, all[1..]);
        let first = api.get(&format!("{path}?limit=1")).await.json();
        let next = format!("{path}?limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
        let second = api.get(&next).await.json();
        assert_eq!((&second["data"][0], &second["next_cursor"]), (review, &Value::Null));
    }

    async fn parts_of_a_key_are_asked_for_side_by_side(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/reviews", key.id);
        for (aspect, comment) in [("scopes", "First"), ("expiry", "Second"), ("scopes", "Third")] {
            let created = api.post(&path, &json!({"verdict": "narrow", "aspect": aspect, "comment": comment})).await;
            assert_eq!((created.status.as_u16(), &created.json()["aspect"]), (201, &json!(aspect)), "{}", created.body);
            app.clock.advance(1_000);
        }
        let all = list(&api, &path).await;
        let states = all.iter().map(|review| (review["comment"].as_str().unwrap(), review["request"].as_str().unwrap()));
        assert_eq!(states.collect::<Vec<_>>(), [("Third", "open"), ("Second", "open"), ("First", "superseded")]);
        assert_eq!((&all[2]["superseded_by"], &all[1]["superseded_by"]), (&all[0]["id"], &Value::Null));
    }

    async fn a_review_without_a_date_is_valid_for_ninety_days(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/reviews", key.id);
        let review = api.post(&path, &json!({"verdict": "keep"})).await.json();
        assert_eq!(review["until"], json!(app.clock.now().plus(90 * DAY).rfc3339()));
    }

    async fn what_is_invalid_is_named_and_nothing_is_reviewed(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/reviews", key.id);
        for (body, field) in [
            (json!({}), "verdict"),
            (json!({"verdict": "maybe"}), "verdict"),
            (json!({"verdict": "keep", "until": "2026-11-21T12:00:00Z"}), "until"),
            (json!({"verdict": "keep", "until": "2028-01-01T00:00:00Z"}), "until"),
            (json!({"verdict": "revoke", "until": "2026-12-01T12:00:00Z"}), "until"),
            (json!({"verdict": "keep", "comment": "x".repeat(1_001)}), "comment"),
            (json!({"verdict": "keep", "reviewer": "Dana"}), "reviewer"),
            (json!({"verdict": "narrow", "aspect": "name"}), "aspect"),
            (json!({"verdict": "rotate", "aspect": "scopes"}), "aspect"),
            (json!({"verdict": "allow_domains"}), "verdict"),
            (json!({"verdict": "extend"}), "verdict"),
            (json!({"verdict": "narrow", "aspect": "domains"}), "aspect"),
            (json!({"verdict": "narrow", "aspect": "localhost"}), "aspect"),
        ] {
            let answer = api.post(&path, &body).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (422, &json!(field)), "{body}");
        }
        org.key("Other").await;
        latchkey::keys::change_state::disable(&app.engine, &org.permit(), key.id).await.unwrap();
        let disabled = api.post(&path, &json!({"verdict": "keep"})).await;
        assert_eq!((disabled.status.as_u16(), &disabled.json()["code"]), (409, &json!("WRONG_STATE")));
        let theirs = app.org("contoso").await.key("Theirs").await.id;
        let foreign = format!("/v1/orgs/northwind/keys/{theirs}/reviews");
        assert_eq!(api.post(&foreign, &json!({"verdict": "keep"})).await.status, 404);
        assert_eq!(api.get(&foreign).await.status, 404);
        for wrong in ["?cursor=rev_1", "?limit=0", "?verdict=maybe", "?from=yesterday", "?key=1"] {
            assert_eq!(api.get(&format!("{REVIEWS}{wrong}")).await.status, 400, "{wrong}");
        }
        assert_eq!(list(&api, REVIEWS).await.len(), 0);
    }

    async fn a_token_withdraws_what_tokens_asked(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.key("Production").await.id);
        let path = format!("/v1/orgs/northwind/keys/{key}/reviews");
        let asked = api.post(&path, &json!({"verdict": "rotate"})).await.json();
        assert_eq!((&asked["request"], &asked["withdrawn_at"]), (&json!("open"), &Value::Null));
        let withdraw = format!("{REVIEWS}/{}/withdraw", asked["id"].as_str().unwrap());
        for _ in 0..2 {
            let withdrawn = api.post_nothing(&withdraw).await;
            let review = withdrawn.json();
            assert_eq!((withdrawn.status.as_u16(), &review["request"], &review["withdrawn_at"]), (200, &json!("withdrawn"), &json!("2026-11-21T12:00:00.000Z")), "{}", withdrawn.body);
            assert_eq!(review["superseded_by"], Value::Null);
        }
        assert_eq!(list(&api, REVIEWS).await[0]["request"], "withdrawn");
        app.clock.advance(1_000);
        let again = api.post(&path, &json!({"verdict": "rotate"})).await.json();
        let id = again["id"].as_str().unwrap();
        app.database.execute(&format!("UPDATE reviews SET actor_kind = 'user', actor_id = 'usr_00000000000000000000000000000000' WHERE id = '{id}'")).await;
        let of_a_person = api.post_nothing(&format!("{REVIEWS}/{id}/withdraw")).await;
        assert_eq!((of_a_person.status.as_u16(), &of_a_person.json()["code"]), (409, &json!("WRONG_STATE")));
        let theirs = app.org("contoso").await;
        theirs.key("Theirs").await;
        for unknown in ["rev_00000000000000000000000000000000", "rev_1"] {
            assert_eq!(api.post_nothing(&format!("{REVIEWS}/{unknown}/withdraw")).await.status, 404, "{unknown}");
        }
        assert_eq!(api.post_nothing(&format!("/v1/orgs/contoso/reviews/{id}/withdraw")).await.status, 404, "of another organization");
    }

    async fn a_repeated_request_reviews_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, key) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}/reviews", key.id);
        let body = json!({"verdict": "revoke", "comment": "Unused"});
        let send = async |body: &Value| {
            let headers = [(HeaderName::from_static("idempotency-key"), "review-1")];
            api.send(Method::POST, &path, &body.to_string(), &headers).await
        };
        let first = send(&body).await;
        let second = send(&body).await;
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
        assert_eq!((first.json(), second.header("idempotent-replayed")), (second.json(), "true"));
        let other = send(&json!({"verdict": "keep"})).await;
        assert_eq!(other.json()["code"], "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(list(&api, REVIEWS).await.len(), 1);
    }

    async fn an_organizations_token_reads_reviews_and_findings_and_reviews_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        let path = format!("/v1/orgs/northwind/keys/{}/reviews", key.id);
        app.api().await.post(&path, &json!({"verdict": "keep"})).await;
        let own = app.api_of(Some(&org), TokenScope::Manage).await;
        for path in [path.as_str(), REVIEWS] {
            assert_eq!(list(&own, path).await.len(), 1);
        }
        assert_eq!(list(&own, "/v1/orgs/northwind/findings").await.len(), 2);
        let denied = own.post(&path, &json!({"verdict": "keep"})).await;
        assert_eq!((denied.status.as_u16(), &denied.json()["code"]), (403, &json!("INSTANCE_TOKEN_REQUIRED")));
        let page = reviews::list(&app.engine, &org.permit(), &ReviewQuery { limit: 9, ..ReviewQuery::default() }).await.unwrap();
        assert!(page.reviews.len() == 1 && page.reviews[0].is_by_token());
    }
}
