//! Lists of reviews: what is on them, their counts, and their pages.

use latchkey::{
    id::KeyId,
    keys::list::{KeyQuery, SortBy, list},
    orgs::policies,
    policy::KeyPolicy,
    reviews::{self, ReviewFilter, ReviewQuery, ReviewState, Verdict},
    revision::Known,
    role::Role,
    time::DAY,
};

use super::{create, new};
use crate::test_app::{NOON, TestApp, TestOrg};

on_both! {
    async fn reviews_and_their_keys_are_counted_as_they_are_listed(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let (first, second) = (org.key("First").await.id, org.key("Second").await.id);
        for key in [first, first, second] {
            create(app, &org, admin, key, new(Verdict::Rotate)).await.unwrap();
            app.clock.advance(DAY);
        }
        let count = async |query: ReviewQuery| {
            let listed = reviews::list(&app.engine, &org.permit(), &ReviewQuery { limit: 100, after: None, ..query }).await.unwrap();
            let counted = reviews::count(&app.engine, &org.permit(), &query).await.unwrap();
            assert_eq!(counted.reviews, listed.reviews.len() as i64);
            (counted.reviews, counted.keys)
        };
        let all = ReviewQuery::default();
        assert_eq!(count(all).await, (3, 2));
        assert_eq!(count(ReviewQuery { asked: true, ..all }).await, (2, 2));
        assert_eq!(count(ReviewQuery { key: Some(first), ..all }).await, (2, 1));
        assert_eq!(count(ReviewQuery { to: Some(NOON.plus(DAY)), ..all }).await, (1, 1));
        assert_eq!(count(ReviewQuery { verdict: Some(Verdict::Keep), ..all }).await, (0, 0));
        let page = reviews::list(&app.engine, &org.permit(), &ReviewQuery { limit: 1, ..all }).await.unwrap();
        assert_eq!(count(ReviewQuery { after: page.next, ..all }).await, (3, 2), "on all pages");
    }

    async fn reviews_are_listed_by_period_page_by_page(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let admin = org.person("ada", Role::Admin).await;
        let mut ids = Vec::new();
        for number in 0..5 {
            let key = org.key(&format!("Key {number}")).await.id;
            ids.push(create(app, &org, admin, key, new(Verdict::Keep)).await.unwrap());
            app.clock.advance(DAY);
        }
        ids.reverse();
        let list = async |org: &TestOrg, query: ReviewQuery| {
            let (mut found, mut query) = (Vec::new(), ReviewQuery { limit: 2, ..query });
            loop {
                let page = reviews::list(&app.engine, &org.permit(), &query).await.unwrap();
                found.extend(page.reviews.iter().map(|review| review.id));
                query.after = page.next;
                if page.next.is_none() {
                    return found;
                }
            }
        };
        assert_eq!(list(&org, ReviewQuery::default()).await, ids);
        let period = ReviewQuery { from: Some(NOON.plus(DAY)), to: Some(NOON.plus(3 * DAY)), ..ReviewQuery::default() };
        assert_eq!(list(&org, period).await, ids[2..4]);
        assert_eq!(list(&org, ReviewQuery { verdict: Some(Verdict::Rotate), ..ReviewQuery::default() }).await, []);
        assert_eq!(list(&other, ReviewQuery::default()).await, []);
    }

    async fn what_is_asked_is_listed_by_severity_then_age(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let admin = org.person("ada", Role::Admin).await;
        let (mut keys, mut ids) = (Vec::new(), Vec::new());
        for number in 0..6 {
            keys.push(org.key(&format!("Key {number}")).await.id);
        }
        for (number, key) in keys.into_iter().enumerate() {
            // From then on, the lack of an expiry date is of medium severity.
            if number == 2 {
                let policy = KeyPolicy { longest_life_days: Some(90), ..KeyPolicy::default() };
                policies::change(&app.engine, &org.permit(), policy, &Known::Nothing).await.unwrap();
            }
            ids.push(create(app, &org, admin, key, new(Verdict::Rotate)).await.unwrap());
            app.clock.advance(DAY);
        }
        for urgent in [3, 5] {
            let sql = format!("UPDATE reviews SET findings = REPLACE(findings, '\"medium\"', '\"high\"') WHERE id = '{}'", ids[urgent]);
            app.database.execute(&sql).await;
        }
        let expected: Vec<_> = [3, 5, 2, 4, 0, 1].into_iter().map(|place| ids[place]).collect();
        for limit in [1, 2, 100] {
            let (mut found, mut query) = (Vec::new(), ReviewQuery { asked: true, limit, ..ReviewQuery::default() });
            loop {
                let page = reviews::list(&app.engine, &org.permit(), &query).await.unwrap();
                found.extend(page.reviews.iter().map(|review| review.id));
                query.after = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{limit}");
        }
        let key = other.key("Theirs").await.id;
        let theirs = other.person("eve", Role::Admin).await;
        let elsewhere = create(app, &other, theirs, key, new(Verdict::Rotate)).await.unwrap();
        let query = ReviewQuery { asked: true, limit: 100, after: Some(elsewhere), ..ReviewQuery::default() };
        assert_eq!(reviews::list(&app.engine, &org.permit(), &query).await.unwrap().reviews.len(), 6, "it has no place here");
    }

    async fn with_ten_thousand_keys_a_page_is_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let template = org.key("Template").await.id;
        create(app, &org, admin, template, new(Verdict::Rotate)).await.unwrap();
        app.database.execute(
            "INSERT INTO keys (id, org_id, project_id, name, search, sort_name, kind, environment, display, created_at) \
             WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 10000) \
             SELECT 'key_' || SUBSTR('00000000000000000000000000000000' || n, LENGTH('00000000000000000000000000000000' || n) - 31), \
             org_id, project_id, name, search, sort_name, kind, environment, display, created_at FROM keys, many",
        ).await;
        app.database.execute(&format!(
            "INSERT INTO reviews (id, org_id, key_id, verdict, comment, at, actor_kind, findings, codes) \
             SELECT REPLACE(id, 'key_', 'rev_'), org_id, id, 'rotate', '', 1, 'user', '[]', ' no_expiry ' FROM keys \
             WHERE id <> '{template}'"
        )).await;
        let review = Some(ReviewFilter { state: Some(ReviewState::Asked), ..ReviewFilter::default() });
        let query = KeyQuery { review, sort: SortBy::Severity, descending: true, page_size: 20, ..KeyQuery::default() };
        let page = list(&app.engine, &org.permit(), &query).await.unwrap();
        assert_eq!((page.keys.len(), page.matching), (20, 10_001));
        let ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
        assert_eq!(reviews::current(&app.engine, &org.permit(), &ids).await.unwrap().len(), 20);
        assert_eq!(reviews::count_asked(&app.engine, &org.permit()).await.unwrap(), 1_000, "what every page shows is bounded");
        let asked = ReviewQuery { asked: true, limit: 20, ..ReviewQuery::default() };
        let page = reviews::list(&app.engine, &org.permit(), &asked).await.unwrap();
        assert_eq!((page.reviews.len(), page.next.is_some()), (20, true));
    }
}
