//! What an organization requires of its keys is required at every door, with the same sentence at the field.

use axum::http::{HeaderName, Method};
use latchkey::{
    id::KeyId, key::Kind, keys::create::NewKey, orgs::policies, policy::KeyPolicy, revision::Known,
    role::Role, time::DAY,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    program::process::{Folder, text},
    test_app::{
        HttpAnswer, NOON, TestApp, TestOrg,
        org::{secret_key, widget_key, with},
    },
};

/// What a key is made of at each door.
#[derive(Clone, Copy)]
struct Wanted {
    kind: Kind,
    scopes: &'static [&'static str],
    ip_range: Option<&'static str>,
    days: i64,
    blocks_localhost: bool,
}

/// A policy, and a key that breaks it and no other.
struct Case {
    policy: KeyPolicy,
    breaks: Wanted,
    /// The field in the API and in imports, and in the form.
    field: &'static str,
    form_field: &'static str,
    sentence: &'static str,
}

const SECRET: Wanted = Wanted {
    kind: Kind::Secret,
    scopes: &["bots:read"],
    ip_range: Some("192.0.2.1"),
    days: 30,
    blocks_localhost: false,
};
const WIDGET: Wanted = Wanted {
    kind: Kind::Widget,
    ip_range: None,
    blocks_localhost: true,
    ..SECRET
};

fn cases() -> [Case; 4] {
    let off = KeyPolicy {
        rotation_days: None,
        ..KeyPolicy::default()
    };
    [
        Case {
            policy: KeyPolicy {
                longest_life_days: Some(30),
                ..off
            },
            breaks: Wanted { days: 31, ..SECRET },
            field: "expires_at",
            form_field: "expires",
            sentence: "Keys of this organization must expire within 30 days. Choose an earlier date.",
        },
        Case {
            policy: KeyPolicy {
                scopes_required: true,
                ..off
            },
            breaks: Wanted {
                scopes: &[],
                ..SECRET
            },
            field: "scopes",
            form_field: "scopes",
            sentence: "Keys of this organization cannot have full access. Select the scopes that the key needs.",
        },
        Case {
            policy: KeyPolicy {
                ip_ranges_required: true,
                ..off
            },
            breaks: Wanted {
                ip_range: None,
                ..SECRET
            },
            field: "ip_ranges",
            form_field: "ip_ranges",
            sentence: "Live secret keys of this organization must have IP ranges. Enter the addresses of your servers.",
        },
        Case {
            policy: KeyPolicy {
                localhost_forbidden: true,
                ..off
            },
            breaks: Wanted {
                blocks_localhost: false,
                ..WIDGET
            },
            field: "localhost_forbidden",
            form_field: "localhost",
            sentence: "Live widget keys of this organization cannot work on localhost. Block localhost, or create a test key.",
        },
    ]
}

impl Case {
    /// The key that breaks the policy, and one of the same kind that does not.
    fn keys(&self) -> [(Wanted, bool); 2] {
        let good = match self.breaks.kind {
            Kind::Secret => SECRET,
            Kind::Widget => WIDGET,
        };
        [(self.breaks, false), (good, true)]
    }
}

impl Wanted {
    fn is_widget(self) -> bool {
        self.kind == Kind::Widget
    }

    fn body(self) -> Value {
        let ranges: Vec<&str> = self.ip_range.into_iter().collect();
        let mut body = json!({
            "name": "Key", "kind": self.kind.as_str(), "scopes": self.scopes, "ip_ranges": ranges,
            "expires_in_days": self.days,
        });
        if self.is_widget() {
            body["domains"] = json!(["shop.example"]);
            body["localhost_forbidden"] = json!(self.blocks_localhost);
        }
        body
    }

    /// The fields of the form, whose names are in `frame`.
    fn form(self, frame: fn(&str) -> String) -> Vec<(String, String)> {
        let access = if self.scopes.is_empty() {
            "full"
        } else {
            "chosen"
        };
        let days = self.days.to_string();
        let mut fields = vec![
            ("name", "Key"),
            ("kind", self.kind.as_str()),
            ("environment", "live"),
            ("access", access),
            ("expires", days.as_str()),
            ("ip_ranges", self.ip_range.unwrap_or_default()),
        ];
        if self.is_widget() {
            fields.push(("domains", "shop.example"));
        }
        if self.blocks_localhost {
            fields.push(("localhost", "forbid"));
        }
        let fields = fields
            .into_iter()
            .map(|(name, value)| (frame(name), value.to_owned()));
        let scopes = self.scopes.iter().enumerate();
        let scopes = scopes.map(|(at, scope)| match frame("scopes").as_str() {
            "scopes" => ("scopes".to_owned(), (*scope).to_owned()),
            framed => (format!("{framed}[{at}]"), (*scope).to_owned()),
        });
        fields.chain(scopes).collect()
    }

    fn csv(self, text: &str) -> String {
        let digest: String = Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (domain, blocks) = match self.is_widget() {
            true => ("shop.example", self.blocks_localhost.to_string()),
            false => ("", String::new()),
        };
        format!(
            "name,sha256,kind,scopes,ip_ranges,expires_in_days,domains,localhost_forbidden\n\
             Key,{digest},{},{},{},{},{domain},{blocks}\n",
            self.kind.as_str(),
            self.scopes.join(" "),
            self.ip_range.unwrap_or_default(),
            self.days,
        )
    }

    fn arguments(self) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "key",
            "create",
            "--org",
            "northwind",
            "--name",
            "Key",
            "--kind",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(self.kind.as_str().to_owned());
        let mut add = |flag: &str, value: &str| {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        };
        add("--expires-in-days", &self.days.to_string());
        for scope in self.scopes {
            add("--scope", scope);
        }
        if let Some(range) = self.ip_range {
            add("--ip-range", range);
        }
        if self.is_widget() {
            add("--domain", "shop.example");
        }
        if self.blocks_localhost {
            arguments.push("--no-localhost".to_owned());
        }
        arguments
    }

    fn new_key(self) -> NewKey {
        let new = match self.kind {
            Kind::Secret => secret_key("Key"),
            Kind::Widget => widget_key("Key", &["shop.example"]),
        };
        with(new, |settings| {
            settings.scopes = self
                .scopes
                .iter()
                .map(|scope| scope.parse().unwrap())
                .collect();
            settings.ip_ranges = self
                .ip_range
                .iter()
                .map(|range| range.parse().unwrap())
                .collect();
            settings.expires_at = Some(NOON.plus(self.days * DAY));
            settings.localhost_forbidden = self.blocks_localhost;
        })
    }
}

async fn require(org: &TestOrg, policy: KeyPolicy) {
    policies::change(&org.engine, &org.permit(), policy, &Known::Nothing)
        .await
        .unwrap();
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Checks the answer of the API: the error alone, at its field, or the success.
fn check_api(answer: &HttpAnswer, case: &Case, field: &str, is_good: bool) {
    if is_good {
        assert!(answer.status.is_success(), "{field}: {}", answer.body);
        return;
    }
    let expected = json!([{"field": field, "detail": case.sentence}]);
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["errors"]),
        (422, &expected),
        "{}",
        answer.body
    );
}

/// Checks a page with a form: the error at its field.
fn check_page(answer: &HttpAnswer, case: &Case, field: &str, is_good: bool) {
    let is_at_field = answer.body.contains(&format!("id=\"{field}-error\""));
    let is_said = answer.text().contains(case.sentence);
    let is_refused = answer.status == 422;
    assert_eq!(
        (is_refused, is_said, is_at_field),
        (!is_good, !is_good, !is_good),
        "{field}: {}",
        answer.body
    );
}

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
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 8);
    }

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
        for absent in ["<option value=\"90\"", "<option value=\"never\"", "name=\"access\""] {
            assert!(!form.body.contains(absent), "{absent}: {}", form.body);
        }
        for part in [
            "Your organization limits the life of keys to 45 days.", "Your organization requires them for live secret keys.",
            "Your organization requires this for live keys.",
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
