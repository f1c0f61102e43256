//! The page on which owners set what their organization requires of its keys.

use latchkey::{
    access::to,
    alerts::settings::{self as alerts, RemindersTo},
    orgs::policies,
    policy::KeyPolicy,
    revision::Known,
    role::Role,
};

use crate::test_app::{TestApp, TestOrg};

const PATH: &str = "/orgs/northwind/settings/policies";

type Field<'a> = (&'a str, &'a str);

fn fields<'a>(base: &'a str, more: &[Field<'a>]) -> Vec<Field<'a>> {
    let sent = [
        ("base", base),
        ("rotation_days", "90"),
        ("longest_life_days", ""),
        ("scopes", "optional"),
        ("ip_ranges", "optional"),
        ("localhost", "allow"),
    ];
    let sent = sent
        .into_iter()
        .filter(|(name, _)| more.iter().all(|(of, _)| of != name));
    sent.chain(more.iter().copied()).collect()
}

async fn stored(app: &TestApp, org: &TestOrg) -> KeyPolicy {
    policies::read::<to::EditOrg>(&app.engine, &org.permit())
        .await
        .unwrap()
}

on_both! {
    async fn admins_read_them_and_change_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let page = admin.get(PATH).await;
        let text = page.text();
        for said in ["Rotation of secrets</dt><dd>Every 90 days", "Longest life of a key</dt><dd>No limit", "Scopes</dt><dd>Optional", "to change the policies."] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!page.body.contains("name=\"rotation_days\"") && !page.body.contains(&format!("action=\"{PATH}\"")), "{text}");
        assert!(admin.get("/orgs/northwind/review").await.body.contains(&format!("href=\"{PATH}\"")));
        let before = stored(app, &org).await;
        assert_eq!(admin.submit(PATH, &fields("", &[("scopes", "required")])).await.status, 403);
        assert_eq!(stored(app, &org).await, before);
        assert_eq!(member.get(PATH).await.status, 403);
    }

    async fn an_owner_sets_them_and_sees_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        assert!(owner.get("/orgs/northwind/settings").await.body.contains(&format!("href=\"{PATH}\"")));
        let page = owner.get(PATH).await;
        assert!(page.body.contains("name=\"rotation_days\" value=\"90\""), "{}", page.body);
        let base = page.hidden("base");
        let set = [("rotation_days", " 1,000 "), ("longest_life_days", "365"), ("scopes", "required"), ("ip_ranges", "required"), ("localhost", "forbid")];
        assert_eq!(owner.submit(PATH, &fields(&base, &set)).await.status, 303);
        let all = KeyPolicy {
            rotation_days: Some(1_000),
            longest_life_days: Some(365),
            scopes_required: true,
            ip_ranges_required: true,
            localhost_forbidden: true,
        };
        assert_eq!(stored(app, &org).await, all);
        let page = owner.get(PATH).await;
        for part in ["value=\"1000\"", "value=\"365\"", "value=\"forbid\" checked"] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        assert_eq!(page.body.matches("value=\"required\" checked").count(), 2, "{}", page.body);
        let log = owner.get("/orgs/northwind/audit").await.text();
        for part in ["Rotation period in days: 90 → </span>1000", "IP ranges required: no → </span>yes"] {
            assert!(log.contains(part), "{part}: {log}");
        }
        let off = [("rotation_days", ""), ("longest_life_days", ""), ("scopes", "optional"), ("ip_ranges", "optional"), ("localhost", "allow")];
        assert_eq!(owner.submit(PATH, &fields(&page.hidden("base"), &off)).await.status, 303);
        assert_eq!(stored(app, &org).await, KeyPolicy { rotation_days: None, ..KeyPolicy::default() });
    }

    async fn an_invalid_period_is_told_at_its_field_and_nothing_changes(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let base = owner.get(PATH).await.hidden("base");
        for (field, value) in [("rotation_days", "0"), ("rotation_days", "90 days"), ("longest_life_days", "3651"), ("longest_life_days", "-1")] {
            let answer = owner.submit(PATH, &fields(&base, &[(field, value), ("scopes", "required")])).await;
            assert_eq!(answer.status, 422, "{field} {value}");
            let is_at_field = answer.body.contains(&format!("id=\"{field}-error\""));
            assert!(is_at_field && answer.body.contains(&format!("value=\"{value}\"")), "{}", answer.body);
        }
        assert_eq!(stored(app, &org).await, KeyPolicy::default());
    }

    async fn what_someone_else_changed_meanwhile_is_kept_or_shown(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let other = app.signed_in(&org, "kim", Role::Owner).await;
        let base = owner.get(PATH).await.hidden("base");
        assert_eq!(other.submit(PATH, &fields(&base, &[("longest_life_days", "30")])).await.status, 303);
        assert_eq!(owner.submit(PATH, &fields(&base, &[("scopes", "required")])).await.status, 303);
        let both = KeyPolicy { longest_life_days: Some(30), scopes_required: true, ..KeyPolicy::default() };
        assert_eq!(stored(app, &org).await, both);
        let conflict = owner.submit(PATH, &fields(&base, &[("longest_life_days", "60")])).await;
        assert_eq!(conflict.status, 409, "{}", conflict.body);
        let text = conflict.text();
        assert!(text.contains("kim changed these policies") && text.contains("The current value is “30”."), "{text}");
        assert!(conflict.body.contains("value=\"required\" checked"), "{}", conflict.body);
        assert_eq!(stored(app, &org).await, both);
    }

    async fn a_key_that_breaks_a_policy_names_it_and_its_severity_in_the_same_words_everywhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Production").await.id;
        let policy = KeyPolicy { longest_life_days: Some(90), scopes_required: true, ip_ranges_required: true, ..KeyPolicy::default() };
        policies::change(&app.engine, &org.permit(), policy, &Known::Nothing).await.unwrap();
        let review = "/orgs/northwind/review";
        let seen = "full_access no_ip_ranges no_expiry";
        let fields = [("key", &*id.to_string()), ("verdict", "narrow.expiry"), ("seen", seen)];
        assert_eq!(app.signed_in(&org, "ari", Role::Admin).await.submit(review, &fields).await.status, 303);
        let sentences = [
            "The key never expires. Policy: keys expire within 90 days.",
            "Full access: no scopes selected. Policy: no key has full access.",
            "This live key has no IP ranges that restrict it. Policy: live keys for servers have IP ranges.",
        ];
        let pages = ["review?state=all", &format!("keys/{id}"), "keys", "review/asked", "review/history"];
        for path in pages {
            let page = owner.get(&format!("/orgs/northwind/{path}")).await.text();
            // The list names the two most urgent, and how many more there are.
            let most = if path == "keys" { 2 } else { 3 };
            let named = sentences.iter().filter(|sentence| page.contains(**sentence)).count();
            assert_eq!(named, most, "{path}: {page}");
            assert!(page.contains("Medium<span class=\"visually-hidden\"> severity") || page.contains("title=\"Medium severity. "), "{path}: {page}");
        }
        let found = app.api().await.get("/v1/orgs/northwind/findings?code=no_expiry").await.json();
        assert_eq!((&found["data"][0]["severity"], &found["data"][0]["policy"]), (&"medium".into(), &"longest_life_days".into()));
    }

    async fn who_gets_reminders_is_with_the_alerts(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let path = "/orgs/northwind/settings/alerts";
        let page = owner.get(path).await;
        assert!(page.body.contains("name=\"reminders\" value=\"owners\" checked"), "{}", page.body);
        let alerts = [("by", "mail"), ("factor", "5"), ("min_requests", "1000"), ("min_rejected", "100")];
        let send = async |to: &[Field<'_>]| owner.submit(path, &[&alerts, to].concat()).await.status;
        let stored = async || alerts::read(&app.engine, &org.permit()).await.unwrap().reminders;
        assert_eq!(send(&[("reminders", "admins"), ("was_reminders", "owners")]).await, 303);
        assert_eq!(stored().await, RemindersTo::Admins);
        assert_eq!(send(&[]).await, 303);
        assert_eq!(stored().await, RemindersTo::Admins, "an older form");
        assert_eq!(send(&[("reminders", "everyone")]).await, 422);
        assert_eq!(send(&[("reminders", "nobody"), ("was_reminders", "admins")]).await, 303);
        assert_eq!(stored().await, RemindersTo::Nobody);
    }
}

on_both! {
    under "cencori":
    async fn a_convention_without_scopes_has_no_policy_for_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get(PATH).await;
        assert!(!page.body.contains("name=\"scopes\"") && page.body.contains("name=\"localhost\""), "{}", page.body);
        let base = page.hidden("base");
        assert_eq!(owner.submit(PATH, &fields(&base, &[("scopes", "required"), ("localhost", "forbid")])).await.status, 303);
        assert_eq!(stored(app, &org).await, KeyPolicy { localhost_forbidden: true, ..KeyPolicy::default() });
    }
}
