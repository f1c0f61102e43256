//! The search across an org.

use latchkey::{access::Operator, agents::create::create, operators::mark, projects, role::Role};

use crate::test_app::{Browser, TestApp, org::agent};

/// The search results, one line each.
async fn find(browser: &Browser, text: &str) -> Vec<String> {
    let fields = [("org", "northwind"), ("text", text)];
    let answer = browser.call("/api/find", &fields).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let found = answer.json();
    let found = found.as_array().unwrap().iter();
    found
        .map(|one| {
            let part = |name: &str| one[name].as_str().unwrap().to_owned();
            let href = part("href").replace("/orgs/northwind/", "");
            format!(
                "{} {}|{}|{href}",
                part("kind"),
                part("name"),
                part("detail")
            )
        })
        .collect()
}

on_both! {
    async fn keys_agents_projects_and_pages_are_found_by_a_part_of_their_names(app: &TestApp) {
        let org = app.org("northwind").await;
        app.org("contoso").await.key("Shop of another org").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Web SHOP").await;
        let display = org.summary(key.id).await.display;
        let bot = create(&app.engine, &org.permit(), &agent("Shopkeeper", &[])).await.unwrap().public_id;
        let project = projects::create(&app.engine, &org.permit(), &"Shops".parse().unwrap()).await.unwrap();
        let shop_key = format!("key Web SHOP|{display}|keys/{}", key.id);
        assert_eq!(find(&owner, "shop").await, [
            shop_key.clone(),
            format!("agent Shopkeeper|{bot}|agents/{bot}"),
            format!("project Shops||keys?project={project}"),
        ]);
        assert_eq!(find(&owner, &display[display.len() - 4..]).await, [shop_key], "by its display form");
        assert_eq!(find(&owner, &bot.to_string()).await.len(), 1, "by its public ID");
        assert_eq!(find(&owner, "agent").await, ["page Agents||agents", "page Create agent||agents/new"]);
        assert_eq!(find(&owner, "100%").await, [""; 0]);
    }

    async fn the_organizations_of_the_user_are_found_by_name(app: &TestApp) {
        let org = app.org("northwind").await;
        app.org("northern-lights").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let found = find(&owner, "north").await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("organization ") && found[0].ends_with("|northwind|keys"), "{found:?}");
    }

    async fn a_role_finds_what_it_may_see(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Web shop").await;
        let display = org.summary(key.id).await.display;
        projects::create(&app.engine, &org.permit(), &"Shops".parse().unwrap()).await.unwrap();
        let member = app.signed_in(&org, "ben", Role::Member).await;
        assert_eq!(find(&member, "shop").await, [format!("key Web shop||keys/{}", key.id)]);
        assert_eq!(find(&member, &display[display.len() - 4..]).await, [""; 0]);
        let pages = find(&member, "").await;
        assert_eq!(pages, ["page Keys||keys", "page Key requests||requests", "page Agents||agents", "page Usage||usage", "page Members||members", "page Ask for a key||requests/new", "page Find key by secret||keys/find", "page Account||/account", "page Docs||/docs"]);
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let pages = find(&admin, "").await.join(" ");
        assert!(pages.contains("Audit log") && !pages.contains("Settings") && !pages.contains("Create key"), "{pages}");
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let pages = find(&owner, "key").await.join(" ");
        assert!(pages.contains("Create key") && pages.contains("Key requests") && !pages.contains("Ask for a key"), "{pages}");
    }

    async fn pages_of_the_account_and_of_the_instance_are_found_also_by_other_words(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (text, found) in [
            ("session", "page Sessions||/account/sessions"), ("2FA", "page Second factor||/account/two-factor"), ("zone", "page Profile||/account/profile"),
            ("sign out", "page Account||/account"), ("invite", "page Members||members"), ("passw", "page Password||/account#password"),
            ("asked", "page Asked of you||review/asked"), ("polic", "page Key policies||settings/policies"), ("alert", "page Alerts||settings/alerts"),
            ("delete acc", "page Delete account||/account/delete"),
        ] {
            assert_eq!(find(&owner, text).await.first().map(String::as_str), Some(found), "{text}");
        }
        assert!(find(&owner, "s").await.iter().filter(|found| found.starts_with("page ")).count() <= 6);
        assert_eq!(find(&owner, "instance log").await, [""; 0]);
        let dana = app.database.texts("SELECT id FROM users WHERE name = 'dana'").await[0].parse().unwrap();
        mark(&app.engine, &Operator::at_the_command_line(), dana).await.unwrap();
        assert_eq!(find(&owner, "instance log").await, ["page Instance log||/instance/log"]);
        assert_eq!(find(&owner, "people").await, ["page People||/instance/people", "page Members||members"]);
    }

    async fn a_search_is_no_longer_than_its_field_takes(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let long = "a".repeat(201);
        let answer = owner.call("/api/find", &[("org", "northwind"), ("text", &long)]).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let domains = "a,".repeat(40_001);
        assert_eq!(owner.call("/api/domains/check", &[("text", &domains)]).await.status, 413);
    }

    async fn domains_are_checked_by_the_table_of_public_suffixes(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let check = async |text: &str| owner.call("/api/domains/check", &[("text", text)]).await.json();
        assert_eq!(check("shop.example, bücher.example").await, serde_json::json!([]));
        let wrong = check("co.uk").await;
        assert!(wrong[0].as_str().unwrap().contains("Anyone can have a site under"), "{wrong}");
    }
}
