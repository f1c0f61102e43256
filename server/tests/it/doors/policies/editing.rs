//! An edit complies in what it changes.

use latchkey::{id::KeyId, policy::KeyPolicy, role::Role, time::DAY};
use serde_json::json;

use super::{borrowed, cases, check_api, check_page, require};
use crate::test_app::{NOON, TestApp};

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
                _ => json!({"localhost_forbidden": false}),
            };
            check_api(&api.patch(&path(new), &change).await, &case, case.field, false);
            if case.field == "localhost_forbidden" {
                // It is not in that form, but a switch on the key's page.
                let page = format!("/orgs/northwind/keys/{new}");
                let page = owner.submit(&page, &[("localhost", "allow")]).await;
                assert!(page.status == 422 && page.text().contains(case.sentence), "{}", page.body);
                let call = [("org", "northwind"), ("key", &*new.to_string()), ("form[localhost]", "allow")];
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
}
