//! Creating another organization, and deleting one, in the pages.

use latchkey::{orgs::OrgPolicy, role::Role};

use crate::test_app::{TestApp, org::PASSWORD};

on_both! {
    async fn where_everyone_may_a_person_creates_one_and_owns_it(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.organizations = OrgPolicy::Everyone).await;
        app.org("northwind").await.person("dana", Role::Member).await;
        let browser = app.browser_on(&engine);
        browser.sign_in("dana@northwind.example", PASSWORD).await;
        let page = browser.get("/orgs/northwind/keys").await.body;
        assert!(page.contains("href=\"/orgs/new\""), "{page}");
        let token = browser.get("/orgs/new").await.hidden("creation_token");
        let refused = browser.submit("/orgs/new", &[("name", " "), ("creation_token", &token)]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("Enter an organization name."), "{}", refused.text());
        for _ in 0..2 {
            let created = browser.submit("/orgs/new", &[("name", "Contoso Ltd."), ("creation_token", &token)]).await;
            assert_eq!((created.status.as_u16(), created.header("location")), (303, "/orgs/contoso-ltd/keys"));
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 2);
        let page = browser.get("/orgs/contoso-ltd/keys").await.text();
        assert!(page.contains("Organization created.") && page.contains("Owner"), "{page}");
        engine.db().close().await;
    }

    async fn who_is_in_no_organization_sees_how_to_create_one(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.organizations = OrgPolicy::Everyone).await;
        app.org("northwind").await.person("dana", Role::Member).await;
        app.database.execute("DELETE FROM memberships").await;
        for (browser, is_offered) in [(app.browser_on(&engine), true), (app.browser(), false)] {
            browser.sign_in("dana@northwind.example", PASSWORD).await;
            let page = browser.get("/account").await.text();
            assert!(page.contains("You are not in an organization"), "{page}");
            assert_eq!(page.contains("href=\"/orgs/new\""), is_offered, "{page}");
        }
        engine.db().close().await;
    }

    async fn pages_of_no_organization_keep_the_last_one_and_signing_in_leads_to_it(app: &TestApp) {
        let (first, last) = (app.org("contoso").await, app.org("northwind").await);
        let browser = app.signed_in(&first, "dana", Role::Owner).await;
        app.database.execute(&format!(
            "INSERT INTO memberships (org_id, user_id, role, created_at) SELECT '{}', id, 'member', 0 FROM users", last.org.id,
        )).await;
        let current = async || browser.get("/account").await.text().contains("Organization: </span><b>northwind</b>");
        assert!(!current().await);
        assert_eq!(browser.get("/orgs/northwind/keys").await.status, 200);
        assert!(current().await);
        // A page that cannot be shown is none.
        assert_eq!(browser.get("/orgs/fabrikam/keys").await.status, 404);
        assert_eq!(browser.get("/").await.header("location"), "/orgs/northwind/keys");
        browser.submit("/sign-out", &[]).await;
        assert_eq!(browser.sign_in("dana@contoso.example", PASSWORD).await.header("location"), "/orgs/northwind/keys");
        // Whoever is no longer a member of it is led to another.
        app.database.execute(&format!("DELETE FROM memberships WHERE org_id = '{}'", last.org.id)).await;
        assert_eq!(browser.get("/").await.header("location"), "/orgs/contoso/keys");
        assert!(!current().await);
    }

    async fn others_are_told_whom_to_ask(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get("/orgs/new").await.text();
        assert!(page.contains("Only operators of this Latchkey instance can create organizations.") && !page.contains("Create organization</button>"), "{page}");
        let refused = owner.submit("/orgs/new", &[("name", "Contoso")]).await;
        assert_eq!(refused.status, 422);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 1);
    }

    async fn an_owner_deletes_an_organization_after_seeing_what_ends(app: &TestApp) {
        const PAGE: &str = "/orgs/northwind/delete";
        let org = app.org("northwind").await;
        let (owner, member) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "kim", Role::Member).await);
        let key = org.key("Production").await;
        app.verify(&key.plain).await;
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        org.key("Spare").await;
        assert!(owner.get("/orgs/northwind/settings").await.body.contains("href=\"/orgs/northwind/delete\""));
        let page = owner.get(PAGE).await.text();
        for part in ["<b>2 keys stop working</b>, <b>1</b> of them used in the last 24 hours", "2 members lose access", "0 service tokens"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        for (name, password) in [("Northwind", PASSWORD), ("northwind", "wrong")] {
            assert_eq!(owner.submit(PAGE, &[("name", name), ("password", password)]).await.status, 422);
        }
        assert_eq!(member.get("/orgs/northwind/keys").await.status, 200);
        let deleted = owner.submit(PAGE, &[("name", "northwind"), ("password", PASSWORD)]).await;
        assert_eq!((deleted.status.as_u16(), deleted.header("location")), (303, "/account"));
        assert!(owner.get("/account").await.text().contains("Organization deleted."));
        for (browser, path) in [(&owner, "/orgs/northwind/keys"), (&member, "/orgs/northwind/keys"), (&owner, PAGE), (&owner, "/orgs/northwind/audit")] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
        for (browser, status) in [(&owner, 303), (&member, 404)] {
            assert_eq!(browser.submit(PAGE, &[("name", "northwind"), ("password", PASSWORD)]).await.status, status);
        }
    }
}
