//! Access control: checks every page, server function and other route for visitors, non-members and members without the
//! permission.

pub mod table;

use std::{collections::BTreeSet, time::Duration};

use axum::http::Method;
use latchkey::{
    Engine,
    audit::security_events,
    instances,
    role::{AdminRights, Rights, Role},
    time::DAY,
};
use latchkey_server::background::work::TASKS;

use self::table::{Access, Entry};
use crate::test_app::{Browser, HttpAnswer, TestApp, TestOrg};

#[test]
fn the_table_has_every_route_and_no_other() {
    let in_table: BTreeSet<String> = table::entries()
        .iter()
        .map(|entry| format!("{} {}", entry.method, entry.path))
        .collect();
    let pages = latchkey_server::pages::paths().map(|path| (Method::GET, path));
    let functions = leptos::server_fn::axum::server_fn_paths().map(|(path, method)| (method, path));
    let there: BTreeSet<String> = latchkey_server::routes()
        .into_iter()
        .map(|(method, path)| format!("{method} {path}"))
        .chain(
            pages
                .chain(functions)
                .map(|(method, path)| format!("{method} {path}")),
        )
        .collect();
    let missing: Vec<_> = there.difference(&in_table).collect();
    let gone: Vec<_> = in_table.difference(&there).collect();
    assert!(
        missing.is_empty(),
        "state in tests/it/denials/table.rs who can use {missing:?}"
    );
    assert!(gone.is_empty(), "these routes no longer exist: {gone:?}");
}

on_both! {
    async fn who_is_signed_out_gets_nowhere(app: &TestApp) {
        let org = app.org("northwind").await;
        for entry in table::entries() {
            furnish(app, &org).await;
            let answer = ask(&app.browser(), &entry, &org).await;
            match entry.access {
                Access::Everyone => assert!(is_let_in(&answer), "{entry}: {answer:?}"),
                Access::NoPage => assert_eq!(answer.status, 404, "{entry}"),
                Access::ServiceToken => assert_eq!(answer.status, 401, "{entry}"),
                _ if entry.is_page() => {
                    assert!(answer.status.is_redirection(), "{entry}: {}", answer.status);
                    assert!(answer.header("location").starts_with("/sign-in"), "{entry}: {answer:?}");
                }
                _ => {
                    assert_eq!(answer.status, 401, "{entry}: {}", answer.body);
                    assert!(!answer.body.contains("Production"), "{entry}: {}", answer.body);
                }
            }
        }
        assert!(state(app).await.iter().all(|row| row == "key active"));
        assert_eq!(furnishings(app).await, FURNISHED);
    }

    async fn another_orgs_things_are_not_found_and_neither_are_those_of_no_org(app: &TestApp) {
        let org = app.org("northwind").await;
        let stranger = app.signed_in(&app.org("contoso").await, "eve", Role::Owner).await;
        furnish(app, &org).await;
        for entry in table::entries().into_iter().filter(Entry::is_of_an_org) {
            let of_another = ask(&stranger, &entry, &org).await;
            assert_eq!(of_another.status, 404, "{entry}");
            assert!(!of_another.body.contains("Production"), "{entry}: {}", of_another.body);
            let of_none = stranger_to(&stranger, &entry, "no-such-org").await;
            assert_eq!(of_none.status, 404, "{entry}");
            let no_slug = stranger_to(&stranger, &entry, "No%20Slug").await;
            assert_eq!(no_slug.status, 404, "{entry}");
        }
        assert!(state(app).await.iter().all(|row| row == "key active"));
        assert_eq!(furnishings(app).await, FURNISHED);
    }

    async fn another_orgs_key_under_ones_own_org_is_not_found(app: &TestApp) {
        let (org, own) = (app.org("northwind").await, app.org("contoso").await);
        let owner = app.signed_in(&own, "eve", Role::Owner).await;
        let with_key = |entry: &Entry| entry.path.contains("{key}") || entry.fields.contains("{key}");
        for entry in table::entries().into_iter().filter(with_key) {
            let theirs = org.key("Production").await.id.to_string();
            for key in [theirs.as_str(), "key_00000000000000000000000000000000", "not-an-id"] {
                let answer = entry.send(&owner, "contoso", key).await;
                assert_eq!(answer.status, 404, "{entry} {key}");
                assert!(!answer.body.contains("Production"), "{entry}: {}", answer.body);
            }
        }
        assert!(state(app).await.iter().all(|row| row == "key active"));
    }

    async fn another_orgs_agent_and_project_under_ones_own_org_are_not_found(app: &TestApp) {
        let (org, own) = (app.org("northwind").await, app.org("contoso").await);
        let owner = app.signed_in(&own, "eve", Role::Owner).await;
        furnish(app, &org).await;
        let names_one = |entry: &Entry| ["{agent}", "{project}", "{member}", "{invitation}", "{review}", "{request}"].iter().any(|name| entry.path.contains(name) || entry.fields.contains(name));
        for entry in table::entries().into_iter().filter(names_one) {
            let answer = entry.send(&owner, "contoso", "").await;
            assert_eq!(answer.status, 404, "{entry}");
            assert!(!answer.body.contains("Furnished"), "{entry}: {}", answer.body);
        }
        assert_eq!(furnishings(app).await, FURNISHED);
    }

    async fn a_role_is_let_in_where_its_table_says_and_refused_elsewhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let admins = AdminRights::ALL.map(|admin_rights| (Role::Admin, admin_rights));
        let widest = AdminRights::ManageKeys;
        for (role, admin_rights) in [(Role::Owner, widest), (Role::Member, widest)].into_iter().chain(admins) {
            let name = format!("{role}.{admin_rights}");
            let email = format!("{name}@northwind.example");
            let browser = app.signed_in(&org, &name, role).await;
            let rights = Rights { role, admin_rights };
            app.database.execute(&format!("UPDATE orgs SET admin_rights = '{admin_rights}'")).await;
            for entry in table::entries() {
                let key = org.key("Production").await;
                furnish(app, &org).await;
                let answer = entry.send(&browser, "northwind", &key.id.to_string()).await;
                match entry.access {
                    Access::To(action) if !rights.may(action) => {
                        assert_eq!(answer.status, 403, "{name} {entry}: {}", answer.body);
                        assert!(!answer.body.contains("Production"), "{name} {entry}: {}", answer.body);
                        assert_eq!(org.summary(key.id).await.status(app.clock.now()).as_str(), "active");
                        assert_eq!(furnishings(app).await, FURNISHED, "{name} {entry}");
                    }
                    Access::NoPage => assert_eq!(answer.status, 404, "{name} {entry}"),
                    Access::Operator => {
                        assert_eq!(answer.status, 404, "{name} {entry}: {}", answer.body);
                        assert!(!answer.body.contains("Furnished") && !answer.body.contains("/instance"), "{name} {entry}: {}", answer.body);
                        assert_eq!(furnishings(app).await, FURNISHED, "{name} {entry}");
                    }
                    Access::ServiceToken => assert_eq!(answer.status, 401, "a session is not a token: {entry}"),
                    _ => assert!(is_let_in(&answer), "{name} {entry}: {answer:?}"),
                }
                // The next page says what was done, and names the key.
                if answer.status == 303 {
                    browser.get("/account").await;
                }
                // One of the entries leaves the org.
                app.database.execute(&format!(
                    "INSERT INTO memberships (org_id, user_id, role, created_at) \
                     SELECT '{}', id, '{role}', 0 FROM users WHERE email = '{email}' ON CONFLICT DO NOTHING", org.org.id
                )).await;
                // One of the entries signs out.
                if browser.session_cookie().is_none() {
                    browser.sign_in(&email, crate::test_app::org::PASSWORD).await;
                }
            }
        }
    }

    async fn an_operator_is_let_into_the_instance_area_and_into_no_org(app: &TestApp) {
        let org = app.org("northwind").await;
        let operator = app.signed_in(&app.org("contoso").await, "olga", Role::Member).await;
        app.database.execute("UPDATE users SET operator_since = 0").await;
        for entry in table::entries() {
            furnish(app, &org).await;
            let answer = ask(&operator, &entry, &org).await;
            match entry.access {
                Access::Operator => assert!(is_let_in(&answer), "{entry}: {answer:?}"),
                Access::To(_) => assert_eq!(answer.status, 404, "{entry}"),
                _ => {}
            }
            if operator.session_cookie().is_none() {
                operator.sign_in("olga@contoso.example", crate::test_app::org::PASSWORD).await;
            }
        }
        app.database.execute("UPDATE users SET operator_since = NULL").await;
        for entry in table::entries().into_iter().filter(|entry| entry.access == Access::Operator) {
            assert_eq!(ask(&operator, &entry, &org).await.status, 404, "{entry}");
        }
    }

    async fn no_request_waits_for_a_second_connection_while_it_holds_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let engine = app.another_engine(|settings| settings.db = app.engine.db().with_connections(1)).await;
        org.person("dana", Role::Owner).await;
        let (browser, api) = (app.browser_on(&engine), app.api_on(&engine).await);
        furnish(app, &org).await;
        for entry in table::entries() {
            // Of a request without a session, or of someone who has left or whose account is gone, less would be seen.
            app.database.execute(&format!(
                "INSERT INTO memberships (org_id, user_id, role, created_at) \
                 SELECT '{}', id, 'owner', 0 FROM users WHERE email = 'dana@northwind.example' ON CONFLICT DO NOTHING", org.org.id
            )).await;
            app.database.execute("UPDATE users SET operator_since = 0").await;
            if browser.session_cookie().is_none() {
                browser.sign_in("dana@northwind.example", crate::test_app::org::PASSWORD).await;
            }
            if entry.method != Method::GET {
                furnish(app, &org).await;
            }
            let answer = ask(&browser, &entry, &org).await;
            assert!(!answer.status.is_server_error(), "{entry}: {}", answer.body);
        }
        let paths = ["keys", "usage?group_by=key", "usage?group_by=project&range=7d", "refusals", "findings", "reviews", "policies", "agents", "projects", "audit", "members", "invitations", "tokens"];
        for path in paths {
            let answer = api.get(&format!("/v1/orgs/northwind/{path}")).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
        in_background(&engine).await.unwrap();
        app.clock.advance(400 * DAY);
        in_background(&engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log").await, 0);
        engine.db().close().await;
    }

    async fn signing_in_leads_back_to_each_page_but_repeats_no_text_in_its_place(app: &TestApp) {
        app.org("northwind").await;
        let browser = app.browser();
        let mut pages = 0;
        for path in latchkey_server::pages::paths() {
            let with = |id: &str| {
                let parts = path.split('/').map(|part| match part.starts_with('{') {
                    true if part == "{org}" => "northwind",
                    true => id,
                    false => part,
                });
                parts.collect::<Vec<_>>().join("/")
            };
            let known = with("key_00000000000000000000000000000000");
            let location = browser.get(&known).await.header("location").to_owned();
            if !location.starts_with("/sign-in?next=") {
                continue;
            }
            pages += 1;
            assert_eq!(location, format!("/sign-in?next={}", known.replace('/', "%2F")));
            let secret = "k7AA9C-9f3a2b1c-4d5e6f7a";
            for url in [with(secret), format!("{known}/{secret}"), format!("{known}?x={secret}&status={secret}&{secret}")] {
                let answer = browser.get(&url).await;
                let location = answer.header("location");
                assert!(!location.contains(secret), "{url}: {location}");
            }
            // Programs write keys in lower case and without underscores, as the names of organizations are.
            for slug in ["lk-sk-live-q66vaguwwjabef0xsvj2gk12", "q66vaguwwjabef0xsvj2gk12yh080abc", "k7aa9c-9f3a2b-0d1e2f"] {
                let url = known.replacen("/northwind", &format!("/{slug}"), 1);
                let answer = browser.get(&url).await;
                let location = answer.header("location");
                assert!(!location.contains(slug), "{url}: {location}");
            }
        }
        assert!(pages > 30, "{pages}");
    }

    async fn who_is_removed_from_an_org_is_out_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        assert_eq!(owner.get("/orgs/northwind/keys").await.status, 200);
        app.database.execute("DELETE FROM memberships").await;
        assert_eq!(owner.get("/orgs/northwind/keys").await.status, 404);
        app.database.execute("DELETE FROM users").await;
        assert!(owner.get("/account").await.header("location").starts_with("/sign-in"));
    }
}

/// The work of the background tasks, once.
async fn in_background(engine: &Engine) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    instances::beat(engine, "0.0.0", engine.clock().now()).await?;
    security_events::write(engine, true).await?;
    for work in TASKS.iter().flat_map(|task| task.work) {
        (work.run)(engine, Duration::from_secs(3_600)).await?;
    }
    Ok(())
}

/// Whether a response grants access.
fn is_let_in(answer: &HttpAnswer) -> bool {
    ![401, 403, 404].contains(&answer.status.as_u16()) && !answer.status.is_server_error()
}

/// Sends the request of an entry for a new key of the org.
async fn ask(browser: &Browser, entry: &Entry, org: &TestOrg) -> HttpAnswer {
    let key = org.key("Production").await.id.to_string();
    entry.send(browser, org.org.slug.as_str(), &key).await
}

async fn stranger_to(browser: &Browser, entry: &Entry, org: &str) -> HttpAnswer {
    entry
        .send(browser, org, "key_00000000000000000000000000000000")
        .await
}

/// The objects of an org other than keys, after [`furnish`].
const FURNISHED: [&str; 7] = [
    "agent Furnished",
    "invitation furnished@example.com",
    "member usr_00000000000000000000000000000000 member",
    "org furnished FALSE",
    "org northwind FALSE",
    "project Furnished",
    "request Furnished open",
];

/// Resets the org's agent and the empty project of the table to their initial state.
pub async fn furnish(app: &TestApp, org: &TestOrg) {
    let org_id = org.org.id;
    for sql in [
        "DELETE FROM agents".to_owned(),
        "DELETE FROM invitations".to_owned(),
        "DELETE FROM reviews".to_owned(),
        format!(
            "INSERT INTO reviews (id, org_id, key_id, verdict, comment, at, actor_kind, findings, codes) \
             SELECT '{}', org_id, id, 'rotate', '', 0, 'user', '[]', '' FROM keys WHERE org_id = '{org_id}' LIMIT 1",
            table::REVIEW
        ),
        "DELETE FROM key_requests".to_owned(),
        "DELETE FROM orgs WHERE slug LIKE 'made%'".to_owned(),
        format!(
            "INSERT INTO orgs (id, slug, name, created_at) VALUES ('{}', 'furnished', 'Furnished', 0) \
             ON CONFLICT DO NOTHING",
            table::ORG
        ),
        format!("DELETE FROM users WHERE id = '{}'", table::MEMBER),
        format!(
            "INSERT INTO users (id, email, name, password_hash, created_at) VALUES ('{}', 'furnished@northwind.example', \
             'Furnished', '', 0)",
            table::MEMBER
        ),
        format!(
            "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{org_id}', '{}', 'member', 0)",
            table::MEMBER
        ),
        format!(
            "INSERT INTO invitations (id, org_id, email, role, digest, created_at, expires_at) \
             VALUES ('{}', '{org_id}', 'furnished@example.com', 'member', {}, 0, 9999999999999)",
            table::INVITATION,
            app.database.blob(&[1])
        ),
        format!(
            "DELETE FROM projects WHERE id = '{}' OR name = 'Made'",
            table::PROJECT
        ),
        "UPDATE orgs SET secrets_in_browsers = FALSE, name = slug".to_owned(),
        format!(
            "INSERT INTO projects (id, org_id, name, created_at) VALUES ('{}', '{org_id}', 'Furnished', 9999999999999)",
            table::PROJECT
        ),
        format!(
            "INSERT INTO key_requests (id, org_id, user_id, name, purpose, kind, environment, settings, state, created_at) \
             SELECT '{}', org_id, '{}', 'Furnished', 'Tests', 'secret', 'live', '{{\"project\": \"' || id || '\"}}', 'open', 0 \
             FROM projects WHERE org_id = '{org_id}' AND name = 'Default'",
            table::REQUEST,
            table::MEMBER
        ),
        format!(
            "INSERT INTO agents (id, org_id, project_id, public_id, name, created_at) \
             SELECT 'agn_00000000000000000000000000000000', org_id, id, '{}', 'Furnished', 0 FROM projects \
             WHERE org_id = '{org_id}' AND name = 'Default'",
            table::AGENT
        ),
    ] {
        app.database.execute(&sql).await;
    }
}

/// The objects of an org other than keys, which a denied request must not change.
async fn furnishings(app: &TestApp) -> Vec<String> {
    app.database
        .texts(
            "SELECT 'agent ' || name FROM agents UNION ALL SELECT 'project ' || name FROM projects WHERE name <> 'Default' \
             UNION ALL SELECT 'org ' || name || CASE WHEN secrets_in_browsers THEN ' TRUE' ELSE ' FALSE' END FROM orgs \
             WHERE slug IN ('northwind', 'furnished') AND deleted_at IS NULL UNION ALL SELECT 'invitation ' || email FROM invitations \
             UNION ALL SELECT 'request ' || name || ' ' || state FROM key_requests WHERE id LIKE 'krq_0000000000000%' \
             UNION ALL SELECT 'member ' || user_id || ' ' || role FROM memberships WHERE user_id LIKE 'usr_0000000000000%' \
             ORDER BY 1",
        )
        .await
}

/// The state of every key, which a denied request must not change.
async fn state(app: &TestApp) -> Vec<String> {
    app.database
        .texts(
            "SELECT 'key ' || CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN disabled_at IS NOT NULL THEN 'disabled' \
             ELSE 'active' END FROM keys",
        )
        .await
}
