//! Every form marks each field that is wrong, not only the first: with `aria-invalid`, with the error at the field, which
//! `aria-describedby` names, and with a link to it above the form.

use std::collections::BTreeSet;

use axum::http::Method;
use latchkey::{accounts::SignUpPolicy, role::Role, usage::flush::flush};

use crate::test_app::{
    Browser, HttpAnswer, TestApp,
    authenticator::turn_on_in,
    org::{PASSWORD, agent, widget_key},
};

/// Routes whose forms have no field that can be wrong, or one that is a plain field, as in the forms below.
const ELSEWHERE: [&str; 10] = [
    "/sign-out",
    "/account/sessions",
    "/confirm-email/{link}",
    "/reset-password/{link}",
    "/sign-up/{link}",
    "/invitations/{token}",
    "/orgs/{org}/keys",
    // Their comments are shown with an error of the whole form.
    "/orgs/{org}/review",
    "/orgs/{org}/review/asked",
    "/instance/people",
];

/// The fields that a page marks as wrong.
fn marked(answer: &HttpAnswer) -> Vec<String> {
    let html = &answer.body;
    assert_eq!(super::sentences::misplaced(html), [""; 0]);
    let attribute = |tag: &str, name: &str| {
        let (_, after) = tag.split_once(&format!(" {name}=\""))?;
        Some(after.split_once('"')?.0.to_owned())
    };
    let tags: Vec<&str> = html
        .split('<')
        .map(|tag| tag.split('>').next().unwrap())
        .collect();
    let ids: BTreeSet<String> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
    let fields: BTreeSet<String> = ids
        .iter()
        .filter_map(|id| id.strip_suffix("-error"))
        .map(str::to_owned)
        .collect();
    for field in &fields {
        assert!(ids.contains(field), "no link can lead to {field}: {html}");
        assert!(
            html.contains(&format!("href=\"#{field}\"")),
            "nothing leads to {field}: {html}"
        );
        let error = format!("{field}-error");
        let mut invalid = tags
            .iter()
            .filter(|tag| tag.contains("aria-invalid=\"true\""));
        let is_described = invalid.any(|tag| {
            attribute(tag, "aria-describedby")
                .is_some_and(|ids| ids.split(' ').any(|id| id == error))
        });
        assert!(is_described, "nothing is invalid with {error}: {html}");
    }
    fields.into_iter().collect()
}

/// The forms that were submitted.
#[derive(Default)]
struct Forms(Vec<String>);

impl Forms {
    /// Submits a form of a route, and compares the fields that it marks.
    async fn check(
        &mut self,
        browser: &Browser,
        route: &str,
        value: &str,
        fields: &[(&str, &str)],
        wrong: &str,
    ) {
        self.0.push(route.to_owned());
        let path = route.replace("{org}", "northwind");
        let path = match path.split_once('{') {
            Some((before, after)) => format!("{before}{value}{}", after.split_once('}').unwrap().1),
            None => path,
        };
        let answer = browser.submit(&path, fields).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.body);
        assert_eq!(marked(&answer).join(" "), wrong, "{path} {fields:?}");
    }
}

on_both! {
    async fn each_field_that_is_wrong_is_marked(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        let dana = mailing.signed_in("dana@northwind.example", PASSWORD).await;
        app.database.execute("UPDATE users SET operator_since = 0").await;
        let kim = org.person("kim", Role::Member).await.to_string();
        let mut forms = Forms::default();

        // Keys.
        let new = "/orgs/{org}/keys/new";
        let blank = [("kind", ""), ("environment", ""), ("name", ""), ("access", "chosen"), ("expires", "")];
        forms.check(&dana, new, "", &blank, "environment expires kind name scopes").await;
        let bad = [("name", ""), ("access", "chosen"), ("expires", "date"), ("expires_on", "soon"), ("ip_ranges", "x"), ("metadata", "x")];
        let widget: Vec<_> = [("kind", "widget"), ("environment", "live"), ("domains", "not a domain")].into_iter().chain(bad).collect();
        forms.check(&dana, new, "", &widget, "domains expires ip_ranges metadata name scopes").await;
        let used = org.key("Used").await;
        app.verify(&used.plain).await;
        flush(&app.engine).await.unwrap();
        let used = used.id.to_string();
        forms.check(&dana, "/orgs/{org}/keys/{key}/edit", &used, &bad, "expires ip_ranges metadata name scopes").await;
        let show = "/orgs/{org}/keys/{key}";
        forms.check(&dana, show, &used, &[("change", "revoke"), ("reason", ""), ("confirm", "")], "confirm reason").await;
        let shop = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap().id.to_string();
        forms.check(&dana, show, &shop, &[("add", "not a domain")], "add").await;
        forms.check(&dana, "/orgs/{org}/keys/{key}/rotate", &used, &[("overlap", "")], "overlap").await;
        forms.check(&dana, "/orgs/{org}/keys/import", "", &[("format", ""), ("text", "")], "format text").await;
        forms.check(&dana, "/orgs/{org}/keys/find", "", &[("secret", "")], "secret").await;

        // Requests for keys.
        let max = app.signed_in(&org, "max", Role::Member).await;
        let asked: Vec<_> = blank.into_iter().chain([("purpose", "")]).collect();
        let wrong = "environment expires kind name purpose scopes";
        forms.check(&max, "/orgs/{org}/requests/new", "", &asked, wrong).await;
        let wanted = [("name", "One"), ("purpose", "Tests"), ("kind", "secret"), ("environment", "live"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "90")];
        let led = max.submit("/orgs/northwind/requests/new", &wanted).await;
        let request = led.header("location").rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
        forms.check(&dana, "/orgs/{org}/requests/{request}/edit", &request, &blank, "environment expires kind name scopes").await;
        forms.check(&dana, "/orgs/{org}/requests/{request}", &request, &[("change", "decline"), ("comment", "")], "comment").await;

        // Agents, projects, tokens and settings.
        let fields = [("name", ""), ("domains", "not a domain")];
        forms.check(&dana, "/orgs/{org}/agents/new", "", &fields, "domains name").await;
        let open = [("name", "Help"), ("domains", ""), ("public_embedding", "on")];
        let helper = latchkey::agents::create::create(&app.engine, &org.permit(), &agent("Helper", &["shop.example"])).await.unwrap();
        let helper = helper.public_id.to_string();
        forms.check(&dana, "/orgs/{org}/agents/{agent}", &helper, &fields, "domains name").await;
        let marks = dana.submit("/orgs/northwind/agents/new", &open).await;
        assert_eq!(marked(&marks).len(), 1, "{}", marks.body);
        forms.check(&dana, "/orgs/{org}/projects", "", &[("change", "create"), ("name", "")], "name").await;
        for route in ["/orgs/{org}/tokens", "/instance/tokens"] {
            let blank = [("change", "create"), ("name", ""), ("scope", ""), ("expires", ""), ("password", "")];
            forms.check(&dana, route, "", &blank, "expires name password scope").await;
            let named = [("change", "create"), ("name", ""), ("scope", "verify"), ("expires", "30"), ("password", "")];
            forms.check(&dana, route, "", &named, "name password").await;
        }
        let settings = "/orgs/{org}/settings";
        forms.check(&dana, settings, "", &[("name", ""), ("secrets_in_browsers", "refuse")], "name").await;
        let security = [("second_factor", ""), ("admins", ""), ("password", "")];
        forms.check(&dana, "/orgs/{org}/settings/security", "", &security, "admins password").await;
        let alerts = [("by", ""), ("factor", "x"), ("min_requests", ""), ("min_rejected", "1"), ("reminders", "x")];
        forms.check(&dana, "/orgs/{org}/settings/alerts", "", &alerts, "factor min_rejected min_requests reminders").await;
        let policies = [("rotation_days", "x"), ("longest_life_days", "0"), ("scopes", ""), ("ip_ranges", ""), ("localhost", "")];
        forms.check(&dana, "/orgs/{org}/settings/policies", "", &policies, "longest_life_days rotation_days").await;
        forms.check(&dana, "/orgs/{org}/delete", "", &[("name", ""), ("password", "")], "name password").await;
        let second = app.org("second").await.org.id.to_string();
        forms.check(&dana, "/instance/organizations/{org_id}", &second, &[("name", ""), ("password", "")], "name password").await;

        // Members and people.
        let members = "/orgs/{org}/members";
        forms.check(&dana, members, "", &[("change", "invite"), ("email", ""), ("role", "")], "email role").await;
        let owner = [("change", "invite"), ("email", "x"), ("role", "owner"), ("password", "")];
        forms.check(&dana, members, "", &owner, "email password").await;
        forms.check(&dana, members, "", &[("change", "role"), ("member", &kim), ("role", "")], "role").await;
        let profile = "/account/profile";
        forms.check(&dana, profile, "", &[("change", "email"), ("email", ""), ("current_password", "")], "current_password email").await;
        forms.check(&dana, profile, "", &[("change", "time_zone"), ("time_zone", "Mars")], "time_zone").await;
        forms.check(&dana, "/account", "", &[("current_password", ""), ("new_password", "")], "current_password new_password").await;
        forms.check(&max, "/account/delete", "", &[("password", "")], "password").await;
        forms.check(&dana, "/orgs/new", "", &[("name", "")], "name").await;
        turn_on_in(app, &dana).await;
        forms.check(&dana, "/account/two-factor", "", &[("change", "off"), ("password", ""), ("code", "")], "code password").await;

        // Without a session.
        let stranger = mailing.browser();
        forms.check(&stranger, "/sign-in", "", &[("email", ""), ("password", ""), ("next", "")], "email password").await;
        forms.check(&stranger, "/forgot-password", "", &[("email", "")], "email").await;
        forms.check(&stranger, "/sign-up", "", &[("email", "")], "email").await;

        let posts = latchkey_server::routes().into_iter();
        let posts = posts.filter(|(method, path)| method == Method::POST && !path.starts_with("/v1/") && !path.starts_with("/api/"));
        let missing = posts.map(|(_, path)| path).filter(|path| !forms.0.contains(path) && !ELSEWHERE.contains(&&**path));
        assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
        mailing.stop().await;
    }

    async fn the_first_account_is_told_all_that_is_missing(app: &TestApp) {
        let blank = [("name", ""), ("email", ""), ("org_name", ""), ("password", ""), ("code", "")];
        Forms::default().check(&app.browser(), "/sign-up", "", &blank, "code email name org_name password").await;
    }

    async fn a_choice_of_no_scopes_is_invalid_for_assistive_technology(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let none = [("kind", "secret"), ("environment", "live"), ("name", "One"), ("access", "chosen"), ("expires", "90")];
        let page = owner.submit("/orgs/northwind/keys/new", &none).await.body;
        let group = page.split_once("id=\"scopes\"").unwrap().1.split_once("</fieldset>").unwrap().0;
        let of = |part: &str| {
            let tags = group.split('<').filter(|tag| tag.contains(part));
            let is_marked = |tag: &str| tag.contains("aria-invalid=\"true\"") && tag.contains("aria-describedby=\"scopes-error\"");
            tags.map(|tag| is_marked(tag.split('>').next().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(of("role=\"radiogroup\""), [true], "{group}");
        let boxes = of("type=\"checkbox\"");
        assert!(!boxes.is_empty() && boxes.iter().all(|is_marked| *is_marked), "{group}");
    }
}
