//! The page that lists keys.

use latchkey::{key::RevokeReason, keys::change_state::revoke, role::Role};

use crate::test_app::{
    HttpAnswer, TestApp,
    org::{secret_key, with},
};

const KEYS: &str = "/orgs/northwind/keys";

on_both! {
    async fn the_links_lead_through_all_pages_and_back(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        for number in 0..120 {
            org.key(&format!("Key {number:03}")).await;
        }
        let (mut forwards, mut pages) = (vec![], vec![member.get(KEYS).await]);
        while let Some(next) = link(&pages[pages.len() - 1], "next") {
            pages.push(member.get(&next).await);
        }
        forwards.extend(pages.iter().flat_map(names));
        assert_eq!(pages.len(), 3);
        assert_eq!(forwards, (0..120).map(|number| format!("Key {number:03}")).collect::<Vec<_>>());
        let back = member.get(&link(&pages[2], "prev").unwrap()).await;
        assert_eq!(names(&back), names(&pages[1]));
        let back = member.get(&link(&back, "prev").unwrap()).await;
        assert_eq!((names(&back), link(&back, "prev")), (names(&pages[0]), None));
    }

    async fn a_page_that_became_empty_leads_to_the_last_that_has_something(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let mut ids = Vec::new();
        for number in 0..60 {
            ids.push(org.key(&format!("Key {number:02}")).await.id.to_string());
        }
        let first = owner.get(&format!("{KEYS}?status=active")).await;
        let second = link(&first, "next").unwrap();
        assert_eq!(names(&owner.get(&second).await).len(), 10);
        let mut fields = vec![("change", "disable"), ("answered", "yes")];
        fields.extend(ids[50..].iter().map(|id| ("keys", id.as_str())));
        let done = owner.submit(&second, &fields).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, second.as_str()));
        let back = owner.get(&second).await;
        assert_eq!(names(&back), names(&first));
        assert!(back.text().contains("50 keys found") && back.text().contains("10 keys disabled"), "{}", back.text());
        assert_eq!((link(&back, "prev"), link(&back, "next")), (None, None));

        let all = owner.get(&link(&owner.get(KEYS).await, "next").unwrap()).await;
        let last_place = format!("{KEYS}?after={}~", ids[59]);
        let behind = owner.get(&last_place).await;
        assert_eq!(names(&behind).len(), 50, "the last keys, as many as a page has");
        assert_eq!(names(&behind).last(), names(&all).last());
        let before = owner.get(&link(&behind, "prev").unwrap()).await;
        assert_eq!((names(&before).len(), link(&behind, "next")), (10, None));
        let ahead = owner.get(&format!("{KEYS}?before={}~", ids[0])).await;
        assert_eq!((names(&ahead).len(), link(&ahead, "prev")), (50, None));
        assert!(link(&ahead, "next").is_some());
        assert_eq!(names(&owner.get(&format!("{KEYS}?q=none&after={}~", ids[3])).await), [""; 0]);
    }

    async fn members_find_keys_by_name_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.create_key(with(secret_key("Production"), |settings| settings.external_id = Some("user_1".to_owned()))).await.unwrap();
        let id = made.id.to_string();
        let last_four = made.display[made.display.len() - 4..].to_owned();
        let found = |page: &HttpAnswer| names(page).contains(&"Production".to_owned());
        for (query, to_member, to_owner) in [
            ("duct", true, true),
            ("PRODUCTION", true, true),
            ("lk_sk_live", false, true),
            (last_four.as_str(), false, true),
            ("%1F", false, true),
            ("user_1", false, true),
            ("%1E", false, true),
            (id.as_str(), true, true),
        ] {
            let path = format!("{KEYS}?q={query}");
            assert_eq!(found(&member.get(&path).await), to_member, "{query}");
            assert_eq!(found(&owner.get(&path).await), to_owner, "{query}");
        }
        let listed = owner.get(&format!("{KEYS}?external_id=user_1")).await;
        assert!(found(&listed) && listed.text().contains("<code>user_1</code> <a href=\"/orgs/northwind/keys\" class=\"link\">Show all</a>"), "{}", listed.body);
        assert!(!found(&owner.get(&format!("{KEYS}?external_id=user_2")).await));
        assert!(!found(&member.get(&format!("{KEYS}?external_id=user_1")).await), "members do not learn it");
    }

    async fn search_filter_and_order_are_in_the_address(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let gone = org.key("Alpha gone").await.id;
        org.key("Alpha").await;
        org.key("Beta 100%").await;
        revoke(&app.engine, &org.permit(), gone, RevokeReason::Other).await.unwrap();
        for (query, expected) in [
            ("", "Alpha, Alpha gone, Beta 100%"),
            ("?dir=desc", "Beta 100%, Alpha gone, Alpha"),
            ("?q=alpha", "Alpha, Alpha gone"),
            ("?q=alpha&status=ended", "Alpha gone"),
            ("?status=active", "Alpha, Beta 100%"),
            ("?q=100%25", "Beta 100%"),
            ("?q=%25", "Beta 100%"),
            ("?environment=test", ""),
            ("?sort=expires&status=nonsense&environment=nowhere", "Alpha, Alpha gone, Beta 100%"),
        ] {
            let mut found = names(&member.get(&format!("{KEYS}{query}")).await);
            if query.contains("sort") {
                found.sort();
            }
            assert_eq!(found.join(", "), expected, "{query}");
        }
    }

    async fn an_address_that_was_tampered_with_is_no_error(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        org.key("Alpha").await;
        for query in [
            "?q=%00", "?q=%ff%fe", "?after=nonsense", "?after=key_00000000000000000000000000000000~x&sort=expires",
            "?before=key_00000000000000000000000000000000~%00", "?q=%F0%9F%94%91", "?%", "?q=a&q=b",
            &format!("?q={}", "x".repeat(5_000)),
        ] {
            assert_eq!(member.get(&format!("{KEYS}{query}")).await.status, 200, "{query}");
        }
    }
}

/// The names of the keys in the table.
fn names(page: &HttpAnswer) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.body);
    let rows = page
        .body
        .split("<tbody")
        .nth(1)
        .map_or("", |rest| rest.split("</tbody>").next().unwrap());
    let links = rows
        .split("<a ")
        .skip(1)
        .filter(|link| link.contains("href=\"/orgs/northwind/keys/key_"));
    let mut names: Vec<String> = links
        .map(|link| text_of(link).to_owned())
        .filter(|text| text != "Open" && text != "Revoke key…")
        .collect();
    names.dedup();
    names
}

/// The text of an element at the start of `source`, up to the next tag.
fn text_of(source: &str) -> &str {
    source
        .split_once('>')
        .map_or("", |(_, rest)| rest.split('<').next().unwrap())
        .trim()
}

/// The target of the link with this `rel`.
fn link(page: &HttpAnswer, rel: &str) -> Option<String> {
    let tag = page.body.split("<a ").find(|tag| {
        tag.split('>')
            .next()
            .is_some_and(|tag| tag.contains(&format!("rel=\"{rel}\"")))
    })?;
    let href = tag.split("href=\"").nth(1)?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}
