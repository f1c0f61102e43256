//! The page of an organization's members.

use latchkey::role::Role;

use crate::test_app::{Browser, HttpAnswer, TestApp};

const PAGE: &str = "/orgs/northwind/members";

on_both! {
    async fn an_owner_changes_a_role_and_removes_a_member_and_the_messages_name_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await.to_string();
        let card = owner.get(&format!("{PAGE}?edit={kim}")).await;
        assert!(card.text().contains("Change the role of “kim”"), "{}", card.text());
        assert_eq!(card.hidden("member"), kim);
        let changed = owner.submit(PAGE, &[("change", "role"), ("member", &kim), ("role", "admin")]).await;
        assert_eq!((changed.status.as_u16(), changed.header("location")), (303, PAGE));
        let page = owner.get(PAGE).await.text();
        assert!(page.contains("Role of “kim” changed.") && page.contains("Admin"), "{page}");
        assert!(!owner.get(PAGE).await.text().contains("Role of “kim” changed."), "the message is shown once");
        let card = owner.get(&format!("{PAGE}?remove={kim}")).await.text();
        assert!(card.contains("Remove “kim”?") && card.contains("kim@northwind.example loses access"), "{card}");
        let keys = format!("href=\"/orgs/northwind/keys?creator={kim}\"");
        assert!(card.contains(&keys) && card.contains("keys that they created or revealed"), "{card}");
        let key = org.key("Reports").await.id;
        assert_eq!(app.database.execute(&format!("UPDATE keys SET created_by = '{kim}' WHERE id = '{key}'")).await, 1);
        owner.submit(PAGE, &[("change", "remove"), ("member", &kim)]).await;
        let page = owner.get(PAGE).await.text();
        assert!(page.contains("“kim” removed from the organization.") && !page.contains("kim@"), "{page}");
        assert!(page.contains(&keys) && page.contains("View their keys"), "the keys whose secrets they know: {page}");
        let theirs = owner.get(&format!("/orgs/northwind/keys?creator={kim}")).await.text();
        assert!(theirs.contains("Reports"), "{theirs}");
        assert_eq!(owner.submit(PAGE, &[("change", "remove"), ("member", &kim)]).await.status, 303, "submitted twice");
        let unknown = owner.submit(PAGE, &[("change", "role"), ("member", &kim), ("role", "boss")]).await;
        assert_eq!(unknown.status, 422);
    }

    async fn who_was_removed_or_has_left_is_told_so_and_strangers_see_what_they_see_of_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (kim, lee) = (app.signed_in(&org, "kim", Role::Member).await, app.signed_in(&org, "lee", Role::Member).await);
        let stranger = app.signed_in(&app.org("contoso").await, "eve", Role::Owner).await;
        let id = app.database.texts("SELECT id FROM users WHERE name = 'kim'").await.remove(0);
        owner.submit(PAGE, &[("change", "remove"), ("member", &id)]).await;
        lee.submit(PAGE, &[("change", "leave")]).await;
        for former in [&kim, &lee] {
            let told = former.get("/orgs/northwind/keys").await;
            assert_eq!(told.status, 404);
            assert!(told.text().contains("You are no longer a member of northwind. Ask an owner to invite you again."), "{}", told.text());
        }
        let seen = async |slug: &str| stranger.get(&format!("/orgs/{slug}/keys")).await.without_nonces().replace(slug, "SLUG");
        assert_eq!(seen("northwind").await, seen("nowhere").await);
        owner.submit("/orgs/northwind/delete", &[("name", "northwind"), ("password", crate::test_app::org::PASSWORD)]).await;
        let gone = kim.get("/orgs/northwind/keys").await;
        assert!(gone.status == 404 && gone.text().contains("This page was not found"), "{}", gone.text());
    }

    async fn a_message_that_was_planted_is_not_shown(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let eve = app.org("contoso").await.person("stranger", Role::Owner).await;
        for word in ["member-removed", "member-role-changed"] {
            owner.plant_cookie("latchkey-done", &format!("{word}.{eve}"));
            let page = owner.get(PAGE).await.text();
            for part in ["Member removed.", "Role changed.", "stranger"] {
                assert!(!page.contains(part), "{word}: {page}");
            }
        }
    }

    async fn everyone_leaves_except_the_only_owner_who_is_told_why(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let page = member.get(&format!("{PAGE}?leave=1")).await.text();
        assert!(page.contains("Leave “northwind”?") && page.contains("value=\"leave\""), "{page}");
        assert!(page.contains("Ask dana (dana@northwind.example) to invite people.") && !page.contains("?edit="), "{page}");
        let left = member.submit(PAGE, &[("change", "leave")]).await;
        assert_eq!((left.status.as_u16(), left.header("location")), (303, "/account"));
        let account = member.get("/account").await.text();
        assert!(account.contains("You left the organization.") && account.contains("You are not in an organization"), "{account}");
        assert_eq!(member.get(PAGE).await.status, 404);
        let dana = app.database.texts("SELECT id FROM users WHERE name = 'dana'").await.remove(0);
        let page = owner.get(&format!("{PAGE}?leave=1")).await.text();
        for part in ["href=\"/orgs/northwind/members?invite=1\"", "href=\"/orgs/northwind/delete\"", "invite another owner"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        org.person("lee", Role::Member).await;
        let page = owner.get(&format!("{PAGE}?leave=1")).await.text();
        assert!(page.contains("href=\"/orgs/northwind/members\" class=\"link\">make another member an owner"), "{page}");
        for query in [format!("edit={dana}"), format!("remove={dana}")] {
            let page = owner.get(&format!("{PAGE}?{query}")).await.text();
            assert!(page.contains("You are the only owner. Make someone else an owner first."), "{query}: {page}");
        }
        for fields in [&[("change", "leave")][..], &[("change", "remove"), ("member", &dana)], &[("change", "role"), ("member", &dana), ("role", "admin")]] {
            let refused = owner.submit(PAGE, fields).await;
            assert_eq!(refused.status, 422, "{fields:?}");
            assert!(refused.text().contains("the only owner. Make someone else an owner first."), "{}", refused.text());
        }
    }

    async fn members_and_admins_see_no_invitations_and_no_controls(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        invite(&owner, "ann@example.com").await;
        for role in [Role::Admin, Role::Member] {
            let browser = app.signed_in(&org, &role.to_string(), role).await;
            for query in ["", "?invite=1", "?edit=x"] {
                let page = browser.get(&format!("{PAGE}{query}")).await.body;
                for trace in ["ann@example.com", "value=\"invite\"", "value=\"withdraw\"", "?edit=", "?remove=", "Last seen"] {
                    assert!(!page.contains(trace), "{role} {trace}");
                }
            }
        }
    }

    async fn a_link_is_shown_once_and_a_repeated_submit_shows_the_same(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let alone = owner.get(PAGE).await;
        assert!(alone.body.contains("value=\"invite\""), "someone alone is offered to invite");
        let fields = [("change", "invite"), ("email", "Kim@Example.com"), ("role", "admin"), ("creation_token", "one")];
        let shown = owner.submit(PAGE, &fields).await;
        assert_eq!((shown.status.as_u16(), shown.header("cache-control")), (200, "no-store"));
        let link = link_in(&shown).unwrap();
        assert_eq!(link_in(&owner.submit(PAGE, &fields).await), Some(link.clone()));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'member.invited'").await, 1);
        let page = owner.get(PAGE).await;
        assert!(page.text().contains("kim@example.com") && link_in(&page).is_none());
        assert!(app.browser().get(&link).await.text().contains("Join northwind"));
        let id = app.database.texts("SELECT id FROM invitations").await.remove(0);
        let renewed = owner.submit(PAGE, &[("change", "renew"), ("invitation", &id)]).await;
        let newer = link_in(&renewed).unwrap();
        assert_ne!(newer, link);
        assert_eq!(app.browser().get(&link).await.status, 410);
        // The submit before is repeated, but its link is dead, so that it invites again.
        let again = link_in(&owner.submit(PAGE, &fields).await).unwrap();
        assert!(again != link && again != newer);
        let id = app.database.texts("SELECT id FROM invitations").await.remove(0);
        let withdrawn = owner.submit(PAGE, &[("change", "withdraw"), ("invitation", &id)]).await;
        assert_eq!((withdrawn.status.as_u16(), withdrawn.header("location")), (303, PAGE));
        assert!(owner.get(PAGE).await.text().contains("Invitation withdrawn."));
        assert_eq!(app.browser().get(&again).await.status, 410);
    }

    async fn what_cannot_be_invited_is_said_at_its_field(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (email, role, said) in [
            ("kim", "member", "Enter an e-mail address such as name@example.com."),
            ("dana@northwind.example", "member", "is already a member of this organization. Change their role instead."),
            ("kim@example.com", "", "Choose a role."),
        ] {
            let refused = owner.submit(PAGE, &[("change", "invite"), ("email", email), ("role", role)]).await;
            assert_eq!(refused.status, 422, "{email}");
            assert!(refused.text().contains(said) && refused.body.contains(&format!("value=\"{email}\"")), "{}", refused.text());
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 0);
    }

    async fn whoever_leaves_or_is_removed_is_told_which_of_their_requests_end(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let kim = app.database.texts("SELECT id FROM users WHERE name = 'kim'").await.remove(0);
        let (leave, remove) = (format!("{PAGE}?leave=1"), format!("{PAGE}?remove={kim}"));
        let fields = [("name", "Reports"), ("purpose", "Reports"), ("kind", "secret"), ("environment", "live"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "90")];
        for (count, requests) in [
            (0, None),
            (1, Some("request for a key, which waits for a decision or to be revealed, is withdrawn.")),
            (2, Some("2 requests for keys, which wait for a decision or to be revealed, are withdrawn.")),
        ] {
            for (browser, path, whose) in [(&member, &leave, "Your"), (&owner, &remove, "Their")] {
                let card = browser.get(path).await.text();
                match requests {
                    Some(requests) => assert!(card.contains(&format!("{whose} {requests}")), "{count}: {card}"),
                    None => assert!(!card.contains("withdrawn"), "{card}"),
                }
            }
            let path = member.submit("/orgs/northwind/requests/new", &fields).await.header("location").to_owned();
            if count == 0 {
                owner.submit(&path, &[("change", "approve"), ("version", "0")]).await;
            }
        }
        assert!(!owner.get(&format!("{PAGE}?leave=1")).await.text().contains("withdrawn"), "of the owner themselves");
        assert_eq!(member.submit(PAGE, &[("change", "leave")]).await.status, 303);
        assert_eq!(app.database.texts("SELECT DISTINCT state FROM key_requests").await, ["withdrawn"]);
        let log = owner.get("/orgs/northwind/audit").await.text();
        assert!(log.contains("Withdrawn key requests: </span>3"), "{log}");
    }
}

/// Invites someone as a member, and returns the path of the link.
pub async fn invite(owner: &Browser, email: &str) -> String {
    let fields = [("change", "invite"), ("email", email), ("role", "member")];
    link_in(&owner.submit(PAGE, &fields).await).unwrap()
}

/// The path of the invitation's link in a page.
fn link_in(page: &HttpAnswer) -> Option<String> {
    let start = page.body.find("http://localhost:3000/invitations/")?;
    let link = page.body[start..].split(['<', '"']).next()?;
    Some(link.replace("http://localhost:3000", ""))
}
