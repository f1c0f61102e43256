//! Every form of the pages with one field that is rejected: the page shows all that was entered again, without passwords and
//! codes.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use axum::http::Method;
use latchkey::{
    access::Operator,
    accounts::{SignUpPolicy, reset},
    role::Role,
    usage::flush::flush,
};

use crate::test_app::{
    Browser, TestApp,
    fields::has_field,
    org::{PASSWORD, agent, widget_key},
};

const DANA: &str = "dana@northwind.example";
/// Never shown again.
const SECRETS: [&str; 5] = [
    "password",
    "current_password",
    "new_password",
    "recovery_code",
    "secret",
];

type Fields<'a> = &'a [(&'a str, &'a str)];

#[derive(Default)]
struct Forms {
    routes: Mutex<BTreeSet<String>>,
    wrong: Mutex<Vec<String>>,
}

impl Forms {
    /// Submits the form of a route, whose parameter has this value, and looks for what was entered.
    async fn again(&self, browser: &Browser, route: &str, value: &str, fields: Fields<'_>) {
        let path = route.replace("{org}", "northwind");
        let path = match path.split_once('{') {
            Some((before, after)) => format!("{before}{value}{}", after.split_once('}').unwrap().1),
            None => path,
        };
        let answer = browser.submit(&path, fields).await;
        let mut wrong = Vec::new();
        // The question about selected keys is asked again, with its error.
        let is_asked = answer.status == 200 && answer.body.contains("aria-invalid=\"true\"");
        if answer.status != 422 && !is_asked {
            wrong.push(format!("{}", answer.status));
        }
        for (name, value) in fields {
            let is_shown = has_field(&answer.body, name, value);
            if is_shown == SECRETS.contains(name) && !value.is_empty() {
                wrong.push(format!("{name}={value:?}"));
            }
        }
        if fields.iter().any(|(name, value)| {
            SECRETS.contains(name) && value.len() > 5 && answer.body.contains(value)
        }) {
            wrong.push("a secret is shown".to_owned());
        }
        let (mut routes, mut all) = (
            self.routes.lock().unwrap_or_else(PoisonError::into_inner),
            self.wrong.lock().unwrap_or_else(PoisonError::into_inner),
        );
        routes.insert(route.to_owned());
        if !wrong.is_empty() {
            all.push(format!("{path}: {}", wrong.join(", ")));
        }
    }

    /// The routes of forms that were not submitted.
    fn missing(&self) -> Vec<String> {
        /// What these have are buttons, one choice, or a secret that leads to another page.
        const NOTHING_TO_TYPE: [&str; 5] = [
            "/account/sessions",
            "/sign-out",
            "/confirm-email/{link}",
            "/orgs/{org}/keys/{key}/rotate",
            "/orgs/{org}/keys/find",
        ];
        let done = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let posts = latchkey_server::routes()
            .into_iter()
            .filter(|(method, path)| method == Method::POST && !path.starts_with("/v1/"));
        posts
            .map(|(_, path)| path)
            .filter(|path| !done.contains(path) && !NOTHING_TO_TYPE.contains(&path.as_str()))
            .collect()
    }
}

on_both! {
    async fn a_rejected_form_shows_all_that_was_entered(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        let dana = mailing.signed_in(DANA, PASSWORD).await;
        app.database.execute("UPDATE users SET operator_since = 0").await;
        let ari = org.person("ari", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await.to_string();
        let forms = Forms::default();
        dana.submit("/orgs/northwind/projects", &[("change", "create"), ("name", "Site")]).await;
        let project = app.database.texts("SELECT id FROM projects WHERE name = 'Site'").await.remove(0);
        let long = "x".repeat(101);

        // Keys, and requests for them.
        let settings = [
            ("name", "A \"name\" & <more>"), ("external_id", "customer 7"), ("project", &*project), ("ip_ranges", "192.0.2.0/24\n2001:db8::/32"),
            ("access", "chosen"), ("scopes", "bots:read"), ("scopes", "bots:write"), ("expires", "date"), ("expires_on", "2027-03-31"), ("notes", "Two\nlines"), ("metadata", "{\"team\": "),
        ];
        let widget = [&settings[..], &[("kind", "widget"), ("environment", "test"), ("domains", "shop.example\n*.docs.example"), ("localhost", "forbid")]].concat();
        forms.again(&dana, "/orgs/{org}/keys/new", "", &widget).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().id.to_string();
        let edit = "/orgs/{org}/keys/{key}/edit";
        let base = dana.get(&format!("/orgs/northwind/keys/{key}/edit")).await.hidden("base");
        forms.again(&dana, edit, &key, &[&settings[..], &[("base", &*base)]].concat()).await;
        forms.again(&dana, "/orgs/{org}/keys/{key}", &key, &[("add", "co.uk")]).await;
        let used = org.key("Used").await;
        app.verify(&used.plain).await;
        flush(&app.engine).await.unwrap();
        let used = used.id.to_string();
        forms.again(&dana, "/orgs/{org}/keys/{key}", &used, &[("change", "revoke"), ("reason", "superseded"), ("confirm", "Another")]).await;
        let bulk = [("keys", &*key), ("keys", &*used), ("change", "revoke"), ("reason", "superseded"), ("confirm", "7"), ("answered", "yes")];
        forms.again(&dana, "/orgs/{org}/keys", "", &bulk).await;
        forms.again(&dana, "/orgs/{org}/keys/import", "", &[("format", "json"), ("text", "[{\"name\": \"<Old>\"}")]).await;
        // Who asks for a key chooses no project.
        let mut request = [&widget[..], &[("purpose", "Reports & <graphs>")]].concat();
        request.retain(|(name, _)| *name != "project");
        org.person("max", Role::Admin).await;
        let max = mailing.signed_in("max@northwind.example", PASSWORD).await;
        let wanted = [("name", "Reports"), ("purpose", "Reports"), ("kind", "secret"), ("environment", "live"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "90")];
        forms.again(&max, "/orgs/{org}/requests/new", "", &request).await;
        let asked = max.submit("/orgs/northwind/requests/new", &wanted).await;
        let asked = asked.header("location").rsplit('/').next().unwrap().to_owned();
        let page = format!("/orgs/northwind/requests/{asked}");
        let base = dana.get(&format!("{page}/edit")).await.hidden("base");
        forms.again(&dana, "/orgs/{org}/requests/{request}/edit", &asked, &[&settings[..], &[("kind", "secret"), ("environment", "test"), ("base", &*base)]].concat()).await;
        let comment = "No & <no> ".repeat(250);
        let comment = comment.trim();
        forms.again(&dana, "/orgs/{org}/requests/{request}", &asked, &[("change", "decline"), ("comment", comment)]).await;

        // Reviews.
        let comment = comment[..1_100].trim();
        let reviewed = org.key("Reviewed").await.id.to_string();
        let review = [("key", &*reviewed), ("verdict", "keep"), ("comment", comment), ("days", "90"), ("seen", "full_access no_expiry")];
        forms.again(&dana, "/orgs/{org}/review", "", &review).await;
        let ask = [("key", &*reviewed), ("verdict", "rotate"), ("comment", "Old"), ("seen", "full_access no_expiry")];
        assert_eq!(dana.submit("/orgs/northwind/review", &ask).await.status, 303);
        let of_owners = app.database.texts("SELECT id FROM reviews WHERE verdict = 'rotate'").await.remove(0);
        forms.again(&dana, "/orgs/{org}/review/asked", "", &[("review", &of_owners), ("answer", comment)]).await;

        // Agents, projects, tokens and settings.
        let helper = [("name", "Helper & <more>"), ("project", &*project), ("domains", "docs.example\nco.uk")];
        forms.again(&dana, "/orgs/{org}/agents/new", "", &helper).await;
        let other = latchkey::agents::create::create(&app.engine, &org.permit(), &agent("Other", &["shop.example"])).await.unwrap();
        forms.again(&dana, "/orgs/{org}/agents/{agent}", &other.public_id.to_string(), &helper).await;
        forms.again(&dana, "/orgs/{org}/projects", "", &[("change", "create"), ("name", &long)]).await;
        let base = dana.get(&format!("/orgs/northwind/projects?rename={project}")).await.hidden("base");
        forms.again(&dana, "/orgs/{org}/projects", "", &[("change", "rename"), ("project", &project), ("name", &long), ("base", &base)]).await;
        for route in ["/orgs/{org}/tokens", "/instance/tokens"] {
            let new = [("change", "create"), ("name", "Servers & <more>"), ("scope", "manage"), ("expires", "90"), ("password", "wrong password")];
            forms.again(&dana, route, "", &new).await;
        }
        let base = dana.get("/orgs/northwind/settings").await.hidden("base");
        forms.again(&dana, "/orgs/{org}/settings", "", &[("name", &long), ("secrets_in_browsers", "allow"), ("base", &base)]).await;
        let security = [("second_factor", "optional"), ("admins", "manage_keys"), ("password", "wrong password")];
        forms.again(&dana, "/orgs/{org}/settings/security", "", &security).await;
        let alerts = [("by", "page"), ("factor", "7"), ("min_requests", "many"), ("min_rejected", "77"), ("reminders", "admins")];
        forms.again(&dana, "/orgs/{org}/settings/alerts", "", &alerts).await;
        let base = dana.get("/orgs/northwind/settings/policies").await.hidden("base");
        let policies = [("base", &*base), ("rotation_days", "30"), ("longest_life_days", "many"), ("scopes", "required"), ("ip_ranges", "required"), ("localhost", "forbid")];
        forms.again(&dana, "/orgs/{org}/settings/policies", "", &policies).await;
        forms.again(&dana, "/orgs/{org}/delete", "", &[("name", "Another & <more>"), ("password", PASSWORD)]).await;
        forms.again(&dana, "/orgs/new", "", &[("name", &long)]).await;
        forms.again(&dana, "/instance/organizations/{org_id}", &org.org.id.to_string(), &[("name", "Another"), ("password", PASSWORD)]).await;

        // People.
        let members = "/orgs/{org}/members";
        forms.again(&dana, members, "", &[("change", "role"), ("member", &kim), ("role", "owner"), ("password", "wrong password")]).await;
        forms.again(&dana, members, "", &[("change", "invite"), ("email", "no address"), ("role", "admin")]).await;
        forms.again(&dana, members, "", &[("change", "invite"), ("email", "new@example.com"), ("role", "owner"), ("password", "wrong password")]).await;
        forms.again(&dana, "/instance/people", "", &[("change", "mark"), ("person", &kim), ("password", "wrong password")]).await;
        let profile = "/account/profile";
        forms.again(&dana, profile, "", &[("change", "name"), ("name", &"x".repeat(101))]).await;
        forms.again(&dana, profile, "", &[("change", "email"), ("email", "d@example.com"), ("current_password", "wrong password")]).await;
        forms.again(&dana, "/account", "", &[("current_password", "wrong password"), ("new_password", "a new one for dana")]).await;
        forms.again(&dana, "/account/two-factor", "", &[("change", "begin"), ("password", "wrong password"), ("next", "/orgs/northwind/keys")]).await;
        forms.again(&dana, "/account/delete", "", &[("password", "wrong password")]).await;
        dana.submit("/orgs/northwind/members", &[("change", "invite"), ("email", "eve@example.com"), ("role", "member")]).await;
        let link = mailing.smtp.mail_to("eve@example.com").await.link("invitations");
        let stranger = mailing.browser();
        stranger.get(&link).await;
        forms.again(&stranger, "/invitations/{token}", link.rsplit('/').next().unwrap(), &[("name", "Eve & <more>"), ("password", "short")]).await;
        forms.again(&stranger, "/sign-in", "", &[("email", DANA), ("password", "wrong password"), ("next", "/orgs/northwind/keys")]).await;
        forms.again(&stranger, "/forgot-password", "", &[("email", "no address")]).await;
        forms.again(&stranger, "/sign-up", "", &[("email", "no address")]).await;
        stranger.submit("/sign-up", &[("email", "fay@example.com")]).await;
        let link = mailing.smtp.mail_to("fay@example.com").await.link("sign-up");
        stranger.get(&link).await;
        let fields = [("name", "Fay & <more>"), ("org_name", "Fabrikam & <more>"), ("password", "short")];
        forms.again(&stranger, "/sign-up/{link}", link.rsplit('/').next().unwrap(), &fields).await;
        let token = reset::create_link(&app.engine, &Operator::at_the_command_line(), ari).await.unwrap().unwrap();
        stranger.get(&format!("/reset-password/{}", token.expose())).await;
        forms.again(&stranger, "/reset-password/{link}", token.expose(), &[("new_password", "short")]).await;

        let wrong = forms.wrong.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        assert_eq!(wrong, "");
        assert_eq!(forms.missing(), [""; 0]);
        mailing.stop().await;
    }

    async fn the_form_of_the_first_account_shows_all_that_was_entered(app: &TestApp) {
        let (browser, code, forms) = (app.browser(), app.setup_code(), Forms::default());
        browser.get(&format!("/sign-up?code={code}")).await;
        let fields = [("name", "Ann & <more>"), ("email", "ann@example.com"), ("org_name", "Contoso & <more>"), ("password", "short")];
        forms.again(&browser, "/sign-up", "", &[&fields[..], &[("code", &code)]].concat()).await;
        let wrong = forms.wrong.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        assert_eq!(wrong, "");
    }
}
