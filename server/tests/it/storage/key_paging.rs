//! Paging through keys by cursor.

use std::collections::HashSet;

use latchkey::{
    id::KeyId,
    keys::list::{Cursor, KeyPage, KeyQuery, Place, SortBy, list},
    outcome::Outcome,
    time::DAY,
};

use crate::test_app::{TestApp, TestOrg, usage::past};

const ORDERS: [SortBy; 6] = [
    SortBy::Name,
    SortBy::Created,
    SortBy::LastUsed,
    SortBy::Expires,
    SortBy::Requests,
    SortBy::Urgency,
];

on_both! {
    async fn pages_forwards_and_back_show_each_key_once_though_all_sort_alike(app: &TestApp) {
        let org = app.org("northwind").await;
        insert_keys(app, &org, 250).await;
        for sort in ORDERS {
            for descending in [false, true] {
                let query = |cursor| KeyQuery { sort, descending, cursor, page_size: 40, ..KeyQuery::default() };
                let all = page(app, &org, KeyQuery { page_size: 500, ..query(None) }).await.keys;
                let all: Vec<KeyId> = all.iter().map(|key| key.id).collect();
                assert_eq!(all.iter().collect::<HashSet<_>>().len(), 250);

                let (mut forwards, mut cursor, mut last) = (vec![], None, None);
                loop {
                    let page = page(app, &org, query(cursor)).await;
                    assert_eq!(page.matching, 250);
                    assert_eq!(page.previous.is_some(), !forwards.is_empty(), "{sort:?} {descending}");
                    forwards.extend(page.keys.iter().map(|key| key.id));
                    last = page.previous.or(last);
                    match page.next {
                        Some(place) => cursor = Some(Cursor::After(through_an_address(&place))),
                        None => break,
                    }
                }
                assert_eq!(forwards, all, "{sort:?} {descending} forwards");

                let mut backwards = all[240..].to_vec();
                let mut before = last;
                while let Some(place) = before {
                    let page = page(app, &org, query(Some(Cursor::Before(through_an_address(&place))))).await;
                    assert!(page.next.is_some(), "there is always a next page again");
                    backwards.splice(0..0, page.keys.iter().map(|key| key.id));
                    before = page.previous;
                }
                assert_eq!(backwards, all, "{sort:?} {descending} backwards");
            }
        }
    }

    async fn the_last_page_is_full_and_has_no_next(app: &TestApp) {
        let org = app.org("northwind").await;
        insert_keys(app, &org, 4).await;
        let query = |cursor| KeyQuery { cursor, page_size: 2, ..KeyQuery::default() };
        let first = page(app, &org, query(None)).await;
        let second = page(app, &org, query(first.next.map(Cursor::After))).await;
        assert_eq!((second.keys.len(), second.next), (2, None));
        let back = page(app, &org, query(second.previous.map(Cursor::Before))).await;
        assert_eq!((back.keys.len(), back.previous), (2, None));
    }

    async fn keys_are_sorted_by_their_requests_of_the_last_30_days(app: &TestApp) {
        let org = app.org("northwind").await;
        insert_keys(app, &org, 4).await;
        let query = KeyQuery { sort: SortBy::Name, page_size: 4, ..KeyQuery::default() };
        let by_name = ids(&page(app, &org, query).await);
        // The second key has more requests in all, but only 3 of them within 30 days.
        for (key, days_ago, count) in [(0, 0, 4), (0, 29, 1), (1, 30, 900), (1, 1, 3), (3, 29, 7)] {
            let at = app.clock.now().plus(-days_ago * DAY);
            app.store_past(&[past(org.org.id, by_name[key], at, Outcome::Valid, count)]).await;
        }
        let query = KeyQuery { sort: SortBy::Requests, descending: true, page_size: 4, ..KeyQuery::default() };
        let expected = [3, 0, 1, 2].map(|index: usize| by_name[index]);
        assert_eq!(ids(&page(app, &org, query.clone()).await), expected);
        let names_only = ids(&page(app, &org, KeyQuery { names_only: true, ..query.clone() }).await);
        let newest = ids(&page(app, &org, KeyQuery { sort: SortBy::Created, ..query }).await);
        assert_eq!(names_only, newest);
    }

    async fn a_place_whose_key_is_gone_still_has_neighbours(app: &TestApp) {
        let org = app.org("northwind").await;
        insert_keys(app, &org, 6).await;
        let query = |cursor| KeyQuery { cursor, page_size: 3, ..KeyQuery::default() };
        let first = page(app, &org, query(None)).await;
        let expected = page(app, &org, query(first.next.clone().map(Cursor::After))).await;
        app.database.execute(&format!("DELETE FROM keys WHERE id = '{}'", first.keys[2].id)).await;
        let after = page(app, &org, query(first.next.map(Cursor::After))).await;
        assert_eq!(ids(&after), ids(&expected));
    }

    async fn a_place_of_another_order_or_made_up_is_no_error(app: &TestApp) {
        let org = app.org("northwind").await;
        insert_keys(app, &org, 3).await;
        let id = "key_00000000000000000000000000000000";
        for value in ["production\u{1f}lk_sk_live_", "", "99999999999999999999", "1e3", " 1", "\0", "'; DROP TABLE keys; --"] {
            for sort in ORDERS {
                let place: Place = format!("{id}~{value}").parse().unwrap();
                let query = KeyQuery { sort, cursor: Some(Cursor::After(place)), page_size: 2, ..KeyQuery::default() };
                page(app, &org, query).await;
            }
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 3);
    }

    async fn ten_thousand_keys_are_reached_from_either_end(app: &TestApp) {
        let org = app.org("northwind").await;
        insert_keys(app, &org, 10_000).await;
        let query = |cursor| KeyQuery { sort: SortBy::Name, cursor, page_size: 1_000, ..KeyQuery::default() };
        let mut names = vec![];
        let mut next = None;
        loop {
            let page = page(app, &org, query(next)).await;
            names.extend(page.keys.iter().map(|key| key.name.to_string()));
            match page.next {
                Some(place) => next = Some(Cursor::After(place)),
                None => break,
            }
        }
        assert_eq!(names.len(), 10_000);
        assert!(names.is_sorted(), "by name");
        let found = page(app, &org, KeyQuery { search: "Key 0999".parse().unwrap(), ..query(None) }).await;
        assert_eq!(found.matching, 10);
    }
}

fn ids(page: &KeyPage) -> Vec<KeyId> {
    page.keys.iter().map(|key| key.id).collect()
}

async fn page(app: &TestApp, org: &TestOrg, query: KeyQuery) -> KeyPage {
    list(&app.engine, &org.permit(), &query).await.unwrap()
}

/// A position after it was part of a URL.
fn through_an_address(place: &Place) -> Place {
    place.to_string().parse().unwrap()
}

/// Inserts keys that were created at the same time and never expire, in one statement. Every third one was last used at
/// the same time. Creating 10,000 keys one by one would take longer than all other tests.
pub async fn insert_keys(app: &TestApp, org: &TestOrg, count: u32) {
    let (org_id, now) = (org.org.id, app.clock.now().as_millis());
    let inserted = app
        .database
        .execute(&format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count}), \
             padded (n, digits) AS (SELECT n, SUBSTR('00000', 1, 5 - LENGTH(CAST(n AS TEXT))) || CAST(n AS TEXT) FROM numbers) \
             INSERT INTO keys (id, org_id, project_id, name, search, kind, environment, display, created_at, last_used_at) \
             SELECT 'key_' || '000000000000000000000000000' || digits, '{org_id}', projects.id, 'Key ' || digits, \
             'key ' || digits || '\u{1f}lk_sk_live_', 'secret', 'live', 'lk_sk_live_', {now}, \
             CASE WHEN n % 3 = 0 THEN {now} END FROM padded, projects WHERE projects.org_id = '{org_id}'"
        ))
        .await;
    assert_eq!(inserted, u64::from(count));
}
