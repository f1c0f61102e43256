//! The page that lists keys.

use latchkey::{
    id::KeyId,
    key::RevokeReason,
    keys::change_state::{disable, revoke},
    projects,
    reviews::{self, NewReview, Verdict},
    role::Role,
};

use crate::test_app::{
    HttpAnswer, TestApp,
    org::{secret_key, widget_key, with},
};

const KEYS: &str = "/orgs/northwind/keys";

on_both! {
    async fn what_an_address_names_that_is_not_there_is_said(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        org.key("Production").await;
        for (query, sentence) in [
            ("project=prj_unknown", "The project in this address was not found. The list is shown without it."),
            ("page=9", "The page in this address was not found."), ("after=x&kind=none", "The type and the page in this address were not found."),
        ] {
            let page = owner.get(&format!("/orgs/northwind/keys?{query}")).await.text();
            assert!(page.contains(sentence) && page.contains("Production"), "{query}: {page}");
        }
        for (path, sentence) in [
            ("review?state=foo&finding=foo", "The finding and the state of review in this address were not found."),
            ("agents?after=foo", "The page in this address was not found."), ("requests?before=foo", "The page in this address was not found."),
        ] {
            let page = owner.get(&format!("/orgs/northwind/{path}")).await.text();
            assert!(page.contains(sentence), "{path}: {page}");
        }
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let page = member.get("/orgs/northwind/keys?status=attention&finding=full_access").await.text();
        assert!(page.contains("The status and the finding in this address were not found.") && page.contains("Production"), "{page}");
        let known = owner.get("/orgs/northwind/keys?kind=secret&status=active").await.text();
        assert!(!known.contains("in this address"), "{known}");
    }

    async fn the_links_lead_through_all_pages_and_back(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        for number in 0..120 {
            org.key(&format!("Key {number:03}")).await;
        }
        let (mut forwards, mut pages) = (vec![], vec![member.get(&format!("{KEYS}?sort=name")).await]);
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
        let first = owner.get(&format!("{KEYS}?sort=name&status=active")).await;
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

        let all = owner.get(&link(&owner.get(&format!("{KEYS}?sort=name")).await, "next").unwrap()).await;
        let last_place = format!("{KEYS}?sort=name&after={}~", ids[59]);
        let behind = owner.get(&last_place).await;
        assert_eq!(names(&behind).len(), 50, "the last keys, as many as a page has");
        assert_eq!(names(&behind).last(), names(&all).last());
        let before = owner.get(&link(&behind, "prev").unwrap()).await;
        assert_eq!((names(&before).len(), link(&behind, "next")), (10, None));
        let ahead = owner.get(&format!("{KEYS}?sort=name&before={}~", ids[0])).await;
        assert_eq!((names(&ahead).len(), link(&ahead, "prev")), (50, None));
        assert!(link(&ahead, "next").is_some());
        assert_eq!(names(&owner.get(&format!("{KEYS}?sort=name&q=none&after={}~", ids[3])).await), [""; 0]);
    }

    async fn what_the_head_says_fits_the_list(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        const ONCE: &str = "You can view a key only when you create it.";
        let empty = owner.get(KEYS).await.text();
        assert!(empty.contains("No keys yet") && !empty.contains(ONCE) && !empty.contains("0 keys"), "{empty}");
        let links = |page: &str, path: &str| page.matches(&format!("href=\"/orgs/northwind/{path}\"")).count();
        assert_eq!(links(&empty, "keys/new"), 1, "two equal links: {empty}");
        org.key("Production").await;
        // An empty list names its filter, and explains the search only after one.
        for (query, said) in [("status=expired", "No expired keys"), ("status=revoked", "No revoked keys"), ("environment=test", "No test keys")] {
            let page = owner.get(&format!("{KEYS}?{query}")).await.text();
            assert!(page.contains(&format!("<h2>{said}</h2>")) && !page.contains("Search matches"), "{query}: {page}");
        }
        let page = owner.get(&format!("{KEYS}?q=no+such")).await.text();
        assert!(page.contains("No key matches “no such”") && page.contains("Search matches names, IDs"), "{page}");
        let all = owner.get(KEYS).await.text();
        assert!(all.contains("1 key.") && all.contains(ONCE), "{all}");
        let found = owner.get(&format!("{KEYS}?q=prod")).await.text();
        assert!(found.contains("1 key found.") && !found.contains(ONCE), "{found}");
        // The filters with many values are open only while one is set. The summary says how many are set in all.
        let is_open = |body: &str| body.split("<details").any(|rest| {
            let tag = rest.split('>').next().unwrap_or_default();
            tag.contains("unfold") && tag.contains("open")
        });
        assert!(!is_open(&owner.get(&format!("{KEYS}?q=prod")).await.body));
        let active = owner.get(&format!("{KEYS}?status=active")).await;
        assert!(!is_open(&active.body) && active.text().contains("Filters<span class=\"muted\"> (1)</span>"), "{}", active.body);
        assert!(is_open(&owner.get(&format!("{KEYS}?status=active&kind=secret")).await.body));
        let agents = owner.get("/orgs/northwind/agents").await.text();
        assert!(agents.contains("No agents yet") && !agents.contains("0 agents"), "{agents}");
        assert_eq!(links(&agents, "agents/new"), 1, "two equal links: {agents}");
    }

    async fn members_find_keys_by_name_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.create_key(with(secret_key("Production"), |settings| {
            settings.external_id = Some("user_1".to_owned());
            settings.notes = "In DC-1 Ansible".to_owned();
        })).await.unwrap();
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
            ("dc-1 ansible", false, true),
        ] {
            let path = format!("{KEYS}?q={}", query.replace(' ', "+"));
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
        let off = org.key("Gamma").await.id;
        disable(&app.engine, &org.permit(), off).await.unwrap();
        revoke(&app.engine, &org.permit(), gone, RevokeReason::Other).await.unwrap();
        for (query, expected) in [
            ("?sort=name", "Alpha, Alpha gone, Beta 100%, Gamma"),
            ("?sort=name&dir=desc", "Gamma, Beta 100%, Alpha gone, Alpha"),
            ("?q=alpha&sort=name", "Alpha, Alpha gone"),
            ("?q=alpha&status=ended", "Alpha gone"),
            ("?status=revoked", "Alpha gone"),
            ("?status=disabled", "Gamma"),
            ("?status=expired", ""),
            ("?status=active&sort=name", "Alpha, Beta 100%"),
            ("?q=100%25", "Beta 100%"),
            ("?q=%25", "Beta 100%"),
            ("?environment=test", ""),
            ("?sort=expires&status=nonsense&environment=nowhere", "Alpha, Alpha gone, Beta 100%, Gamma"),
        ] {
            let mut found = names(&member.get(&format!("{KEYS}{query}")).await);
            if query.contains("sort=expires") {
                found.sort();
            }
            assert_eq!(found.join(", "), expected, "{query}");
        }
    }

    async fn the_newest_come_first_and_the_range_is_said(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for number in 0..60 {
            org.key(&format!("Key {number:02}")).await;
            app.clock.advance(1_000);
        }
        let first = owner.get(KEYS).await;
        assert_eq!(names(&first)[0], "Key 59");
        assert!(first.text().contains("1–50 of 60"));
        let second = owner.get(&link(&first, "next").unwrap()).await;
        assert!(second.text().contains("51–60 of 60"));
        let back = owner.get(&link(&second, "prev").unwrap()).await;
        assert!(back.text().contains("1–50 of 60"));
    }

    async fn keys_are_filtered_by_kind_project_creator_and_finding(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let dana = app.database.texts("SELECT id FROM users WHERE name = 'dana'").await.remove(0);
        let project = projects::create(&app.engine, &org.permit(), &"Shops".parse().unwrap()).await.unwrap();
        org.key("Server").await;
        org.create_key(with(widget_key("Shop", &["shop.example"]), |settings| {
            settings.project = Some(project);
            settings.scopes = vec!["bots:read".parse().unwrap()];
            settings.localhost_forbidden = true;
        })).await.unwrap();
        app.database.execute(&format!("UPDATE keys SET created_by = '{dana}' WHERE name = 'Server'")).await;
        for (query, to_owner, to_member) in [
            ("kind=widget".to_owned(), "Shop", "Shop"),
            (format!("project={project}"), "Shop", "Server Shop"),
            (format!("creator={dana}"), "Server", "Server Shop"),
            ("finding=full_access".to_owned(), "Server", "Server Shop"),
            ("finding=no_expiry&kind=secret".to_owned(), "Server", "Server"),
            ("finding=high".to_owned(), "", "Server Shop"),
            ("status=attention".to_owned(), "", "Server Shop"),
            ("q=shop.ex".to_owned(), "Shop", ""),
        ] {
            let path = format!("{KEYS}?sort=name&{query}");
            assert_eq!(names(&owner.get(&path).await).join(" "), to_owner, "{query}");
            assert_eq!(names(&member.get(&path).await).join(" "), to_member, "{query}");
        }
        let list = owner.get(KEYS).await.text();
        assert!(list.contains(">by dana</span>") && list.contains(">by command line</span>"), "{list}");
        let file = owner.get(&format!("{KEYS}.csv?q=shop")).await.body;
        assert!(file.contains(",command line,"), "{file}");
        let list = owner.get(&format!("{KEYS}?finding=full_access")).await;
        assert!(list.body.contains("title=\"Low severity. Full access: no scopes selected.\""));
        let list = member.get(KEYS).await.text();
        assert!(!list.contains("attention") && !list.contains("Shops"));
    }

    async fn the_most_urgent_key_is_first_among_those_that_need_attention(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        for name in ["Leaked", "Old", "Fresh", "Expiring"] {
            org.key(name).await;
            app.clock.advance(1_000);
        }
        let now = app.clock.now().as_millis();
        let day = latchkey::time::DAY;
        app.database.execute(&format!("UPDATE keys SET created_at = {} WHERE name = 'Old'", now - 31 * day)).await;
        app.database.execute(&format!("UPDATE keys SET expires_at = {} WHERE name = 'Expiring'", now + 2 * day)).await;
        app.database.execute(&format!(
            "INSERT INTO key_findings (org_id, key_id, secret_id, finding, first_at, last_at, count, origin) \
             SELECT keys.org_id, keys.id, key_secrets.id, 'secret_key_in_browser', {now}, {now}, 3, 'https://shop.example' FROM keys \
             JOIN key_secrets ON key_secrets.key_id = keys.id WHERE keys.name = 'Leaked'"
        )).await;
        let attention = owner.get(&format!("{KEYS}?status=attention")).await;
        assert_eq!(names(&attention), ["Leaked", "Expiring", "Old"]);
        assert!(attention.body.contains("class=\"tag plain bad\"") && attention.text().contains("3 keys need attention"));
        assert_eq!(names(&owner.get(&format!("{KEYS}?sort=urgency")).await), ["Leaked", "Expiring", "Old", "Fresh"]);
        let all = owner.get(KEYS).await;
        assert_eq!(names(&all), ["Expiring", "Fresh", "Leaked", "Old"]);
        assert!(!all.body.contains("Full access: no scopes"), "new keys with full access have no badge");
        // A leak that a review keeps is not urgent, and still there.
        let leaked: KeyId = app.database.texts("SELECT id FROM keys WHERE name = 'Leaked'").await.remove(0).parse().unwrap();
        let keep = NewReview {
            verdict: Verdict::Keep,
            aspect: None,
            comment: "A test page".parse().unwrap(),
            until: None,
            seen: None,
            seen_requests: None,
            creation_token: None,
        };
        reviews::create(&app.engine, &org.permit(), &org.permit(), &org.permit(), leaked, keep).await.unwrap();
        let kept = owner.get(&format!("{KEYS}?q=leaked")).await.body;
        assert!(kept.contains("Seen in a browser · reviewed") && kept.contains("Reviewed until Feb 19, 2027."), "{kept}");
        assert!(!kept.contains("tag plain bad"), "{kept}");
        assert!(owner.get(KEYS).await.text().contains("2 keys need attention"));
        // The order would show members what they cannot see.
        assert_eq!(names(&member.get(&format!("{KEYS}?sort=urgency")).await), ["Expiring", "Fresh", "Leaked", "Old"]);
    }

    async fn the_matching_keys_are_a_csv_file_without_formulas(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let made = org.create_key(with(secret_key("=cmd()"), |settings| settings.notes = "@SUM(A1)".to_owned())).await.unwrap();
        org.key("Other").await;
        for number in 0..120 {
            org.key(&format!("Batch {number:03}")).await;
        }
        let file = admin.get(&format!("{KEYS}.csv?q=%3Dcmd&sort=name")).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert!(file.header("content-disposition").contains("keys-northwind-2026-11-21.csv"));
        let rows: Vec<&str> = file.body.lines().collect();
        assert_eq!(rows.len(), 2, "{}", file.body);
        assert!(rows[0].starts_with("id,name,kind,"));
        assert!(rows[0].ends_with(",findings,reviewed_findings,reviewed_until,external_id,scopes,domains,localhost_forbidden,ip_ranges,notes,metadata"));
        assert!(rows[1].starts_with(&format!("{},'=cmd(),secret,live,active,Default,", made.id)), "{}", rows[1]);
        assert!(rows[1].ends_with(",full_access no_expiry,,,,,,false,,'@SUM(A1),{}"), "{}", rows[1]);
        // A review covers what its reviewer saw, until its date.
        let review = [("key", &*made.id.to_string()), ("verdict", "keep"), ("days", "30"), ("seen", "full_access no_expiry")];
        assert_eq!(admin.submit("/orgs/northwind/review", &review).await.status, 303);
        let kept = admin.get(&format!("{KEYS}.csv?q=%3Dcmd")).await.body;
        assert!(kept.contains(",full_access no_expiry,full_access no_expiry,2026-12-21T12:00:00.000Z,"), "{kept}");
        assert!(!file.body.contains(made.plain.expose()));
        let all = admin.get(&format!("{KEYS}.csv")).await.body;
        assert_eq!(all.lines().count(), 123);
        latchkey::audit::security_events::write(&app.engine, false).await.unwrap();
        let exports = app.database.texts("SELECT changes FROM audit_log WHERE event = 'export.made'").await;
        assert_eq!(exports.len(), 3);
        assert!(exports[0].contains(r#""keys""#));
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let refused = member.get(&format!("{KEYS}.csv")).await;
        assert!(refused.status == 403 && !refused.body.contains("Batch"), "{}", refused.status);
    }

    async fn an_address_that_was_tampered_with_is_no_error(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        org.key("Alpha").await;
        for query in [
            "?q=%00", "?q=%ff%fe", "?after=nonsense", "?after=key_00000000000000000000000000000000~x&sort=expires",
            "?before=key_00000000000000000000000000000000~%00", "?q=%F0%9F%94%91", "?%", "?q=a&q=b",
            &format!("?q={}", "x+".repeat(2_500)),
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
        .filter(|text| {
            !["Open", "Edit", "Rotate…", "View usage", "Revoke key…"].contains(&text.as_str())
        })
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
