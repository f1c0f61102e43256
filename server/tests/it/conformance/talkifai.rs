//! The statements of TalkifAI's document about keys.

use latchkey::{
    key::{Kind, RevokeReason, text::PlainKey},
    keys::{
        change_state::{disable, enable, revoke},
        create::NewKey,
        edit::{DomainsChange, EditDomains, edit_domains},
    },
    orgs::policies::change,
    policy::KeyPolicy,
    revision::Known,
    role::Role,
    time::DAY,
    usage::flush::flush,
};
use serde_json::json;

use super::*;
use crate::test_app::org::widget_key;

const SECRET: [(&str, &str); 4] = [
    ("name", "Production Server"),
    ("kind", "secret"),
    ("environment", "live"),
    ("expires", "365"),
];
const WIDGET: [(&str, &str); 5] = [
    ("name", "Website Widget"),
    ("kind", "widget"),
    ("environment", "live"),
    ("expires", "365"),
    ("domains", "https://mysite.com, staging.other.com,localhost"),
];

on_both! { under "talkifai":
    /// "TalkifAI supports two types of API keys" "Secret Key (Server-Side Only)" "Widget Key (Browser-Safe)"
    async fn there_are_secret_and_widget_keys(app: &TestApp) {
        let kinds: Vec<Kind> = app.engine.convention().prefixes().map(|(_, kind, _)| kind).collect();
        assert_eq!(kinds, [Kind::Secret, Kind::Widget]);
    }

    /// "Rotate keys every 6-12 months"
    async fn owners_choose_after_which_time_they_are_reminded(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let policy = KeyPolicy { rotation_days: Some(183), ..KeyPolicy::default() };
        change(&app.engine, &org.permit(), policy, &Known::Nothing).await.unwrap();
        org.key("Production Server").await;
        assert_eq!(reminded_after(app, 183 * DAY).await, ["Production Server rotation"]);
    }

    /// "Full access to all APIs" "No domain restrictions"
    async fn a_secret_key_opens_everything_from_every_server(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production Server").await;
        assert_eq!(says_of(app, &made.plain, &["chat", "export"]).await, "VALID");
        let with_domains = NewKey { kind: Kind::Secret, ..widget_key("Locked", &["mysite.com"]) };
        assert!(org.create_key(with_domains).await.is_err(), "a secret key has no allowed domains");
    }

    /// "Never expose to browser/client-side code" "Safe to include in client-side code"
    async fn a_secret_key_in_a_page_is_refused_and_a_widget_key_is_not(app: &TestApp) {
        let org = app.org("northwind").await;
        let (secret, widget) = (org.key("Server").await, org.create_key(widget_key("Widget", &["mysite.com"])).await.unwrap());
        assert_eq!(says_at(app, &secret.plain, "https://mysite.com").await, "SECRET_KEY_IN_BROWSER");
        assert_eq!(says_at(app, &widget.plain, "https://mysite.com").await, "VALID");
    }

    /// "Allowed domains (Widget keys)"
    async fn members_see_the_status_and_the_domains(app: &TestApp) {
        let org = app.org("northwind").await;
        let id = org.create_key(widget_key("Shop", &["mysite.com"])).await.unwrap().id;
        let member = app.signed_in(&org, "sam", Role::Member).await;
        for path in ["/orgs/northwind/keys".to_owned(), format!("/orgs/northwind/keys/{id}")] {
            let page = member.get(&path).await.text();
            assert!(page.contains("mysite.com") && page.contains("Active"), "{path}: {page}");
            assert!(!page.contains("environment=test"), "{path}: {page}");
        }
    }

    /// "URL: /organization/api-key"
    async fn the_documented_path_leads_to_the_keys(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let answer = owner.get("/organization/api-key").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/orgs/northwind/keys"));
        let stranger = app.browser().get("/organization/api-key").await;
        assert_eq!((stranger.status.as_u16(), stranger.header("location")), (302, "/sign-in"));
        assert_eq!(owner.get("/organization/api-keys").await.status, 404);
    }

    /// "1-year expiry" "Expiration date (1 year from creation)"
    async fn keys_expire_after_a_year(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for fields in [&SECRET[..], &WIDGET] {
            made_on_the_page(&owner, fields).await;
        }
        let year = app.database.number("SELECT COUNT(*) FROM keys WHERE expires_at - created_at = 31536000000").await;
        assert_eq!(year, 2);
        let form = owner.get("/orgs/northwind/keys/new").await.body;
        assert!(form.contains("value=\"365\"") && !form.contains("value=\"never\""), "{form}");
        assert_eq!(app.engine.convention().expiry.default_days.map(u32::from), Some(365));
    }

    /// "1-year expiry"
    async fn no_door_makes_a_key_that_never_expires(app: &TestApp) {
        const SENTENCE: &str = "Keys must have an expiry date. Choose when this key expires.";
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let never = [SECRET[0], SECRET[1], SECRET[2], ("expires", "never")];
        let refused = owner.submit("/orgs/northwind/keys/new", &never).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains(SENTENCE), "{}", refused.body);
        let api = app.api().await;
        let body = json!({"name": "Server", "kind": "secret", "expires_at": null});
        let refused = api.post("/v1/orgs/northwind/keys", &body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["errors"]), (422, &json!([{"field": "expires_at", "detail": SENTENCE}])));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);

        let made = org.key("Production Server").await;
        let path = format!("/v1/orgs/northwind/keys/{}", made.id);
        let refused = api.patch(&path, &json!({"expires_at": null})).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["field"]), (422, &json!("expires_at")));
        let edit_path = format!("/orgs/northwind/keys/{}/edit", made.id);
        let base = owner.get(&edit_path).await.hidden("base");
        let edit = [("base", base.as_str()), ("name", "Server"), ("expires", "never")];
        let refused = owner.submit(&edit_path, &edit).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains(SENTENCE), "{}", refused.body);
        let year = app.database.number("SELECT COUNT(*) FROM keys WHERE expires_at - created_at = 31536000000").await;
        assert_eq!(year, 1);
    }

    /// "Domain-locked (CORS restricted)" "Requests from unlisted domains are automatically rejected"
    /// "CORS Origin Not Allowed"
    async fn a_widget_key_works_on_its_domains_alone(app: &TestApp) {
        let made = app.org("northwind").await.create_key(widget_key("Widget", &["mysite.com"])).await.unwrap();
        assert_eq!(says_at(app, &made.plain, "https://mysite.com").await, "VALID");
        for origin in ["https://evil.com", "https://mysite.com.evil.com", "https://notmysite.com", "null", ""] {
            assert_eq!(says_at(app, &made.plain, origin).await, "ORIGIN_NOT_ALLOWED", "{origin}");
        }
        assert_eq!(says(app, &made.plain).await, "ORIGIN_NOT_ALLOWED", "no page was sent");
        let token = app.service_token().await;
        for (origin, status, readable) in [("https://mysite.com", 204, Some("https://mysite.com")), ("https://evil.com", 403, None)] {
            let body = json!({"key": made.plain.expose(), "origin": origin}).to_string();
            let answer = app.post_verify(Some(&token), &body).await.json();
            assert_eq!(answer["headers"]["access-control-allow-origin"].as_str(), readable);
            let preflight = app.preflight("/v1/chat/sessions", origin).await;
            assert_eq!((preflight.status.as_u16(), preflight.header("access-control-allow-origin")), (status, readable.unwrap_or_default()));
        }
    }

    /// "Add domain to allowed domains list" "Save and wait ~1 minute for propagation"
    async fn a_domain_that_is_added_works_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Widget", &["mysite.com"])).await.unwrap();
        assert_eq!(says_at(app, &made.plain, "https://second.com").await, "ORIGIN_NOT_ALLOWED");
        let add = EditDomains { domains: Some(DomainsChange::Add(vec!["second.com".parse().unwrap()])), ..EditDomains::default() };
        edit_domains(&app.engine, &org.permit(), made.id, add).await.unwrap();
        assert_eq!(says_at(app, &made.plain, "https://second.com").await, "VALID");
    }

    /// "Subdomains are automatically covered (e.g., mysite.com also allows staging.mysite.com)"
    /// "Include both root and www variants if needed"
    async fn a_domain_covers_its_subdomains(app: &TestApp) {
        let org = app.org("northwind").await;
        let root = org.create_key(widget_key("Root", &["mysite.com"])).await.unwrap();
        for origin in ["https://staging.mysite.com", "https://www.mysite.com", "https://a.b.mysite.com"] {
            assert_eq!(says_at(app, &root.plain, origin).await, "VALID", "{origin}");
        }
        let www = org.create_key(widget_key("Www", &["www.mysite.com"])).await.unwrap();
        assert_eq!(says_at(app, &www.plain, "https://mysite.com").await, "ORIGIN_NOT_ALLOWED");
        let both = org.create_key(widget_key("Both", &["mysite.com", "www.mysite.com"])).await.unwrap();
        assert_eq!(says_at(app, &both.plain, "https://mysite.com").await, "VALID");
    }

    /// "localhost always allowed for development"
    async fn localhost_is_always_allowed(app: &TestApp) {
        let made = app.org("northwind").await.create_key(widget_key("Widget", &["mysite.com"])).await.unwrap();
        for origin in ["http://localhost", "http://localhost:3000", "https://localhost:8443"] {
            assert_eq!(says_at(app, &made.plain, origin).await, "VALID", "{origin}");
        }
        for origin in ["http://127.0.0.1:3000", "http://localhost.evil.com", "http://app.localhost"] {
            assert_eq!(says_at(app, &made.plain, origin).await, "ORIGIN_NOT_ALLOWED", "{origin}");
        }
    }

    /// "Can be revoked without affecting other keys" "Revoke one environment without affecting others"
    /// "Revoke old key"
    async fn one_key_is_revoked_and_the_others_work(app: &TestApp) {
        let org = app.org("northwind").await;
        let (staging, production) = (org.key("Staging Widget").await, org.key("Production Widget").await);
        revoke(&app.engine, &org.permit(), staging.id, RevokeReason::Unused).await.unwrap();
        assert_eq!(says(app, &staging.plain).await, "INVALID_API_KEY revoked");
        assert_eq!(says(app, &production.plain).await, "VALID");
    }

    /// "Owners: Can create and manage keys" "Admins: Can view keys" "Members: Can view keys"
    async fn owners_manage_keys_and_all_view_them(app: &TestApp) {
        let org = app.org("northwind").await;
        for role in [Role::Owner, Role::Admin, Role::Member] {
            let browser = app.signed_in(&org, &role.to_string(), role).await;
            let id = org.key("Production Server").await.id.to_string();
            let list = browser.get("/orgs/northwind/keys").await;
            assert!(list.status == 200 && list.body.contains("Production Server"), "{role}");
            let manages = role == Role::Owner;
            let created = browser.submit("/orgs/northwind/keys/new", &SECRET).await;
            assert_eq!(created.status, if manages { 200 } else { 403 }, "{role}");
            let revoked = browser.change_key(&id, "revoke").await;
            assert_eq!(revoked.status, if manages { 303 } else { 403 }, "{role}");
        }
    }

    /// "Enter Key Name (Required)" "Max 50 characters"
    async fn a_name_has_one_to_fifty_characters(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (longest, too_long) = ("é".repeat(50), "é".repeat(51));
        for (name, status) in [("", 422), ("  ", 422), (too_long.as_str(), 422), (longest.as_str(), 200), ("Dev Testing", 200)] {
            let fields = [("name", name), SECRET[1], SECRET[2], SECRET[3]];
            assert_eq!(owner.submit("/orgs/northwind/keys/new", &fields).await.status, status, "{name}");
        }
    }

    /// "specify allowed domains (comma-separated)" "Protocol (https://) is optional"
    /// "Multiple domains: separate with commas" "Widget keys only: list of allowed domains"
    async fn domains_are_typed_as_people_type_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        made_on_the_page(&owner, &WIDGET).await;
        let stored = app.database.texts("SELECT domains FROM keys").await;
        assert_eq!(stored, [r#"["https://mysite.com","staging.other.com","localhost"]"#]);
        let without = [WIDGET[0], WIDGET[1], WIDGET[2], WIDGET[3]];
        assert_eq!(owner.submit("/orgs/northwind/keys/new", &without).await.status, 422, "a widget key needs a domain");
    }

    /// "Key is shown ONCE" "Cannot be retrieved later (only the prefix is stored)"
    async fn a_key_is_shown_once_and_stored_nowhere(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = made_on_the_page(&owner, &WIDGET).await;
        let start = page.find("tk_widget_").unwrap();
        let plain = &page[start..start + 42];
        assert!(!app.database.holds(plain).await);
        let id = app.verify(&PlainKey::from_presented(plain)).await.key.unwrap().id;
        assert!(!owner.get(&format!("/orgs/northwind/keys/{id}")).await.body.contains(plain));
    }

    /// "No special prefix" "URL-safe characters only" "Unique per key"
    /// "tk_widget_ prefix identifies it as browser-safe"
    async fn keys_have_the_documented_format(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let made = org.key("Production Server").await;
            let text = made.plain.expose().to_owned();
            assert!(text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
            assert!(seen.insert(text));
        }
        let widget = org.create_key(widget_key("Widget", &["mysite.com"])).await.unwrap();
        assert!(widget.plain.expose().starts_with("tk_widget_"));
        let key = app.verify(&widget.plain).await.key.unwrap();
        assert_eq!(key.kind, Kind::Widget);
    }

    /// "Key name" "Key prefix (first 8 characters + ••••••••)" "Key type badge (Secret/Widget)" "Status (Active/Disabled)"
    /// "Created date" "Expiration date" "Allowed domains (Widget keys)"
    async fn the_list_shows_what_is_not_secret(app: &TestApp) {
        let org = app.org("northwind").await;
        let expires_at = Some(app.clock.now().plus(365 * DAY));
        let secret = org.create_key(with(secret_key("Production Server"), |settings| settings.expires_at = expires_at)).await.unwrap();
        let domains = ["mysite.com", "staging.other.com", "third.com"];
        let widget = org.create_key(with(widget_key("Website Widget", &domains), |settings| settings.expires_at = expires_at)).await.unwrap();
        disable(&app.engine, &org.permit(), widget.id).await.unwrap();
        let text = secret.plain.expose();
        let shown = format!("{}••••••••{}", &text[..8], &text[text.len() - 4..]);
        let row = async |person: &Browser, name: &str| row_of(&person.get("/orgs/northwind/keys").await.text(), name).to_owned();
        for (person, role) in [("dana", Role::Owner), ("kim", Role::Admin)] {
            let person = app.signed_in(&org, person, role).await;
            let server = row(&person, "Production Server").await;
            for part in [shown.as_str(), ">Secret<", ">Active<", "Nov 21, 2026", "Nov 21, 2027"] {
                assert!(server.contains(part), "{part}: {server}");
            }
            let site = row(&person, "Website Widget").await;
            for part in ["tk_widge••••••••", ">Widget<", ">Disabled<", "Nov 21, 2026", "Nov 21, 2027", "mysite.com</span> +2", &domains.join(", ")] {
                assert!(site.contains(part), "{part}: {site}");
            }
        }
    }

    /// "Key Name" "Key Type" "Creation date (e.g., “Jan 15, 2026”)" "Organization ID the key is scoped to"
    async fn a_key_says_whose_it_is(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.org.id.to_string();
        let page = made_on_the_page(&owner, &WIDGET).await;
        let details = page.split("<dl").nth(1).unwrap().split("</dl>").next().unwrap();
        let domains = "https://mysite.com, staging.other.com, localhost";
        for part in ["Website Widget", ">Widget<", "Nov 21, 2026", "Nov 21, 2027", domains, &id] {
            assert!(details.contains(part), "{part}: {details}");
        }
        let key = app.database.texts("SELECT id FROM keys").await.remove(0);
        assert!(owner.get(&format!("/orgs/northwind/keys/{key}")).await.text().contains(&id));
        let made = org.key("Server").await;
        assert_eq!(app.verify(&made.plain).await.key.unwrap().org_id, org.org.id);
    }

    /// "Key is immediately invalidated" "Cannot be undone" "Confirm deletion"
    async fn a_revocation_is_immediate_and_final(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Server").await;
        assert_eq!(says(app, &made.plain).await, "VALID");
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let question = owner.get(&format!("/orgs/northwind/keys/{}?revoke=1", made.id)).await.body;
        assert!(question.contains("Revoke “") && question.contains("cannot be undone"), "{question}");
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        assert_eq!(says(app, &made.plain).await, "INVALID_API_KEY revoked");
        assert!(enable(&app.engine, &org.permit(), made.id).await.is_err());
    }

    /// "Generate new key" "Test thoroughly" "Use Separate Keys per Environment" "Track usage per environment"
    async fn use_is_counted_key_by_key(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["Production Widget", "Staging Widget"] {
            let made = org.key(name).await;
            says(app, &made.plain).await;
        }
        flush(&app.engine).await.unwrap();
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get("/orgs/northwind/usage").await.body;
        assert!(page.contains("Production Widget") && page.contains("Staging Widget"), "{page}");
    }

    /// "Key is incorrect or truncated" "no extra spaces"
    async fn a_mangled_key_is_invalid(app: &TestApp) {
        let org = app.org("northwind").await;
        let secret = org.key("Server").await;
        let text = secret.plain.expose();
        for wrong in [&text[..30], &text[1..], &format!("{text} "), &format!("tk_widget_{text}"), ""] {
            let said = says(app, &PlainKey::from_presented(wrong)).await;
            assert!(said.starts_with("INVALID_API_KEY") || said == "MISSING_API_KEY", "{wrong}: {said}");
        }
    }
}
