//! What an organization requires of its keys is required at every door, with the same sentence at the field.

mod creation;
mod editing;

use latchkey::{
    key::Kind, keys::create::NewKey, orgs::policies, policy::KeyPolicy, revision::Known, time::DAY,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::test_app::{
    HttpAnswer, NOON, TestOrg,
    org::{secret_key, widget_key, with},
};

/// What a key is made of at each door.
#[derive(Clone, Copy)]
struct Wanted {
    kind: Kind,
    scopes: &'static [&'static str],
    ip_range: Option<&'static str>,
    days: i64,
    domain: &'static str,
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
    /// What the forms say before they are submitted.
    note: &'static str,
}

const SECRET: Wanted = Wanted {
    kind: Kind::Secret,
    scopes: &["bots:read"],
    ip_range: Some("192.0.2.1"),
    days: 30,
    domain: "shop.example",
    blocks_localhost: false,
};
const WIDGET: Wanted = Wanted {
    kind: Kind::Widget,
    ip_range: None,
    blocks_localhost: true,
    ..SECRET
};

fn cases() -> [Case; 5] {
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
            sentence: "Keys of this organization must expire within 30 days. Choose a date within that time.",
            note: "Your organization limits the life of keys to 30 days. They cannot expire later or never.",
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
            note: "Your organization requires scopes: no key can have full access. A key with admin or with all scopes has it, too.",
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
            sentence: "Live secret keys of this organization must have IP ranges, together no larger than two IPv4 networks of /8 and an IPv6 network of /16. Enter the addresses of your servers.",
            note: "Your organization requires them for live secret keys.",
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
            note: "Your organization requires live widget keys to block localhost.",
        },
        Case {
            policy: KeyPolicy {
                localhost_forbidden: true,
                ..off
            },
            breaks: Wanted {
                domain: "http://localhost:3000",
                ..WIDGET
            },
            field: "domains",
            form_field: "domains",
            sentence: "Live widget keys of this organization cannot work on localhost. Remove it and loopback addresses, such as 127.0.0.1, or create a test key.",
            note: "Your organization requires live widget keys to block localhost.",
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
            body["domains"] = json!([self.domain]);
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
            fields.push(("domains", self.domain));
        }
        if self.blocks_localhost {
            fields.push(("localhost_live", "forbid"));
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
            true => (self.domain, self.blocks_localhost.to_string()),
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
            add("--domain", self.domain);
        }
        if self.blocks_localhost {
            arguments.push("--no-localhost".to_owned());
        }
        arguments
    }

    fn new_key(self) -> NewKey {
        let new = match self.kind {
            Kind::Secret => secret_key("Key"),
            Kind::Widget => widget_key("Key", &[self.domain]),
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
