//! Every form of the pages, submitted twice: by a browser that has not received the first response, and by one that has. The
//! second submit leads where the first led, and is no error.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::Method;
use latchkey::{
    access::Operator,
    accounts::{SignUpPolicy, reset},
    id::UserId,
    role::Role,
    time::SECOND,
};

use crate::test_app::{
    Browser, HttpAnswer, TestApp,
    authenticator::turn_on_in,
    org::{PASSWORD, agent, widget_key},
};

const DANA: &str = "dana@northwind.example";
const DIGEST: &str = "a5d6ad5ae0ad7d1e6a4d1aa0d8aa37c5df3a4a4c5ad75d1e6a4d1aa0d8aa37c5";

type Fields<'a> = &'a [(&'a str, &'a str)];

/// The forms that were submitted.
#[derive(Default)]
struct Forms {
    routes: Mutex<BTreeSet<String>>,
    /// What went wrong.
    wrong: Mutex<Vec<String>>,
}

impl Forms {
    /// Submits the form of a route, whose parameter has this value.
    async fn twice(
        &self,
        browser: &Browser,
        route: &str,
        value: &str,
        fields: Fields<'_>,
    ) -> HttpAnswer {
        lock(&self.routes).insert(route.to_owned());
        let path = route.replace("{org}", "northwind");
        let path = match path.split_once('{') {
            Some((before, after)) => format!("{before}{value}{}", after.split_once('}').unwrap().1),
            None => path,
        };
        let before = browser.as_it_is();
        let first = browser.submit(&path, fields).await;
        let led_to =
            |answer: &HttpAnswer| (answer.status.as_u16(), answer.header("location").to_owned());
        let mut led = vec![led_to(&first)];
        for again in [before, browser.as_it_is()] {
            led.push(led_to(&again.submit(&path, fields).await));
        }
        let is_right = [200, 303].contains(&led[0].0) && led.iter().all(|next| *next == led[0]);
        if !is_right {
            lock(&self.wrong).push(format!("{path} {fields:?}: {led:?}"));
        }
        first
    }

    /// The same for a form with a token that the page has.
    async fn twice_with(
        &self,
        browser: &Browser,
        route: &str,
        value: &str,
        token: &str,
        fields: Fields<'_>,
    ) -> HttpAnswer {
        let page = route
            .replace("{org}", "northwind")
            .replace("{key}", value)
            .replace("{agent}", value);
        // Some forms are in a dialog, which the query opens.
        let page = format!("{page}?new=1&invite=1");
        let token_value = browser.get(&page).await.hidden(token);
        let fields: Vec<_> = fields
            .iter()
            .copied()
            .chain([(token, &*token_value)])
            .collect();
        self.twice(browser, route, value, &fields).await
    }

    /// The routes of forms that were not submitted.
    fn missing(&self) -> Vec<String> {
        let posts = latchkey_server::routes()
            .into_iter()
            .filter(|(method, _)| method == Method::POST);
        let forms = posts
            .map(|(_, path)| path)
            .filter(|path| !path.starts_with("/v1/"));
        let done = lock(&self.routes);
        forms.filter(|path| !done.contains(path)).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

on_both! {
    async fn a_second_submit_leads_where_the_first_led(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        app.database.execute("UPDATE users SET operator_since = 0").await;
        let forms = Forms::default();
        let other = org.person("ari", Role::Owner).await.to_string();
        let kim = org.person("kim", Role::Member).await.to_string();

        // Keys.
        let new = [("name", "One"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never")];
        forms.twice_with(&dana, "/orgs/{org}/keys/new", "", "creation_token", &new).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().id.to_string();
        let show = "/orgs/{org}/keys/{key}";
        forms.twice(&dana, show, &key, &[("add", "docs.example")]).await;
        for change in ["disable", "enable", "end-old-secret"] {
            forms.twice(&dana, show, &key, &[("change", change)]).await;
        }
        let another = org.key("Another").await.id.to_string();
        for change in ["disable", "enable"] {
            let fields = [("keys", &*key), ("keys", &*another), ("change", change), ("answered", "yes")];
            forms.twice(&dana, "/orgs/{org}/keys", "", &fields).await;
        }
        forms.twice(&dana, "/orgs/{org}/keys/find", "", &[("secret", "lk_sk_live_unknown")]).await;
        let secret = org.key("Two").await.id.to_string();
        let edit = [("name", "Renamed"), ("access", "full"), ("expires", "keep")];
        forms.twice_with(&dana, "/orgs/{org}/keys/{key}/edit", &secret, "base", &edit).await;
        app.clock.advance(2 * SECOND);
        forms.twice_with(&dana, "/orgs/{org}/keys/{key}/rotate", &key, "rotation_token", &[("overlap", "86400")]).await;
        forms.twice(&dana, show, &key, &[("change", "revoke"), ("reason", "compromised")]).await;
        let file = format!("name,sha256\nOld,{DIGEST}\n");
        forms.twice(&dana, "/orgs/{org}/keys/import", "", &[("format", "csv"), ("text", &file)]).await;
        // The report is in the first answer alone, and the second leads to the keys that were imported.
        let importing = [("format", "csv"), ("text", &*file), ("go", "import")];
        assert_eq!(dana.submit("/orgs/northwind/keys/import", &importing).await.status, 200);
        forms.twice(&dana, "/orgs/{org}/keys/import", "", &importing).await;

        // Agents, projects, tokens and settings.
        forms.twice_with(&dana, "/orgs/{org}/agents/new", "", "creation_token", &[("name", "Helper")]).await;
        let helper = latchkey::agents::create::create(&app.engine, &org.permit(), &agent("Other", &["shop.example"])).await.unwrap();
        let (route, helper) = ("/orgs/{org}/agents/{agent}", helper.public_id.to_string());
        forms.twice_with(&dana, route, &helper, "base", &[("name", "Changed"), ("domains", "shop.example")]).await;
        forms.twice(&dana, route, &helper, &[("change", "delete")]).await;
        let projects = "/orgs/{org}/projects";
        forms.twice_with(&dana, projects, "", "creation_token", &[("change", "create"), ("name", "Site")]).await;
        let project = app.database.texts("SELECT id FROM projects WHERE name = 'Site'").await.remove(0);
        let base = dana.get(&format!("/orgs/northwind/projects?rename={project}")).await.hidden("base");
        let rename = [("change", "rename"), ("project", &*project), ("name", "Docs"), ("base", &*base)];
        forms.twice(&dana, projects, "", &rename).await;
        forms.twice(&dana, projects, "", &[("change", "delete"), ("project", &project)]).await;
        for route in ["/orgs/{org}/tokens", "/instance/tokens"] {
            let new = [("change", "create"), ("name", "Servers"), ("scope", "verify"), ("expires", "30"), ("password", PASSWORD)];
            forms.twice_with(&dana, route, "", "creation_token", &new).await;
            let token = app.database.texts("SELECT id FROM service_tokens WHERE revoked_at IS NULL").await.remove(0);
            forms.twice(&dana, route, "", &[("change", "revoke"), ("token", &token), ("password", PASSWORD)]).await;
        }
        forms.twice_with(&dana, "/orgs/{org}/settings", "", "base", &[("name", "Northwind"), ("secrets_in_browsers", "allow")]).await;
        let security = [("second_factor", "optional"), ("admins", "manage_keys"), ("password", PASSWORD)];
        forms.twice(&dana, "/orgs/{org}/settings/security", "", &security).await;
        let alerts = [("by", "mail"), ("factor", "5"), ("min_requests", "1000"), ("min_rejected", "100")];
        forms.twice(&dana, "/orgs/{org}/settings/alerts", "", &alerts).await;

        let base = dana.get("/orgs/northwind/settings/policies").await.hidden("base");
        let policies = [("base", &*base), ("rotation_days", "30"), ("longest_life_days", ""), ("scopes", "optional"), ("ip_ranges", "optional"), ("localhost", "allow")];
        forms.twice(&dana, "/orgs/{org}/settings/policies", "", &policies).await;

        // Reviews.
        let reviewed = org.key("Reviewed").await.id.to_string();
        let review = "/orgs/{org}/review";
        for verdict in ["keep", "rotate"] {
            let fields = [("key", &*reviewed), ("verdict", verdict), ("comment", "Old"), ("days", "30"), ("seen", "full_access no_expiry")];
            forms.twice_with(&dana, review, "", "token", &fields).await;
        }
        let asked = app.database.texts("SELECT id FROM reviews WHERE verdict = 'rotate'").await.remove(0);
        forms.twice(&dana, "/orgs/{org}/review/asked", "", &[("review", &asked), ("promise", "1"), ("answer", "Next week")]).await;
        forms.twice(&dana, "/orgs/{org}/review/asked", "", &[("review", &asked), ("answer", "A partner needs it")]).await;
        let again = [("key", &*reviewed), ("verdict", "revoke"), ("seen", "full_access no_expiry")];
        assert_eq!(dana.submit("/orgs/northwind/review", &again).await.status, 303);
        let asked = app.database.texts("SELECT id FROM reviews WHERE verdict = 'revoke'").await.remove(0);
        forms.twice(&dana, "/orgs/{org}/review/asked", "", &[("review", &asked), ("withdraw", "1")]).await;

        // Requests for keys.
        org.person("max", Role::Member).await;
        let max = mailing.signed_in("max@northwind.example", PASSWORD).await;
        let wanted = |name| [("name", name), ("purpose", "Reports"), ("kind", "secret"), ("environment", "live"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "90")];
        let mut requests = Vec::new();
        for name in ["Reports", "Letters", "Tests"] {
            let led = forms.twice_with(&max, "/orgs/{org}/requests/new", "", "creation_token", &wanted(name)).await;
            requests.push(led.header("location").rsplit('/').next().unwrap().to_owned());
        }
        let request = "/orgs/{org}/requests/{request}";
        let page = format!("/orgs/northwind/requests/{}", requests[0]);
        let base = dana.get(&format!("{page}/edit")).await.hidden("base");
        let less = [("name", "Reports"), ("kind", "secret"), ("environment", "test"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "30"), ("base", &*base)];
        forms.twice(&dana, "/orgs/{org}/requests/{request}/edit", &requests[0], &less).await;
        let version = dana.get(&page).await.hidden("version");
        forms.twice(&dana, request, &requests[0], &[("change", "approve"), ("version", &version), ("comment", "")]).await;
        forms.twice(&max, request, &requests[0], &[("change", "reveal")]).await;
        let asked = app.database.texts("SELECT key_id FROM key_requests WHERE state = 'created'").await.remove(0);
        let handed = [("overlap", "86400"), ("gets", "member")];
        forms.twice_with(&dana, "/orgs/{org}/keys/{key}/rotate", &asked, "rotation_token", &handed).await;
        forms.twice(&dana, show, &asked, &[("change", "withdraw-secret")]).await;
        forms.twice_with(&dana, "/orgs/{org}/keys/{key}/rotate", &asked, "rotation_token", &handed).await;
        forms.twice(&max, show, &asked, &[("change", "reveal-secret")]).await;
        forms.twice(&dana, request, &requests[1], &[("change", "decline"), ("comment", "Use another")]).await;
        forms.twice(&max, request, &requests[2], &[("change", "withdraw")]).await;

        // Members and invitations.
        let members = "/orgs/{org}/members";
        forms.twice(&dana, members, "", &[("change", "role"), ("member", &kim), ("role", "admin")]).await;
        forms.twice_with(&dana, members, "", "creation_token", &[("change", "invite"), ("email", "new@example.com"), ("role", "member")]).await;
        // An address gets five letters an hour.
        dana.submit("/orgs/northwind/members", &[("change", "invite"), ("email", "kay@example.com"), ("role", "member")]).await;
        let invitation = app.database.texts("SELECT id FROM invitations WHERE email = 'kay@example.com'").await.remove(0);
        forms.twice(&dana, members, "", &[("change", "renew"), ("invitation", &invitation)]).await;
        forms.twice(&dana, members, "", &[("change", "withdraw"), ("invitation", &invitation)]).await;
        forms.twice(&dana, members, "", &[("change", "remove"), ("member", &kim)]).await;
        forms.twice_with(&dana, members, "", "creation_token", &[("change", "invite"), ("email", "eve@example.com"), ("role", "member")]).await;
        let link = mailing.smtp.mail_to("eve@example.com").await.link("invitations");
        let token = link.rsplit('/').next().unwrap();
        let eve = mailing.browser();
        eve.get(&link).await;
        forms.twice(&eve, "/invitations/{token}", token, &[("name", "Eve"), ("password", PASSWORD)]).await;
        forms.twice(&eve, members, "", &[("change", "leave")]).await;

        // People.
        let people = "/instance/people";
        for change in ["mark", "unmark"] {
            forms.twice(&dana, people, "", &[("change", change), ("person", &other), ("password", PASSWORD)]).await;
        }
        let profile = "/account/profile";
        forms.twice(&dana, profile, "", &[("change", "name"), ("name", "Dana D.")]).await;
        forms.twice(&dana, profile, "", &[("change", "time_zone"), ("time_zone", "Europe/Berlin")]).await;
        forms.twice(&dana, profile, "", &[("change", "email"), ("email", "d@example.com"), ("current_password", PASSWORD)]).await;
        forms.twice(&dana, profile, "", &[("change", "cancel")]).await;
        mailing.signed_in(DANA, PASSWORD).await;
        forms.twice(&dana, "/account/sessions", "", &[("change", "end-others")]).await;

        // Without a session.
        let stranger = mailing.browser();
        forms.twice(&stranger, "/sign-in", "", &[("email", DANA), ("password", PASSWORD), ("next", "")]).await;
        forms.twice(&stranger, "/sign-out", "", &[]).await;
        forms.twice(&stranger, "/forgot-password", "", &[("email", DANA)]).await;
        forms.twice(&stranger, "/sign-up", "", &[("email", "fay@example.com")]).await;
        let link = mailing.smtp.mail_to("fay@example.com").await.link("sign-up");
        stranger.get(&link).await;
        let fields = [("name", "Fay"), ("org_name", "Fabrikam"), ("password", PASSWORD)];
        forms.twice(&stranger, "/sign-up/{link}", link.rsplit('/').next().unwrap(), &fields).await;
        let change = [("change", "email"), ("email", "fay@fabrikam.example"), ("current_password", PASSWORD)];
        // Each request ends the link of the one before.
        stranger.submit(profile, &change).await;
        let link = mailing.smtp.mail_to("fay@fabrikam.example").await.link("confirm-email");
        stranger.get(&link).await;
        forms.twice(&stranger, "/confirm-email/{link}", link.rsplit('/').next().unwrap(), &[]).await;
        let ari: UserId = other.parse().unwrap();
        let token = reset::create_link(&app.engine, &Operator::at_the_command_line(), ari).await.unwrap().unwrap();
        let browser = mailing.browser();
        browser.get(&format!("/reset-password/{}", token.expose())).await;
        forms.twice(&browser, "/reset-password/{link}", token.expose(), &[("new_password", "a new one for ari")]).await;

        // What ends something of the user's own comes last.
        let (_, codes) = turn_on_in(app, &dana).await;
        let off = [("change", "off"), ("password", PASSWORD), ("recovery_code", &*codes[0])];
        forms.twice(&dana, "/account/two-factor", "", &off).await;
        forms.twice_with(&dana, "/orgs/new", "", "creation_token", &[("name", "Second")]).await;
        let second = app.database.texts("SELECT id FROM orgs WHERE slug = 'second'").await.remove(0);
        forms.twice(&dana, "/instance/organizations/{org_id}", &second, &[("name", "Second"), ("password", PASSWORD)]).await;
        forms.twice(&dana, "/orgs/{org}/delete", "", &[("name", "Northwind"), ("password", PASSWORD)]).await;
        let changed = "a new one for dana";
        forms.twice(&dana, "/account", "", &[("current_password", PASSWORD), ("new_password", changed)]).await;
        // An instance keeps an operator.
        app.database.execute("UPDATE users SET operator_since = 0 WHERE name = 'ari'").await;
        forms.twice(&dana, "/account/delete", "", &[("password", changed)]).await;

        assert_eq!(lock(&forms.wrong).join("\n"), "");
        assert_eq!(forms.missing(), [""; 0]);
        mailing.stop().await;
    }

    async fn the_first_account_is_created_once(app: &TestApp) {
        let (browser, code, forms) = (app.browser(), app.setup_code(), Forms::default());
        browser.get(&format!("/sign-up?code={code}")).await;
        let fields = [("name", "Ann"), ("email", "ann@example.com"), ("org_name", "Contoso"), ("password", PASSWORD), ("code", &*code)];
        forms.twice(&browser, "/sign-up", "", &fields).await;
        assert_eq!(lock(&forms.wrong).join("\n"), "");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 1);
        assert_eq!(app.browser().submit("/sign-up", &fields).await.status, 422);
    }
}
