//! The source of a page contains only what the role can see, including the data for scripts.

use std::collections::BTreeSet;

use latchkey::{
    key::RevokeReason, keys::change_state::revoke, outcome::Outcome, role::Role,
    usage::flush::flush, verify::Request,
};

use crate::test_app::{
    Browser, TestApp, TestOrg,
    org::{widget_key, with},
    usage::past,
};

/// Data that only owners and admins can see, in a form that occurs nowhere else on a page.
const DETAILS: [&str; 4] = [
    "agent-loops:read",
    "secret-domain.example",
    "Written about the key",
    " on the command line",
];

on_both! {
    async fn a_members_pages_hold_nothing_beyond_the_first_row_of_the_table(app: &TestApp) {
        let (org, key) = team(app).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        for (what, source) in sources(&member, &key).await {
            for detail in DETAILS {
                assert!(!source.contains(detail), "{detail} is in {what}: {source}");
            }
            assert!(!source.contains("4321"), "requests of one key are in {what}: {source}");
            assert!(!source.contains("left-team") && !source.contains("Left team"), "{what}: {source}");
            assert_no_controls(&what, &source);
        }
        let list = member.get("/orgs/northwind/keys").await.body;
        assert!(list.contains("Shop window") && list.contains("Active") && !list.contains("Created"), "{list}");
    }

    async fn addresses_of_further_pages_hold_no_part_of_a_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut visible = Vec::new();
        for number in 0..51 {
            let made = org.key(&format!("Batch {number:02}")).await;
            visible.push(made.display[.."lk_sk_live_".len() + 4].to_owned());
        }
        let holds_part = |page: &str| visible.iter().any(|part| page.contains(part));
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let first = member.get("/orgs/northwind/keys?sort=name").await.body;
        assert!(first.contains("after=key_") && !holds_part(&first), "{first}");
        let next = first.split("after=").nth(1).unwrap().split(['"', '&']).next().unwrap();
        let second = member.get(&format!("/orgs/northwind/keys?sort=name&after={next}")).await.body;
        assert!(second.contains("Batch 50") && !second.contains("Batch 49") && second.contains("before=key_"), "{second}");
        assert!(!holds_part(&second), "{second}");
    }

    async fn an_admins_pages_hold_the_details_and_no_controls(app: &TestApp) {
        let (org, key) = team(app).await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let list = admin.get("/orgs/northwind/keys").await.body;
        assert!(list.contains("secret-domain.example") && list.contains("Created"), "{list}");
        let page = admin.get(&format!("/orgs/northwind/keys/{key}")).await.body;
        for detail in DETAILS {
            assert!(page.contains(detail), "{detail}: {page}");
        }
        assert!(admin.get("/orgs/northwind/usage").await.body.contains("4,321"), "requests by key");
        for (what, source) in sources(&admin, &key).await {
            assert_no_controls(&what, &source);
        }
    }

    async fn an_owners_pages_hold_the_controls(app: &TestApp) {
        let (org, key) = team(app).await;
        let owner = app.signed_in(&org, "zoe", Role::Owner).await;
        let list = owner.get("/orgs/northwind/keys").await.body;
        assert!(list.contains("/orgs/northwind/keys/new"), "{list}");
        let page = owner.get(&format!("/orgs/northwind/keys/{key}")).await.body;
        assert!(page.contains("value=\"disable\"") && page.contains("value=\"revoke\""), "{page}");
    }

    async fn no_link_leads_to_a_page_that_the_role_cannot_open(app: &TestApp) {
        let (org, key) = team(app).await;
        let key_path = format!("/orgs/northwind/keys/{key}");
        for (name, role) in [("ben", Role::Member), ("kim", Role::Admin), ("dana", Role::Owner)] {
            let user = app.signed_in(&org, name, role).await;
            let mut seen = BTreeSet::new();
            let mut next = vec!["/orgs/northwind/keys".to_owned(), key_path.clone()];
            while let Some(path) = next.pop() {
                if !seen.insert(path.clone()) {
                    continue;
                }
                let answer = user.get(&path).await;
                assert!(!answer.status.is_client_error(), "{role} {path}: {}", answer.status);
                let links = answer.body.split("href=\"/orgs/").skip(1);
                // Each page once, whatever its filters.
                next.extend(links.filter_map(|rest| Some(format!("/orgs/{}", rest.split(['"', '#', '?']).next()?))));
            }
            assert!(seen.len() > 4, "{seen:?}");
        }
    }

    async fn who_cannot_do_something_is_told_once_whom_to_ask(app: &TestApp) {
        let (org, key) = team(app).await;
        app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let page = admin.get(&format!("/orgs/northwind/keys/{key}")).await.text();
        assert!(page.contains("Only owners can change this key.") && page.contains("Ask dana (dana@northwind.example) to edit, rotate, disable or revoke it."), "{page}");
        let denied = admin.get("/orgs/northwind/tokens").await.text();
        assert!(denied.contains("Ask dana (dana@northwind.example) to do it, or to change your role."), "{denied}");
        assert_eq!(denied.matches("owner").count(), 0, "{denied}");
    }

    async fn the_path_of_an_org_leads_to_its_keys(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let answer = member.get("/orgs/northwind").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/orgs/northwind/keys"));
        let stranger = app.signed_in(&app.org("contoso").await, "eve", Role::Owner).await;
        assert_eq!(stranger.get("/orgs/northwind").await.status, 404);
    }

    async fn a_member_sees_the_orgs_totals(app: &TestApp) {
        let (org, _) = team(app).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let page = member.get("/orgs/northwind/usage").await.body;
        assert!(page.contains("4,421"), "{page}");
    }
}

/// An org with a widget key that was used 4,321 times, a key that was used 100 times and a revoked key. Also returns
/// the widget key's ID.
async fn team(app: &TestApp) -> (TestOrg, String) {
    let org = app.org("northwind").await;
    let new = with(
        widget_key("Shop window", &["secret-domain.example"]),
        |settings| {
            settings.scopes = vec!["agent-loops:read".parse().unwrap()];
            settings.notes = "Written about the key".to_owned();
        },
    );
    let made = org.create_key(new).await.unwrap();
    let (gone, other) = (org.key("Gone").await, org.key("Other").await);
    revoke(&app.engine, &org.permit(), gone.id, RevokeReason::LeftTeam)
        .await
        .unwrap();
    let origin = Some("https://secret-domain.example");
    app.ask(&Request {
        key: Some(&made.plain),
        origin,
        ..Request::default()
    })
    .await;
    app.verify(&other.plain).await;
    flush(&app.engine).await.unwrap();
    for (key, count) in [(made.id, 4_321), (other.id, 100)] {
        let now = app.clock.now();
        app.store_past(&[past(org.org.id, key, now, Outcome::Valid, count - 1)])
            .await;
    }
    (org, made.id.to_string())
}

/// Every page about keys and usage, and the data for their scripts. Members can see who is in the org.
async fn sources(browser: &Browser, key: &str) -> Vec<(String, String)> {
    let mut sources = vec![];
    for path in [
        "/orgs/northwind/keys",
        &format!("/orgs/northwind/keys/{key}"),
        "/orgs/northwind/usage",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        sources.push((path.to_owned(), answer.body));
    }
    for (function, field) in [
        ("/api/keys/in-effect", ("key", key)),
        ("/api/usage", ("query", "range=30d")),
    ] {
        let answer = browser.call(function, &[("org", "northwind"), field]).await;
        assert_eq!(answer.status, 200, "{function}: {}", answer.body);
        sources.push((function.to_owned(), answer.body));
    }
    sources
}

fn assert_no_controls(what: &str, source: &str) {
    for control in [
        "value=\"disable\"",
        "value=\"enable\"",
        "name=\"change\" value=\"revoke\"",
        "/keys/new\"",
        "?revoke",
        ">Revoke key…",
        ">Disable<",
    ] {
        assert!(
            !source.contains(control),
            "{control} is in {what}: {source}"
        );
    }
}
