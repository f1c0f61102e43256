//! Forms without JavaScript that delete something and are submitted twice: the second submit leads where the first led, but
//! only for the person who sent the first.

use latchkey::{role::Role, time::MINUTE};

use super::members::invite;
use crate::test_app::{
    Browser, TestApp,
    org::{PASSWORD, agent},
};

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// Submits a form twice, and returns the page that both submits lead to.
async fn twice(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let (one, other) = tokio::join!(browser.submit(path, fields), browser.submit(path, fields));
    assert_eq!(
        (one.status.as_u16(), other.status.as_u16()),
        (303, 303),
        "{path}: {fields:?}"
    );
    let last = browser.submit(path, fields).await;
    assert_eq!(last.status, 303, "{path}: {fields:?}");
    for answer in [&one, &other] {
        assert_eq!(answer.header("location"), last.header("location"));
    }
    last.header("location").to_owned()
}

on_both! {
    async fn each_leads_where_the_first_led_and_nobody_else_anywhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let other = app.signed_in(&org, "ari", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await.to_string();
        invite(&owner, "new@example.com").await;
        let invitation = app.database.texts("SELECT id FROM invitations").await.remove(0);
        let created = owner.submit("/orgs/northwind/projects", &[("change", "create"), ("name", "Site")]).await;
        assert_eq!(created.status, 303);
        let project = app.database.texts("SELECT id FROM projects WHERE name = 'Site'").await.remove(0);
        let helper = latchkey::agents::create::create(&app.engine, &org.permit(), &agent("Helper", &["shop.example"])).await.unwrap();
        let agent = format!("/orgs/northwind/agents/{}", helper.public_id);
        let (members, projects) = ("/orgs/northwind/members", "/orgs/northwind/projects");
        let forms: [(&str, Fields<'_>, &str); 4] = [
            (members, vec![("change", "remove"), ("member", &kim)], members),
            (members, vec![("change", "withdraw"), ("invitation", &invitation)], members),
            (projects, vec![("change", "delete"), ("project", &project)], projects),
            (&agent, vec![("change", "delete")], "/orgs/northwind/agents"),
        ];
        for (path, fields, leads_to) in &forms {
            assert_eq!(twice(&owner, path, fields).await, *leads_to);
            assert_eq!(other.submit(path, fields).await.status, 404, "{path}: {fields:?}");
        }
        app.clock.advance(10 * MINUTE);
        for (path, fields, _) in &forms {
            assert_eq!(owner.submit(path, fields).await.status, 404, "a while later: {path}: {fields:?}");
        }
    }

    async fn leaving_and_deleting_an_organization_lead_where_they_led(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (kim, eve) = (app.signed_in(&org, "kim", Role::Member).await, app.signed_in(&org, "eve", Role::Owner).await);
        assert_eq!(twice(&kim, "/orgs/northwind/members", &[("change", "leave")]).await, "/account");
        let delete = [("name", "northwind"), ("password", PASSWORD)];
        assert_eq!(kim.submit("/orgs/northwind/delete", &delete).await.status, 404);
        assert_eq!(twice(&owner, "/orgs/northwind/delete", &delete).await, "/account");
        assert_eq!(eve.submit("/orgs/northwind/delete", &delete).await.status, 404);
        assert_eq!(eve.submit("/orgs/northwind/members", &[("change", "leave")]).await.status, 404);
    }
}
