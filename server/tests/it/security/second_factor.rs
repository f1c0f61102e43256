//! The second factor over HTTP: what a password alone opens, and what an organization requires.

use latchkey::{
    role::{AdminRights, Role},
    time::SECOND,
};

use crate::{
    denials::{furnish, table},
    test_app::{
        Browser, Database, HttpAnswer, TestApp,
        authenticator::{Authenticator, turn_on, turn_on_in},
        org::PASSWORD,
    },
};

const DANA: &str = "dana@northwind.example";
const STEP: i64 = 30 * SECOND;

on_both! {
    async fn a_password_alone_opens_nothing_and_the_code_leads_on(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (authenticator, _) = turn_on_in(app, &dana).await;
        app.clock.advance(STEP);
        let browser = app.browser();
        let next = "/orgs/northwind/audit?event=key.created";
        let half = browser.submit("/sign-in", &[("email", DANA), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((half.status.as_u16(), half.header("cache-control")), (200, "no-store"));
        assert!(half.body.contains("autocomplete=\"one-time-code\"") && half.body.contains("inputmode=\"numeric\""), "{}", half.body);
        assert_eq!(browser.session_cookie(), None);
        let cookies = half.set_cookies();
        assert!(cookies.len() == 1 && cookies[0].starts_with("latchkey-form-3000="), "{cookies:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 1, "that of the other browser");
        furnish(app, &org).await;
        for entry in table::entries() {
            let signed_out = matches!(entry.access, table::Access::SignedIn | table::Access::To(_));
            if signed_out {
                let answer = entry.send(&browser, "northwind", "key_00000000000000000000000000000000").await;
                let is_denied = answer.status == 401 || answer.header("location").starts_with("/sign-in");
                assert!(is_denied, "{entry}: {}", answer.status);
            }
        }
        let fields = |code: &str| vec![
            ("half", half.hidden("half")), ("next", half.hidden("next")), ("code", code.to_owned()),
        ];
        let wrong = send(&browser, "/sign-in", &fields("000000")).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text().contains("This code is incorrect or was already used."), "{}", wrong.text());
        assert_eq!((wrong.hidden("next"), browser.session_cookie()), (half.hidden("next"), None));
        let empty = send(&browser, "/sign-in", &fields("")).await;
        assert!(empty.text().contains("Enter the 6 digits that your authenticator app shows."), "{}", empty.text());
        let right = send(&browser, "/sign-in", &fields(&authenticator.code(app.clock.now()))).await;
        assert_eq!((right.status.as_u16(), right.header("location")), (303, next));
        assert_eq!(browser.get(next).await.status, 200);
        let replayed = send(&app.browser(), "/sign-in", &fields(&authenticator.code(app.clock.now()))).await;
        assert_eq!(replayed.status, 422);
    }

    async fn who_turns_it_on_while_a_sign_in_waits_is_asked_for_a_code_there(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let dana = org.person("dana", Role::Owner).await;
        let eve = app.signed_in(&other, "eve", Role::Owner).await;
        let link = invite(&eve, DANA).await;
        // Stands for a second factor that is turned on between the check of the password and the start of the session.
        let factor = "INSERT INTO second_factors (user_id, secret, pepper_version, last_step, created_at) VALUES (NEW.id, ";
        let drop = match app.database {
            Database::Sqlite { .. } => {
                let turn_on = format!("CREATE TRIGGER late AFTER UPDATE OF last_seen_at ON users BEGIN {factor} X'00', 1, 0, 0); END");
                app.database.execute(&turn_on).await;
                "DROP TRIGGER late"
            }
            Database::Postgres { .. } => {
                let turn_on = format!("CREATE FUNCTION turn_on() RETURNS TRIGGER LANGUAGE plpgsql AS $$BEGIN {factor} '\\x00', 1, 0, 0); RETURN NULL; END$$");
                app.database.execute(&turn_on).await;
                app.database.execute("CREATE TRIGGER late AFTER UPDATE OF last_seen_at ON users FOR EACH ROW EXECUTE FUNCTION turn_on()").await;
                "DROP TRIGGER late ON users"
            }
        };
        let (browser, invited) = (app.browser(), app.browser());
        let half = browser.submit("/sign-in", &[("email", DANA), ("password", PASSWORD), ("next", "/account")]).await;
        assert_eq!((half.status.as_u16(), browser.session_cookie(), &*half.hidden("next")), (200, None, "/account"), "{}", half.text());
        // Who has joined signs in with a code.
        let joined = invited.submit(&link, &[("name", "Dana"), ("password", PASSWORD)]).await;
        assert_eq!((joined.status.as_u16(), joined.header("location"), invited.session_cookie()), (303, "/orgs/contoso/keys", None));
        assert!(invited.get("/orgs/contoso/keys").await.header("location").starts_with("/sign-in?next="));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 1, "eve's");
        app.database.execute(drop).await;
        let (authenticator, _) = turn_on(app, dana).await;
        app.clock.advance(STEP);
        let code = authenticator.code(app.clock.now());
        let right = browser.submit("/sign-in", &[("half", &half.hidden("half")), ("next", "/account"), ("code", &code)]).await;
        assert_eq!((right.status.as_u16(), right.header("location")), (303, "/account"), "{}", right.text());
        assert_eq!(browser.get("/account").await.status, 200);
    }

    async fn an_expired_first_step_asks_for_the_password_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (authenticator, _) = turn_on_in(app, &dana).await;
        let browser = app.browser();
        let half = browser.sign_in(DANA, PASSWORD).await.hidden("half");
        app.clock.advance(600 * SECOND);
        let code = authenticator.code(app.clock.now());
        let late = browser.submit("/sign-in", &[("half", &half), ("next", "/account"), ("code", &code)]).await;
        assert_eq!(late.status, 422);
        assert!(late.text().contains("Enter your password again.") && late.body.contains("name=\"password\""), "{}", late.text());
        assert_eq!(late.hidden("next"), "/account");
    }

    async fn an_invitation_is_no_way_around_it(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (_, recovery_codes) = turn_on_in(app, &dana).await;
        let eve = app.signed_in(&other, "eve", Role::Owner).await;
        let link = invite(&eve, DANA).await;
        let browser = app.browser();
        let joining = browser.submit(&link, &[("name", "Dana"), ("password", PASSWORD)]).await;
        assert_eq!((joining.status.as_u16(), browser.session_cookie()), (200, None));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM memberships").await, 2);
        let half = joining.hidden("half");
        let wrong = browser.submit(&link, &[("half", &half), ("code", "000000")]).await;
        assert_eq!((wrong.status.as_u16(), browser.session_cookie()), (422, None));
        let used = [("half", &*half), ("recovery_code", &*recovery_codes[0])];
        let joined = browser.submit(&link, &used).await;
        assert_eq!((joined.status.as_u16(), joined.header("location")), (303, "/orgs/contoso/keys"));
        assert_eq!(browser.get("/orgs/contoso/keys").await.status, 200);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM memberships").await, 3);
        // The same submit again leads where it led, with or without the session of the first answer, and signs nobody in.
        let again = app.browser();
        for (browser, session) in [(&browser, true), (&again, false)] {
            let repeated = browser.submit(&link, &used).await;
            assert_eq!((repeated.status.as_u16(), repeated.header("location")), (303, "/orgs/contoso/keys"));
            assert_eq!(browser.session_cookie().is_some(), session);
        }
        let forged = [("half", "x"), ("recovery_code", &*recovery_codes[0])];
        assert_eq!(app.browser().submit(&link, &forged).await.status, 410);
        let stranger = app.signed_in(&other, "mallory", Role::Member).await;
        assert_eq!(stranger.submit(&link, &used).await.status, 410, "signed in as someone else");
    }

    async fn codes_are_shown_once_and_a_repeat_shows_the_same(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let (authenticator, recovery_codes) = turn_on_in(app, &dana).await;
        let without = dana.submit("/account/two-factor", &[("change", "codes"), ("password", PASSWORD)]).await;
        assert_eq!(without.status, 422);
        assert!(without.text().contains("Enter the 6 digits that your authenticator app shows."), "{}", without.text());
        let fields = [("change", "codes"), ("password", PASSWORD), ("recovery_code", &*recovery_codes[0])];
        let shown = |page: &HttpAnswer| page.body.split_once("class=\"lines\">").map(|(_, codes)| codes[..19].to_owned());
        let first = shown(&dana.submit("/account/two-factor", &fields).await);
        assert!(first.is_some());
        assert_eq!(shown(&dana.submit("/account/two-factor", &fields).await), first);
        app.clock.advance(30 * SECOND);
        let late = dana.submit("/account/two-factor", &fields).await;
        assert_eq!((late.status.as_u16(), shown(&late)), (422, None), "the code was used");
        let code = authenticator.code(app.clock.now());
        let fields = [("change", "codes"), ("password", PASSWORD), ("code", &*code)];
        let second = shown(&dana.submit("/account/two-factor", &fields).await);
        assert!(second.is_some() && second != first);
        assert_eq!(shown(&dana.get("/account/two-factor").await), None);
        let wrong = dana.submit("/account/two-factor", &[("change", "codes"), ("password", "wrong"), ("code", "000000")]).await;
        assert_eq!((wrong.status.as_u16(), shown(&wrong)), (422, None));
    }

    async fn a_new_password_gives_a_session_no_new_attempts_for_codes(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        turn_on_in(app, &dana).await;
        let guess = async |password: &str| {
            let off = [("change", "off"), ("password", password), ("code", "000000")];
            dana.submit("/account/two-factor", &off).await.status.as_u16()
        };
        for _ in 0..10 {
            assert_eq!(guess(PASSWORD).await, 422);
        }
        let mut password = PASSWORD;
        for new in ["granite teapot sings", "a teapot of granite"] {
            let changed = dana.submit("/account", &[("current_password", password), ("new_password", new)]).await;
            assert_eq!(changed.status, 303);
            assert_eq!(guess(new).await, 429, "{new}");
            password = new;
        }
    }

    async fn an_organization_that_requires_it_shows_nothing_without(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let key = org.key("Production").await.id.to_string();
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "kim", Role::Admin).await;
        let kim = app.database.texts("SELECT id FROM users WHERE name = 'kim'").await.remove(0);
        app.database.execute(&format!(
            "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{}', '{kim}', 'member', 0)", other.org.id
        )).await;
        let require = [("second_factor", "require"), ("admins", "review"), ("password", PASSWORD)];
        let page = "/orgs/northwind/settings/security";
        let without = owner.submit(page, &require).await;
        assert!(without.text().contains("Set up a second factor for your own account first."), "{}", without.text());
        turn_on_in(app, &owner).await;
        let wrong = owner.submit(page, &[("second_factor", "require"), ("admins", "review"), ("password", "wrong")]).await;
        assert_eq!(wrong.status, 422);
        assert_eq!(member.get("/orgs/northwind/keys").await.status, 200);
        assert_eq!(owner.submit(page, &require).await.status, 303);
        assert_eq!(owner.get("/orgs/northwind/keys").await.status, 200);
        let elsewhere = app.another_engine(|_| {}).await;
        let on_another = app.browser_on(&elsewhere);
        on_another.sign_in("kim@northwind.example", PASSWORD).await;
        for browser in [&member, &on_another] {
            for entry in table::entries().into_iter().filter(table::Entry::is_of_an_org) {
                if entry.fields.contains("leave") {
                    continue;
                }
                let answer = entry.send(browser, "northwind", &key).await;
                if entry.is_page() {
                    assert_eq!(answer.status, 303, "{entry}");
                    // Nobody wants to return to a stream.
                    let next = if entry.path.ends_with("/live") { "" } else { "&next=%2Forgs%2Fnorthwind" };
                    assert!(answer.header("location").starts_with(&format!("/account/two-factor?org=northwind{next}")), "{entry}");
                } else {
                    assert_eq!(answer.status, 403, "{entry}");
                    assert!(answer.body.contains("second_factor_needed"), "{entry}: {}", answer.body);
                }
                assert!(!answer.body.contains("Production"), "{entry}: {}", answer.body);
            }
            assert_eq!(browser.get("/orgs/contoso/keys").await.status, 200);
            assert!(browser.get("/account/two-factor").await.text().contains("northwind requires a second factor."));
            assert_eq!(browser.get("/account").await.status, 200);
        }
        let left = member.submit("/account/two-factor", &[("change", "leave"), ("org", "northwind")]).await;
        assert_eq!((left.status.as_u16(), left.header("location")), (303, "/account"));
        assert_eq!(member.get("/orgs/northwind/keys").await.status, 404);
    }

    async fn who_sets_one_up_is_let_in_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let kim = app.signed_in(&org, "kim", Role::Member).await;
        app.database.execute("UPDATE orgs SET second_factor_required = TRUE").await;
        assert_eq!(kim.get("/orgs/northwind/keys").await.status, 303);
        turn_on_in(app, &kim).await;
        assert_eq!(kim.get("/orgs/northwind/keys").await.status, 200);
    }

    async fn setting_one_up_ends_the_sessions_that_showed_no_code(app: &TestApp) {
        let org = app.org("northwind").await;
        let kim = app.signed_in(&org, "kim", Role::Admin).await;
        let thief = app.browser();
        thief.sign_in("kim@northwind.example", PASSWORD).await;
        app.database.execute("UPDATE orgs SET second_factor_required = TRUE").await;
        turn_on_in(app, &kim).await;
        assert_eq!(kim.get("/orgs/northwind/audit").await.status, 200);
        for path in ["/orgs/northwind/audit.csv", "/account"] {
            let refused = thief.get(path).await;
            assert!(refused.header("location").starts_with("/sign-in"), "{path}: {}", refused.status);
        }
        let counts = app.database.texts("SELECT CAST(COUNT(*) AS TEXT) FROM sessions").await;
        assert_eq!(counts, ["1"]);
    }

    async fn setting_one_up_leads_on_to_the_page_that_required_it(app: &TestApp) {
        let org = app.org("northwind").await;
        app.org("contoso").await;
        app.database.execute("UPDATE orgs SET second_factor_required = TRUE").await;
        let page = "/orgs/northwind/keys?status=active";
        let to = app.signed_in(&org, "ben", Role::Member).await.get(page).await.header("location").to_owned();
        for (name, path, next, on) in [
            ("kim", "/account/two-factor", "", "action=\"/orgs/northwind/keys\""),
            ("lee", &to, page, "name=\"status\" value=\"active\""),
            ("sam", "/account/two-factor?next=%2F%2Fevil.example", "//evil.example", "action=\"/orgs/northwind/keys\""),
        ] {
            let kim = app.signed_in(&org, name, Role::Member).await;
            let form = kim.get(path).await.hidden("next");
            assert_eq!(form, next);
            let fields = [("change", "begin"), ("next", &form), ("password", PASSWORD)];
            let set_up = kim.submit("/account/two-factor", &fields).await;
            let authenticator = Authenticator::of(set_up.text().split("Key: <code id=\"key\">").nth(1).unwrap().split('<').next().unwrap());
            let (sealed, form) = (set_up.hidden("set_up"), set_up.hidden("next"));
            let wrong = [("change", "finish"), ("set_up", &sealed), ("next", &form), ("code", "12")];
            let form = kim.submit("/account/two-factor", &wrong).await.hidden("next");
            let code = authenticator.code(app.clock.now());
            let right = [("change", "finish"), ("set_up", &sealed), ("next", &form), ("code", &code)];
            let codes = kim.submit("/account/two-factor", &right).await.text();
            assert!(codes.contains("Continue") && codes.contains(on) && !codes.contains("evil"), "{name}: {codes}");
            app.clock.advance(STEP);
        }
    }

    async fn owners_widen_what_admins_can_do_with_their_password(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id.to_string();
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let elsewhere = app.another_engine(|_| {}).await;
        org.person("kim", Role::Admin).await;
        let admin = app.browser_on(&elsewhere);
        admin.sign_in("kim@northwind.example", PASSWORD).await;
        let page = "/orgs/northwind/settings/security";
        let key_page = format!("/orgs/northwind/keys/{key}");
        for (rights, disables, edits) in [
            (AdminRights::ManageKeys, true, true), (AdminRights::DisableKeys, true, false), (AdminRights::Review, false, false),
        ] {
            let fields = [("second_factor", "optional"), ("admins", rights.as_str())];
            let without = owner.submit(page, &fields).await;
            assert!(without.text().contains("Enter your password."), "{}", without.text());
            let set = owner.submit(page, &[&fields[..], &[("password", PASSWORD)]].concat()).await;
            assert_eq!(set.status, 303, "{}", set.text());
            let shown = admin.get(&key_page).await.body;
            assert_eq!(shown.contains("value=\"disable\""), disables, "{rights}");
            assert_eq!(shown.contains(&format!("{key_page}/edit")), edits, "{rights}");
            assert_eq!(admin.change_key(&key, "disable").await.status == 303, disables, "{rights}");
            assert_eq!(admin.change_key(&key, "enable").await.status == 303, disables, "{rights}");
            assert_eq!(admin.get(&format!("{key_page}/edit")).await.status == 200, edits, "{rights}");
            assert_eq!(admin.get("/orgs/northwind/keys/new").await.status == 200, edits, "{rights}");
            assert_eq!(admin.get("/orgs/northwind/settings").await.status, 403, "{rights}");
        }
        let changes = app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'org.updated' AND changes LIKE '%admin_rights%'").await;
        assert_eq!(changes, 3);
    }

    async fn nobody_is_made_an_owner_without_the_password(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await.to_string();
        let page = "/orgs/northwind/members";
        let role = [("change", "role"), ("member", &*kim), ("role", "owner")];
        let invite = [("change", "invite"), ("email", "new@example.com"), ("role", "owner")];
        for fields in [&role[..], &invite[..]] {
            for (password, said) in [("", "Enter your password."), ("wrong", "The current password is incorrect.")] {
                let refused = owner.submit(page, &[fields, &[("password", password)]].concat()).await;
                assert_eq!(refused.status, 422, "{fields:?}");
                assert!(refused.text().contains(said), "{}", refused.text());
            }
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM memberships WHERE role = 'owner'").await, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 0);
        let with = |fields: &[(&'static str, &str)]| -> Vec<(String, String)> {
            let fields = fields.iter().chain([&("password", PASSWORD)]);
            fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(owned(&owner, page, &with(&invite)).await.status, 200);
        let invitation = app.database.texts("SELECT id FROM invitations").await.remove(0);
        let renew = [("change", "renew"), ("invitation", &*invitation)];
        assert_eq!(owner.submit(page, &renew).await.status, 422, "a new link makes an owner too");
        assert_eq!(owned(&owner, page, &with(&renew)).await.status, 200);
        assert_eq!(owned(&owner, page, &with(&role)).await.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM memberships WHERE role = 'owner'").await, 2);
    }

    async fn sessions_are_listed_and_ended_by_their_user_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let eve = app.signed_in(&org, "eve", Role::Owner).await;
        let elsewhere = app.another_engine(|_| {}).await;
        let phone = app.browser_on(&elsewhere).at_address([198, 51, 100, 7]);
        let request = phone.request(axum::http::Method::POST, "/sign-in").header(
            "user-agent", "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
        );
        phone.send(request, &format!("email={DANA}&password={}&next=", PASSWORD.replace(' ', "+"))).await;
        let page = dana.get("/account/sessions").await;
        let text = page.text();
        assert!(text.contains("Firefox on Android") && text.contains("198.51.100.0/24"), "{text}");
        assert!(text.contains("This session") && text.matches("<tr>").count() == 3, "{text}");
        let id = page.hidden("session");
        for stranger in ["0", &id.replace(|c: char| c != '0', "1")] {
            let unknown = dana.submit("/account/sessions", &[("change", "end"), ("session", stranger)]).await;
            assert_eq!(unknown.status, 404);
        }
        assert!(!eve.get("/account/sessions").await.text().contains("198.51.100.0/24"));
        assert_eq!(eve.submit("/account/sessions", &[("change", "end"), ("session", &id)]).await.status, 404);
        assert_eq!(eve.submit("/account/sessions", &[("change", "end-others")]).await.status, 303);
        assert_eq!(phone.get("/account").await.status, 200);
        // The second submit of a double click finds no session, and leads where the first led.
        for _ in 0..2 {
            let ended = dana.submit("/account/sessions", &[("change", "end"), ("session", &id)]).await;
            assert_eq!((ended.status.as_u16(), ended.header("location")), (303, "/account/sessions"));
        }
        assert_eq!(eve.submit("/account/sessions", &[("change", "end"), ("session", &id)]).await.status, 404, "never hers");
        assert!(phone.get("/account").await.header("location").starts_with("/sign-in"), "at once, on the other instance");
        phone.sign_in(DANA, PASSWORD).await;
        assert_eq!(phone.get("/account").await.status, 200);
        assert_eq!(dana.submit("/account/sessions", &[("change", "end-others")]).await.status, 303);
        assert!(phone.get("/account").await.header("location").starts_with("/sign-in"));
        assert_eq!((dana.get("/account").await.status, eve.get("/account").await.status), (200.try_into().unwrap(), 200.try_into().unwrap()));
    }
}

async fn send(browser: &Browser, path: &str, fields: &[(&str, String)]) -> HttpAnswer {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    browser.submit(path, &fields).await
}

async fn owned(browser: &Browser, path: &str, fields: &[(String, String)]) -> HttpAnswer {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    browser.submit(path, &fields).await
}

/// Invites someone as a member of `contoso`, and returns the path of the link.
pub async fn invite(owner: &Browser, email: &str) -> String {
    let fields = [("change", "invite"), ("email", email), ("role", "member")];
    let page = owner.submit("/orgs/contoso/members", &fields).await.body;
    let start = page.find("/invitations/").unwrap();
    page[start..].split(['<', '"']).next().unwrap().to_owned()
}
