//! A new key complies at every door.

use axum::http::{HeaderName, Method};
use latchkey::{id::KeyId, policy::KeyPolicy, role::Role, time::DAY};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{SECRET, borrowed, cases, check_api, check_page, require};
use crate::{
    program::process::{Folder, text},
    test_app::{NOON, TestApp},
};

on_both! {
    async fn a_new_key_complies_at_every_door(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, owner) = (app.api().await, app.signed_in(&org, "dana", Role::Owner).await);
        let keys = "/v1/orgs/northwind/keys";
        for (number, case) in cases().iter().enumerate() {
            require(&org, case.policy).await;
            let before = app.database.number("SELECT COUNT(*) FROM keys").await;
            for (wanted, is_good) in case.keys() {
                check_api(&api.post(keys, &wanted.body()).await, case, case.field, is_good);

                let form = wanted.form(str::to_owned);
                let page = owner.submit("/orgs/northwind/keys/new", &borrowed(&form)).await;
                check_page(&page, case, case.form_field, is_good);

                let mut call = wanted.form(|name| format!("form[{name}]"));
                call.push(("org".to_owned(), "northwind".to_owned()));
                let called = owner.call("/api/keys/create", &borrowed(&call)).await.json();
                let refused = json!([{"field": case.form_field, "sentence": case.sentence}]);
                assert_eq!(called["refused"] == refused, !is_good, "{called}");

                let csv = wanted.csv(&format!("page {number}"));
                let import = [("format", "csv"), ("text", csv.as_str()), ("go", "check")];
                let page = owner.submit("/orgs/northwind/keys/import", &import).await;
                assert_eq!(page.text().contains(case.sentence), !is_good, "{}", page.body);

                let mut entry = wanted.body();
                entry["sha256"] = json!(Sha256::digest(format!("API {number}")).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
                let imported = api.post(&format!("{keys}/import"), &json!([entry])).await;
                check_api(&imported, case, &format!("1.{}", case.field), is_good);
            }
            let after = app.database.number("SELECT COUNT(*) FROM keys").await;
            assert_eq!(after - before, 4, "{}: the good ones alone, one at each door that stores", case.field);
        }
    }

    async fn the_command_line_says_the_same(app: &TestApp) {
        let org = app.org("northwind").await;
        let folder = Folder::new();
        let run = |arguments: &[&str]| {
            let mut command = folder.command(arguments);
            // The pepper of all tests, which has no readable characters.
            let command = command
                .env("LATCHKEY_DATABASE_URL", app.database.url())
                .env("LATCHKEY_PEPPER", "\u{7}".repeat(32));
            command.output().unwrap()
        };
        let file = folder.path().join("keys.csv");
        for (number, case) in cases().iter().enumerate() {
            require(&org, case.policy).await;
            for (wanted, is_good) in case.keys() {
                let arguments = wanted.arguments();
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                let created = run(&arguments);
                let expected = if is_good { 0 } else { 2 };
                assert_eq!(created.status.code(), Some(expected), "{created:?}");
                assert_eq!(text(&created.stderr).contains(case.sentence), !is_good, "{created:?}");

                std::fs::write(&file, wanted.csv(&format!("program {number}"))).unwrap();
                let imported = run(&["key", "import", "--org", "northwind", "keys.csv"]);
                let said = format!("{}: {}", case.field, case.sentence);
                assert_eq!((imported.status.success(), text(&imported.stdout).contains(&said)), (is_good, !is_good), "{imported:?}");
            }
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 10);
    }

    async fn what_nobody_chose_complies(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, owner) = (app.api().await, app.signed_in(&org, "dana", Role::Owner).await);
        let strict = KeyPolicy {
            longest_life_days: Some(45),
            scopes_required: true,
            ip_ranges_required: true,
            localhost_forbidden: true,
            ..KeyPolicy::default()
        };
        require(&org, strict).await;
        let body = json!({"name": "Key", "kind": "secret", "scopes": ["bots:read"], "ip_ranges": ["192.0.2.1"]});
        let created = api.post("/v1/orgs/northwind/keys", &body).await.json();
        assert_eq!(created["expires_at"], NOON.plus(45 * DAY).rfc3339().to_string(), "not a year: {created}");
        let form = owner.get("/orgs/northwind/keys/new").await;
        assert!(form.body.contains("<option value=\"45\" selected"), "{}", form.body);
        for absent in ["<option value=\"90\"", "<option value=\"never\""] {
            assert!(!form.body.contains(absent), "{absent}: {}", form.body);
        }
        for part in [
            "Your organization limits the life of keys to 45 days.", "Your organization requires them for live secret keys.",
            "Your organization requires live widget keys to block localhost.",
        ] {
            assert!(form.text().contains(part), "{part}: {}", form.body);
        }
        assert!(form.body.contains("max=\"2027-01-05\""), "{}", form.body);

        // The button of a key that expires soon extends it as far as it can.
        let id: KeyId = created["id"].as_str().unwrap().parse().unwrap();
        app.clock.advance(40 * DAY);
        let owner = app.signed_in(&org, "ari", Role::Owner).await;
        let page = format!("/orgs/northwind/keys/{id}");
        let shown = owner.get(&page).await;
        assert!(shown.text().contains("Extend until Feb 14, 2027"), "{}", shown.body);
        let base = shown.hidden("base");
        assert_eq!(owner.submit(&page, &[("change", "extend"), ("base", &base)]).await.status, 303);
        let until = org.summary(id).await.lifecycle.expires_at.unwrap();
        assert_eq!(Some(until), strict.latest_expiry(app.clock.now()));
    }

    async fn a_repeated_request_finds_its_key_under_a_new_policy(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let body = SECRET.body().to_string();
        let once = async |key: &str| {
            let headers = [(HeaderName::from_static("idempotency-key"), key)];
            api.send(Method::POST, "/v1/orgs/northwind/keys", &body, &headers).await
        };
        let first = once("one").await;
        assert_eq!(first.status, 201, "{}", first.body);
        require(&org, KeyPolicy { longest_life_days: Some(7), ..KeyPolicy::default() }).await;
        let again = once("one").await;
        assert_eq!((again.status.as_u16(), &again.json()["id"]), (201, &first.json()["id"]));
        assert_eq!(once("two").await.status, 422);
    }
}
