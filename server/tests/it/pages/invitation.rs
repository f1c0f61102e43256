//! The page of an invitation, and the form that accepts it.

use latchkey::{invitations, role::Role, time::MINUTE};

use super::members::invite;
use crate::test_app::{HttpAnswer, TestApp, org::PASSWORD};

const KEYS: &str = "/orgs/northwind/keys";

on_both! {
    async fn opening_a_link_changes_nothing_and_its_page_keeps_it_to_itself(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let link = invite(&owner, "kim@example.com").await;
        let entries = app.database.number("SELECT COUNT(*) FROM audit_log").await;
        let browser = app.browser();
        for _ in 0..2 {
            let page = browser.get(&link).await;
            assert_eq!((page.status.as_u16(), page.header("cache-control"), page.header("referrer-policy")), (200, "no-store", "strict-origin"));
            assert_eq!(page.set_cookies(), [""; 0]);
            let text = page.text();
            for part in ["Join northwind", "dana invited ", "kim@example.com", "as a member", "Members can see the list of keys", "Already have an account? Enter its password."] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(!text.contains("lk_inv_"), "{text}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log").await, entries);
        for malformed in ["/invitations/x", "/invitations/lk_inv_000000000000000000000000000XX1s7"] {
            let page = browser.get(malformed).await;
            assert_eq!(page.status, 404, "{malformed}");
            assert!(page.text().contains("This link is incomplete."), "{malformed}");
            assert_eq!(browser.submit(malformed, &[("name", "N"), ("password", PASSWORD)]).await.status, 404, "{malformed}");
        }
        let unknown = browser.get("/invitations/lk_inv_000000000000000000000000000XX1s6").await;
        assert_eq!((unknown.status.as_u16(), unknown.header("referrer-policy")), (410, "strict-origin"));
        assert!(unknown.text().contains("This invitation was used, withdrawn, or has expired. Ask for a new one."));
    }

    async fn someone_new_creates_an_account_and_is_in(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let link = invite(&owner, "kim@example.com").await;
        let browser = app.browser();
        for (name, password, field) in [("", PASSWORD, "name-error"), ("Kim", "short", "password-error"), ("Kim", "password", "password-error")] {
            let refused = browser.submit(&link, &[("name", name), ("password", password)]).await;
            assert_eq!(refused.status, 422, "{field}");
            assert!(refused.body.contains(field) && !refused.body.contains(PASSWORD), "{}", refused.body);
        }
        let joined = browser.submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await;
        assert_eq!((joined.status.as_u16(), joined.header("location")), (303, KEYS));
        let keys = browser.get(KEYS).await;
        assert!(keys.status == 200 && keys.text().contains("You joined northwind as a member."), "{}", keys.status);
        assert_eq!(app.browser().sign_in("kim@example.com", PASSWORD).await.status, 303);
        let spent = app.browser().submit(&link, &[("name", "Eve"), ("password", "another good password")]).await;
        assert_eq!(spent.status, 410);
        assert_eq!(app.browser().get(&link).await.status, 410);
    }

    async fn someone_with_an_account_enters_its_password(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        app.org("contoso").await.person("kim", Role::Owner).await;
        let link = invite(&owner, "kim@contoso.example").await;
        let browser = app.browser();
        let wrong = browser.submit(&link, &[("name", "Mallory"), ("password", "not the password")]).await;
        assert!(wrong.status == 422 && wrong.text().contains("The password is incorrect."), "{}", wrong.text());
        let wrong = browser.submit(&link, &[("name", ""), ("password", "not the password")]).await;
        assert!(wrong.status == 422 && wrong.text().contains("If you have an account, this is not its password."), "{}", wrong.text());
        let joined = browser.submit(&link, &[("name", ""), ("password", PASSWORD)]).await;
        assert_eq!((joined.status.as_u16(), joined.header("location")), (303, KEYS));
        assert_eq!(app.database.texts("SELECT name FROM users ORDER BY name").await, ["dana", "kim"]);
        let keys = browser.get(KEYS).await.text();
        assert!(keys.contains("Organization: </span><b>northwind</b>") && keys.contains("contoso"), "the switcher: {keys}");
    }

    async fn an_error_of_a_field_does_not_show_whether_the_address_has_an_account(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        app.org("contoso").await.person("kim", Role::Owner).await;
        let known = invite(&owner, "kim@contoso.example").await;
        let unknown = invite(&owner, "kit@contoso.example").await;
        let browser = app.browser();
        for (name, password, field) in [
            ("", "another good password", "name-error"), ("", "", "name-error"), ("Kim", "short", "password-error"), ("Kim", "password", "password-error"),
        ] {
            let fields = [("name", name), ("password", password)];
            let [known, unknown] = [browser.submit(&known, &fields).await, browser.submit(&unknown, &fields).await];
            assert_eq!((known.status.as_u16(), unknown.status.as_u16()), (422, 422), "{field}");
            assert!(known.body.contains(field), "{field}: {}", known.body);
            assert_eq!(known.without_nonces().replace("kim@", ""), unknown.without_nonces().replace("kit@", ""), "{field}");
        }
    }

    async fn a_full_organization_and_many_links_do_not_show_which_addresses_have_accounts(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        app.org("contoso").await.person("kim", Role::Owner).await;
        let (known, unknown) = (invite(&owner, "kim@contoso.example").await, invite(&owner, "kit@contoso.example").await);
        let full = app.another_engine(|settings| settings.limits.members = 1).await;
        let browser = app.browser_on(&full);
        let fields = [("name", "Kim"), ("password", "another good password")];
        let [known, unknown] = [browser.submit(&known, &fields).await, browser.submit(&unknown, &fields).await];
        assert!(known.status == 422 && known.text().contains("can have at most 1 members"), "{}", known.text());
        assert_eq!(known.without_nonces().replace("kim@", ""), unknown.without_nonces().replace("kit@", ""));
        // An owner creates no more than a hundred links an hour, so tries no more addresses.
        app.database.execute("UPDATE attempts SET made = 100 WHERE made = 2").await;
        let throttled = owner.submit("/orgs/northwind/members", &[("change", "invite"), ("email", "new@example.com"), ("role", "member")]).await;
        assert!(throttled.status == 429 && throttled.text().contains("Too many invitations were created."), "{}", throttled.text());
    }

    async fn passwords_are_tried_as_often_as_at_sign_in(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        app.org("contoso").await.person("kim", Role::Owner).await;
        let link = invite(&owner, "kim@contoso.example").await;
        let browser = app.browser();
        for _ in 0..10 {
            let wrong = browser.submit(&link, &[("name", "K"), ("password", "not the password")]).await;
            assert_eq!(wrong.status, 422);
        }
        let throttled = browser.submit(&link, &[("name", "K"), ("password", PASSWORD)]).await;
        assert!(throttled.status == 429 && !throttled.header("retry-after").is_empty(), "{}", throttled.status);
        assert_eq!(browser.sign_in("kim@contoso.example", PASSWORD).await.status, 429, "the same budget");
        assert_eq!(app.browser().get(&link).await.status, 200, "the invitation remains");
    }

    async fn a_disabled_account_does_not_join(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        app.org("contoso").await.person("kim", Role::Owner).await;
        app.database.execute("UPDATE users SET disabled_at = 1 WHERE name = 'kim'").await;
        let link = invite(&owner, "kim@contoso.example").await;
        let refused = app.browser().submit(&link, &[("name", "K"), ("password", PASSWORD)]).await;
        assert!(refused.status == 422 && refused.text().contains("The password is incorrect."));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM memberships").await, 2);
    }

    async fn someone_signed_in_joins_with_one_button_and_nobody_else(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let contoso = app.org("contoso").await;
        let (kim, eve) = (app.signed_in(&contoso, "kim", Role::Owner).await, app.signed_in(&contoso, "eve", Role::Owner).await);
        let link = invite(&owner, "kim@contoso.example").await;
        let page = eve.get(&link).await.text();
        assert!(page.contains("You are signed in as eve@contoso.example.") && page.contains("Sign out and continue"), "{page}");
        let refused = eve.submit(&link, &[("name", "E"), ("password", PASSWORD)]).await;
        assert!(refused.status == 422 && refused.text().contains("This invitation is for another e-mail address."), "{}", refused.text());
        let page = kim.get(&link).await.text();
        assert!(page.contains("Join northwind as a member") && !page.contains("name=\"password\""), "{page}");
        let joined = kim.submit(&link, &[]).await;
        assert_eq!((joined.status.as_u16(), joined.header("location")), (303, KEYS));
        assert_eq!(kim.get(KEYS).await.status, 200);
    }

    async fn a_form_that_is_submitted_twice_leads_the_same_person_to_the_same_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let contoso = app.org("contoso").await;
        let (kim, eve) = (app.signed_in(&contoso, "kim", Role::Owner).await, app.signed_in(&contoso, "eve", Role::Owner).await);
        let link = invite(&owner, "kim@contoso.example").await;
        let (one, other) = tokio::join!(kim.submit(&link, &[]), kim.submit(&link, &[]));
        for joined in [one, other, kim.submit(&link, &[]).await] {
            assert_eq!((joined.status.as_u16(), joined.header("location")), (303, KEYS));
        }
        assert_eq!(eve.submit(&link, &[]).await.status, 410, "to others it was used");
        assert_eq!(app.browser().submit(&link, &[]).await.status, 410);
        let link = invite(&owner, "new@example.com").await;
        let fields = [("name", "New"), ("password", PASSWORD)];
        // The browser gave up the first submit, and has no session.
        assert_eq!(app.browser().submit(&link, &fields).await.status, 303);
        let browser = app.browser();
        assert_eq!(browser.submit(&link, &[("name", "New"), ("password", "not the password")]).await.status, 410);
        let again = browser.submit(&link, &fields).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, KEYS));
        assert_eq!(browser.get(KEYS).await.status, 200);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email = 'new@example.com'").await, 1);
        app.clock.advance(10 * MINUTE);
        assert_eq!(kim.submit(&link, &[]).await.status, 410);
        assert_eq!(app.browser().submit(&link, &fields).await.status, 410, "a while later");
        invitations::delete_expired(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM accepted_invitations").await, 0);
    }

    async fn someone_who_was_removed_is_not_led_on(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let kim = app.signed_in(&app.org("contoso").await, "kim", Role::Owner).await;
        let link = invite(&owner, "kim@contoso.example").await;
        assert_eq!(kim.submit(&link, &[]).await.status, 303);
        app.database.execute("DELETE FROM memberships WHERE role = 'member'").await;
        assert_eq!(kim.submit(&link, &[]).await.status, 410);
    }

    async fn a_form_that_is_too_large_does_not_put_the_link_into_a_query(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let link = invite(&owner, "kim@example.com").await;
        let large: HttpAnswer = app.browser().submit(&link, &[("name", &"n".repeat(400_000)), ("password", PASSWORD)]).await;
        assert_eq!((large.status.as_u16(), large.header("location")), (413, ""));
    }
}

/// The invitation is withdrawn after the link was looked up and before the password is compared or hashed.
#[tokio::test]
async fn an_invitation_that_is_withdrawn_meanwhile_does_not_show_whether_the_address_has_an_account()
 {
    let app = TestApp::on_sqlite().await;
    let org = app.org("northwind").await;
    let owner = app.signed_in(&org, "dana", Role::Owner).await;
    app.org("contoso").await.person("kim", Role::Owner).await;
    for email in ["kim@contoso.example", "kit@contoso.example"] {
        let link = invite(&owner, email).await;
        app.database
            .execute(
                "CREATE TRIGGER withdrawn AFTER INSERT ON attempts BEGIN DELETE FROM invitations; END",
            )
            .await;
        let fields = [("name", "Kim"), ("password", "another good password")];
        let gone = app.browser().submit(&link, &fields).await;
        assert_eq!(gone.status, 410, "{email}: {}", gone.text());
        app.database.execute("DROP TRIGGER withdrawn").await;
    }
    app.remove().await;
}
