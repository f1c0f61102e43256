//! The titles of pages, by which their tabs are told apart.

use std::collections::HashSet;

use latchkey::role::Role;

use crate::test_app::TestApp;

fn between<'a>(body: &'a str, start: &str, end: &str) -> &'a str {
    let after = body.split_once(start).map_or("", |(_, after)| after);
    after.split(end).next().unwrap_or_default()
}

on_both! {
    async fn titles_name_the_page_and_the_organization(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("R&D").await.id;
        let of_key = format!("keys/{key}");
        let pages = [
            "keys", "keys/new", "keys/find", &of_key, "requests", "agents", "projects", "review", "review/asked",
            "review/history", "usage", "usage/refusals", "members", "audit", "tokens", "settings", "settings/security", "settings/policies",
            "settings/alerts",
        ];
        let (mut titles, mut headings) = (HashSet::new(), HashSet::new());
        for path in pages {
            let page = owner.get(&format!("/orgs/northwind/{path}")).await;
            let title = between(&page.body, "<title>", "</title>").to_owned();
            assert!(title.ends_with(" · northwind · Latchkey"), "{path}: {title}");
            let heading = between(&page.body, "<h1>", "</h1>").to_owned();
            assert!(!heading.is_empty() && headings.insert(heading.clone()), "{path} has the heading of another page: {heading}");
            assert!(titles.insert(title.clone()), "{path} has the title of another page: {title}");
        }
        assert!(titles.contains("R&amp;D · northwind · Latchkey"), "{titles:?}");
        for path in ["/account", "/account/profile"] {
            let page = owner.get(path).await;
            let title = between(&page.body, "<title>", "</title>");
            assert!(title.ends_with(" · Latchkey") && !title.contains("northwind"), "{path}: {title}");
        }
    }
}
