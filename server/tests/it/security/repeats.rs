//! Forms that use up what a repeat of the same submit would need: a session, a code, or a link. The second submit of the same
//! browser leads where the first led; everyone else who has the same is treated as if there had been no first submit.

use std::pin::pin;

use futures_util::poll;
use latchkey::{
    access::Operator,
    accounts::{SignUpPolicy, links::AccountToken, reset},
    id::UserId,
    role::Role,
    time::SECOND,
};

use super::second_factor::invite;
use crate::test_app::{Browser, HttpAnswer, TestApp, authenticator::turn_on_in, org::PASSWORD};

const DANA: &str = "dana@northwind.example";
const NEW: &str = "a new and better one";
const STEP: i64 = 30 * SECOND;

/// The status and the page that a response leads to.
fn led_to(answer: &HttpAnswer) -> (u16, &str) {
    (answer.status.as_u16(), answer.header("location"))
}

/// Another browser, which has the session cookie of this one and nothing else.
fn with_session_of(app: &TestApp, browser: &Browser) -> Browser {
    let other = app.browser();
    other.plant_cookie("latchkey-3000", &browser.session_cookie().unwrap());
    other
}

/// Whether one of these cookies is the session's, even if it is removed.
fn touches_session(answer: &HttpAnswer) -> bool {
    let mut cookies = answer.set_cookies().into_iter();
    cookies.any(|cookie| cookie.starts_with("latchkey-3000="))
}

on_both! {
    async fn a_password_that_is_changed_twice_is_changed_and_leads_to_the_new_session(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [("current_password", PASSWORD), ("new_password", NEW)];
        let (before, other) = (dana.as_it_is(), with_session_of(app, &dana));
        let first = dana.submit("/account", &fields).await;
        assert_eq!(led_to(&first), (303, "/account"));
        let again = before.submit("/account", &fields).await;
        assert_eq!(led_to(&again), (303, "/account"));
        assert_eq!(before.session_cookie(), dana.session_cookie());
        assert!(before.get("/account").await.text().contains("Password changed."));
        // The browser may have the new session already.
        assert_eq!(led_to(&dana.submit("/account", &fields).await), (303, "/account"));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 1);
        assert!(app.browser().sign_in(DANA, NEW).await.status == 303);

        // Whoever has stolen the session before gets nothing, and loses nothing.
        let denied = other.submit("/account", &fields).await;
        assert!(denied.header("location").starts_with("/sign-in?") && !touches_session(&denied), "{denied:?}");
        let back = [("current_password", NEW), ("new_password", PASSWORD)];
        assert_eq!(led_to(&dana.submit("/account", &back).await), (303, "/account"));
        // Not a repeat: the session that the first one started has ended.
        assert_eq!(led_to(&dana.submit("/account", &fields).await), (303, "/account"));
        assert_eq!(app.browser().sign_in(DANA, PASSWORD).await.status, 422);
        app.clock.advance(STEP);
        assert_eq!(dana.submit("/account", &fields).await.status, 422, "a while later");
    }

    async fn two_submits_in_progress_change_the_password_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [("current_password", PASSWORD), ("new_password", NEW)];
        let second = dana.as_it_is();
        let (one, other) = tokio::join!(dana.submit("/account", &fields), second.submit("/account", &fields));
        assert_eq!((led_to(&one), led_to(&other)), ((303, "/account"), (303, "/account")));
        assert_eq!(dana.session_cookie(), second.session_cookie());
        assert_eq!(dana.get("/account").await.status, 200);
        app.engine.finish().await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'account.password_changed'").await, 1);
    }

    async fn the_second_submit_leads_on_wherever_the_first_was_hung_up(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let mut current = PASSWORD.to_owned();
        for polls in 0..8 {
            let new = format!("a better one {polls}");
            let fields = [("current_password", &*current), ("new_password", &*new)];
            let first = dana.as_it_is();
            {
                let mut hung_up = pin!(first.submit("/account", &fields));
                for _ in 0..polls {
                    if poll!(&mut hung_up).is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let again = dana.submit("/account", &fields).await;
            assert_eq!(led_to(&again), (303, "/account"), "{polls}");
            assert_eq!(dana.get("/account").await.status, 200, "{polls}");
            current = new;
        }
    }

    async fn an_account_that_is_deleted_twice_is_deleted(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Member).await;
        org.person("kim", Role::Member).await;
        let fields = [("password", PASSWORD)];
        let (before, other) = (dana.as_it_is(), with_session_of(app, &dana));
        let gone = (303, "/sign-in?deleted=1");
        assert_eq!(led_to(&dana.submit("/account/delete", &fields).await), gone);
        assert_eq!(dana.session_cookie(), None);
        let again = before.submit("/account/delete", &fields).await;
        assert!(led_to(&again) == gone && !touches_session(&again), "{again:?}");
        assert_eq!(led_to(&dana.submit("/account/delete", &fields).await), gone, "without the cookie");
        let denied = other.submit("/account/delete", &fields).await;
        assert!(denied.header("location").contains("ended") && !touches_session(&denied), "{denied:?}");
        // Someone else in the same browser, with the same password.
        dana.sign_in("kim@northwind.example", PASSWORD).await;
        assert_eq!(led_to(&dana.submit("/account/delete", &fields).await), gone);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE deleted_at IS NOT NULL").await, 2);
    }

    async fn a_code_that_is_sent_twice_signs_in_once_and_in_one_browser(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (authenticator, _) = turn_on_in(app, &dana).await;
        app.clock.advance(STEP);
        let browser = app.browser();
        let half = browser.submit("/sign-in", &[("email", DANA), ("password", PASSWORD), ("next", "/account/sessions")]).await;
        let (half, code) = (half.hidden("half"), authenticator.code(app.clock.now()));
        let fields = [("half", &*half), ("code", &*code), ("next", "/account/sessions")];
        let (before, other) = (browser.as_it_is(), browser.as_it_is());
        let signed_in = (303, "/account/sessions");
        assert_eq!(led_to(&browser.submit("/sign-in", &fields).await), signed_in);
        assert_eq!(led_to(&before.submit("/sign-in", &fields).await), signed_in);
        assert_eq!((before.get("/account").await.status.as_u16(), before.session_cookie()), (200, browser.session_cookie()));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 2, "and that of the other browser");

        // Someone who has seen the password, the code and the whole form.
        let thief = app.browser();
        thief.sign_in(DANA, PASSWORD).await;
        for thief in [thief, app.browser()] {
            assert_eq!(thief.submit("/sign-in", &fields).await.status, 422);
            assert_eq!(thief.session_cookie(), None);
        }
        let other_code = [("half", &*half), ("code", "000000"), ("next", "/account/sessions")];
        assert_eq!(other.submit("/sign-in", &other_code).await.status, 422, "not the same submit");
        let copy = before.as_it_is();
        before.submit("/sign-out", &[]).await;
        let after = copy.submit("/sign-in", &fields).await;
        assert_eq!((after.status.as_u16(), app.database.number("SELECT COUNT(*) FROM sessions").await), (422, 1), "after signing out");
    }

    async fn a_code_is_not_accepted_again_a_while_later(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (_, recovery_codes) = turn_on_in(app, &dana).await;
        let browser = app.browser();
        let half = browser.sign_in(DANA, PASSWORD).await.hidden("half");
        let fields = [("half", &*half), ("recovery_code", &*recovery_codes[0])];
        let (before, later) = (browser.as_it_is(), browser.as_it_is());
        assert_eq!(browser.submit("/sign-in", &fields).await.status, 303);
        app.clock.advance(STEP - 1);
        assert_eq!(before.submit("/sign-in", &fields).await.status, 303);
        app.clock.advance(1);
        assert_eq!(later.submit("/sign-in", &fields).await.status, 422);
    }

    async fn a_second_factor_that_is_turned_off_twice_is_off(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (_, recovery_codes) = turn_on_in(app, &dana).await;
        let fields = [("change", "off"), ("password", PASSWORD), ("recovery_code", &*recovery_codes[0])];
        for _ in 0..2 {
            assert_eq!(led_to(&dana.submit("/account/two-factor", &fields).await), (303, "/account/two-factor"));
        }
        assert!(dana.get("/account/two-factor").await.text().contains("Second factor turned off."));
    }

    async fn a_link_for_a_new_password_leads_on_twice_in_the_browser_that_used_it(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        let link = format!("/reset-password/{}", reset_link(app, dana).await.expose());
        let fields = [("new_password", NEW)];
        let (browser, other) = (app.browser(), app.browser());
        browser.get(&link).await;
        other.get(&link).await;
        let changed = (303, "/sign-in?reset=1");
        for _ in 0..2 {
            assert_eq!(led_to(&browser.submit(&link, &fields).await), changed);
        }
        // Whoever else has the link learns nothing, also with the right password.
        for other in [other, app.browser()] {
            assert_eq!(other.submit(&link, &fields).await.status, 410);
        }
        assert_eq!(browser.submit(&link, &[("new_password", "another one for me")]).await.status, 410);
        assert_eq!(browser.get(&link).await.status, 410);
        app.clock.advance(STEP);
        assert_eq!(browser.submit(&link, &fields).await.status, 410);
        assert_eq!(app.browser().sign_in(DANA, NEW).await.status, 303);
    }

    async fn a_link_that_confirms_an_address_leads_on_twice(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        for (number, path) in [(1, "/account"), (2, "/sign-in?confirmed=1")] {
            let address = format!("dana{number}@northwind.example");
            let fields = [("change", "email"), ("email", &*address), ("current_password", PASSWORD)];
            assert_eq!(dana.submit("/account/profile", &fields).await.status, 303);
            let link = mailing.smtp.mail_to(&address).await.link("confirm-email");
            let browser = if path == "/account" { dana.as_it_is() } else { mailing.browser() };
            browser.get(&link).await;
            for _ in 0..2 {
                assert_eq!(led_to(&browser.submit(&link, &[]).await), (303, path));
            }
            let other = mailing.browser();
            other.get(&link).await;
            assert_eq!(other.submit(&link, &[]).await.status, 410);
        }
        mailing.stop().await;
    }

    async fn a_link_to_sign_up_creates_one_account_and_leads_to_it_twice(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        mailing.browser().submit("/sign-up", &[("email", "new@example.com")]).await;
        let link = mailing.smtp.mail_to("new@example.com").await.link("sign-up");
        let (browser, other) = (mailing.browser(), mailing.browser());
        browser.get(&link).await;
        other.get(&link).await;
        let fields = [("name", "New"), ("org_name", "Fabrikam"), ("password", PASSWORD)];
        let before = browser.as_it_is();
        for browser in [&browser, &before] {
            assert_eq!(led_to(&browser.submit(&link, &fields).await), (303, "/orgs/fabrikam/keys"));
            assert_eq!(browser.get("/orgs/fabrikam/keys").await.status, 200);
        }
        assert_eq!(other.submit(&link, &fields).await.status, 410);
        assert_eq!(other.session_cookie(), None);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs WHERE slug LIKE 'fabrikam%'").await, 1);
        mailing.stop().await;
    }

    async fn an_invitation_that_is_accepted_twice_with_a_code_leads_to_the_session(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (_, recovery_codes) = turn_on_in(app, &dana).await;
        let eve = app.signed_in(&other, "eve", Role::Owner).await;
        let link = invite(&eve, DANA).await;
        let browser = app.browser();
        let half = browser.submit(&link, &[("name", "Dana"), ("password", PASSWORD)]).await.hidden("half");
        let fields = [("half", &*half), ("recovery_code", &*recovery_codes[0])];
        let before = browser.as_it_is();
        for browser in [browser, before] {
            assert_eq!(led_to(&browser.submit(&link, &fields).await), (303, "/orgs/contoso/keys"));
            assert_eq!(browser.get("/orgs/contoso/keys").await.status, 200);
        }
    }

    async fn only_the_end_of_its_own_session_removes_a_session_cookie(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let old = with_session_of(app, &dana);
        dana.sign_in(DANA, PASSWORD).await;
        for path in ["/", "/sign-in", "/account", "/orgs/northwind/keys", "/orgs/northwind/usage/live", "/no/such/page"] {
            assert!(!touches_session(&old.get(path).await), "{path}");
        }
        let change = [("change", "create"), ("name", "Site")];
        assert!(!touches_session(&old.submit("/orgs/northwind/projects", &change).await));
        assert!(!touches_session(&old.submit("/sign-out", &[]).await));
        assert!(!touches_session(&old.call("/api/find", &[("org", "northwind"), ("text", "x")]).await));
        assert!(touches_session(&dana.submit("/sign-out", &[]).await));
        assert_eq!(dana.session_cookie(), None);
    }

    async fn who_takes_a_right_from_themself_twice_is_led_to_the_same_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, ari) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "ari", Role::Owner).await);
        let id = app.database.texts("SELECT id FROM users WHERE name = 'dana'").await.remove(0);
        app.database.execute("UPDATE users SET operator_since = 0").await;
        let unmark = [("change", "unmark"), ("person", &*id), ("password", PASSWORD)];
        let demote = [("change", "role"), ("member", &*id), ("role", "member")];
        for (path, fields, page) in [
            ("/instance/people", &unmark, "/account"),
            ("/orgs/northwind/members", &demote, "/orgs/northwind/members"),
        ] {
            let (one, other) = tokio::join!(dana.submit(path, fields), dana.submit(path, fields));
            for answer in [one, other, dana.submit(path, fields).await] {
                assert_eq!(led_to(&answer), (303, page));
            }
        }
        // Another role, another member, and whoever did not do it.
        for (member, role) in [(&*id, "admin"), ("usr_00000000000000000000000000000000", "member")] {
            let fields = [("change", "role"), ("member", member), ("role", role)];
            assert_eq!(dana.submit("/orgs/northwind/members", &fields).await.status, 403, "{member} {role}");
        }
        let mark = [("change", "mark"), ("person", &*id), ("password", PASSWORD)];
        assert_eq!(dana.submit("/instance/people", &mark).await.status, 404);
        let kim = app.signed_in(&org, "kim", Role::Member).await;
        assert_eq!(kim.submit("/orgs/northwind/members", &demote).await.status, 403);
        assert_eq!(kim.submit("/instance/people", &unmark).await.status, 404);
        app.clock.advance(600 * SECOND);
        assert_eq!(dana.submit("/orgs/northwind/members", &demote).await.status, 403);
        assert_eq!(dana.submit("/instance/people", &unmark).await.status, 404);
        drop(ari);
    }

    async fn a_session_that_is_ended_twice_has_ended(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        app.browser().sign_in(DANA, PASSWORD).await;
        let page = dana.get("/account/sessions").await;
        let (session, eve) = (page.hidden("session"), app.signed_in(&org, "eve", Role::Owner).await);
        for _ in 0..2 {
            assert_eq!(led_to(&dana.submit("/account/sessions", &[("change", "end"), ("session", &session)]).await), (303, "/account/sessions"));
        }
        assert_eq!(eve.submit("/account/sessions", &[("change", "end"), ("session", &session)]).await.status, 404);
    }
}

/// A link for a new password, as the operator creates it.
async fn reset_link(app: &TestApp, user: UserId) -> AccountToken {
    let operator = Operator::at_the_command_line();
    let link = reset::create_link(&app.engine, &operator, user).await;
    link.unwrap().unwrap()
}
