//! An edit complies in what it changes.

use latchkey::{id::KeyId, policy::KeyPolicy, role::Role, time::DAY};
use serde_json::json;

use super::{borrowed, cases, check_api, check_page, require};
use crate::test_app::{
    NOON, TestApp,
    org::{secret_key, with},
};

on_both! {
    async fn an_edit_complies_in_what_it_changes(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, owner) = (app.api().await, app.signed_in(&org, "dana", Role::Owner).await);
        for case in cases() {
            require(&org, KeyPolicy::default()).await;
            let [(bad, _), (good, _)] = case.keys();
            let (old, new): (KeyId, KeyId) = (
                org.create_key(bad.new_key()).await.unwrap().id,
                org.create_key(good.new_key()).await.unwrap().id,
            );
            require(&org, case.policy).await;
            // A key that broke the policy before can be changed otherwise, also by a form that sends all fields.
            let path = |id: KeyId| format!("/v1/orgs/northwind/keys/{id}");
            let changed = api.patch(&path(old), &json!({"notes": "Old"})).await;
            assert_eq!(changed.status, 200, "{}", changed.body);
            let edit = format!("/orgs/northwind/keys/{old}/edit");
            let base = owner.get(&edit).await.hidden("base");
            let mut form = bad.form(str::to_owned);
            form.retain(|(name, _)| name != "expires" && name != "name");
            form.extend([("base", base.as_str()), ("name", "Renamed"), ("expires", "keep")].map(|(name, value)| (name.to_owned(), value.to_owned())));
            let renamed = owner.submit(&edit, &borrowed(&form)).await;
            assert_eq!(renamed.status, 303, "{}: {}", case.field, renamed.body);
            // A key that complies must go on to do so.
            let change = match case.field {
                "expires_at" => json!({"expires_at": NOON.plus(31 * DAY).rfc3339().to_string()}),
                "scopes" => json!({"scopes": []}),
                "ip_ranges" => json!({"ip_ranges": []}),
                "domains" => json!({"domains": ["shop.example", bad.domain]}),
                _ => json!({"localhost_forbidden": false}),
            };
            check_api(&api.patch(&path(new), &change).await, &case, case.field, false);
            // These are not in that form, but on the key's page.
            let of_page = match case.field {
                "localhost_forbidden" => Some(("localhost", "allow")),
                "domains" => Some(("add", bad.domain)),
                _ => None,
            };
            if let Some((name, value)) = of_page {
                let page = format!("/orgs/northwind/keys/{new}");
                let offered = owner.get(&page).await.text();
                let switch = offered.split("<button").find(|button| button.contains("id=\"localhost\"")).unwrap_or_default();
                assert!(switch.split('>').next().unwrap_or_default().contains(" hidden"), "nobody can allow it: {switch}");
                let page = owner.submit(&page, &[(name, value)]).await;
                assert!(page.status == 422 && page.text().contains(case.sentence), "{}", page.body);
                let field = format!("form[{name}]");
                let call = [("org", "northwind"), ("key", &*new.to_string()), (&*field, value)];
                let called = owner.call("/api/domains/edit", &call).await;
                assert!(called.body.contains(case.sentence), "{}", called.body);
                let removed = api.patch(&path(old), &json!({"domains": ["other.example"]})).await;
                assert_eq!(removed.status, 200, "{}", removed.body);
            } else {
                let edit = format!("/orgs/northwind/keys/{new}/edit");
                let base = owner.get(&edit).await.hidden("base");
                let mut form = bad.form(str::to_owned);
                form.push(("base".to_owned(), base));
                check_page(&owner.submit(&edit, &borrowed(&form)).await, &case, case.form_field, false);
            }
            let good_again = api.patch(&path(old), &json!({
                "expires_at": NOON.plus(30 * DAY).rfc3339().to_string(), "scopes": ["bots:read"],
                "ip_ranges": ["192.0.2.1"], "localhost_forbidden": good.blocks_localhost,
            })).await;
            assert_eq!(good_again.status, 200, "{}: {}", case.field, good_again.body);
        }
    }

    async fn every_form_says_what_is_required_before_it_is_submitted(app: &TestApp) {
        let org = app.org("northwind").await;
        let (owner, member) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "kim", Role::Member).await);
        for case in cases() {
            require(&org, KeyPolicy { rotation_days: None, ..KeyPolicy::default() }).await;
            let [(bad, _), (good, _)] = case.keys();
            let (old, new) = (org.create_key(bad.new_key()).await.unwrap().id, org.create_key(good.new_key()).await.unwrap().id);
            // Localhost is a switch on the key's page.
            let of_key = |id: KeyId| match case.field {
                "localhost_forbidden" => format!("/orgs/northwind/keys/{id}"),
                _ => format!("/orgs/northwind/keys/{id}/edit"),
            };
            let pages = [
                (&owner, "/orgs/northwind/keys/new".to_owned()), (&member, "/orgs/northwind/requests/new".to_owned()),
                (&owner, of_key(new)), (&owner, of_key(old)),
            ];
            for (browser, page) in &pages {
                let text = browser.get(page).await.text();
                assert!(!text.contains(case.note), "{page}: {text}");
            }
            let import = "/orgs/northwind/keys/import";
            let heading = "Imported keys must comply with the policies of your organization";
            assert!(!owner.get(import).await.text().contains(heading));
            require(&org, case.policy).await;
            assert!(owner.get(import).await.text().contains(heading), "{}", case.field);
            for (browser, page) in &pages {
                let text = browser.get(page).await.text();
                assert!(text.contains(case.note), "{page}: {}: {text}", case.note);
            }
        }
    }

    async fn what_is_forbidden_is_not_offered_unless_the_key_has_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let with_scopes = async |scopes: &[&str]| {
            let new = with(secret_key("Key"), |settings| settings.scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect());
            org.create_key(new).await.unwrap().id
        };
        let [full, admin, narrow] = [with_scopes(&[]).await, with_scopes(&["admin"]).await, with_scopes(&["bots:read"]).await];
        let edit = |id: KeyId| format!("/orgs/northwind/keys/{id}/edit");
        let new = "/orgs/northwind/keys/new".to_owned();
        let pages = [(new.clone(), [false, false]), (edit(narrow), [false, false]), (edit(full), [true, false]), (edit(admin), [false, true])];
        let enabled = async |page: &str| {
            let body = owner.get(page).await.body;
            ["full", "admin"].map(|value| {
                let input = body.split("<input").find(|input| input.contains(&format!("value=\"{value}\"")));
                let input = input.unwrap_or_else(|| panic!("no {value} in {page}: {body}"));
                !input.split('>').next().unwrap_or_default().contains(" disabled")
            })
        };
        for (page, _) in &pages {
            assert_eq!(enabled(page).await, [true, true], "{page}");
        }
        require(&org, KeyPolicy { scopes_required: true, longest_life_days: Some(30), localhost_forbidden: true, ..KeyPolicy::default() }).await;
        for (page, expected) in &pages {
            assert_eq!(enabled(page).await, *expected, "{page}");
            let body = owner.get(page).await.body;
            assert!(!body.contains("<option value=\"never\"") && !body.contains("<option value=\"365\""), "{page}: {body}");
        }
    }
}
