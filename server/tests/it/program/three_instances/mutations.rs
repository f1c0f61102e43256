//! The table of mutations: what is changed, who changes it, and the result on every server before and after.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Question, World, until};

/// A mutation of its own objects.
pub struct Case<'a> {
    pub question: Question,
    pub before: &'static str,
    pub after: &'static str,
    pub change: Box<dyn Fn() + 'a>,
    /// Whether the first server makes the change. Otherwise, the command line does.
    pub is_by_first_server: bool,
}

type Prepare = fn(&World) -> Case<'_>;

/// All mutations.
pub const MUTATIONS: [(&str, Prepare); 13] = [
    ("a key is revoked", |world| {
        let key = Key::create(world, json!({}));
        let change = key.post("revoke", json!({"reason": "compromised"}));
        key.case("VALID", "INVALID_API_KEY", change)
    }),
    ("a key is disabled", |world| {
        let key = Key::create(world, json!({}));
        let change = key.post("disable", Value::Null);
        key.case("VALID", "INVALID_API_KEY", change)
    }),
    ("a key is enabled", |world| {
        let key = Key::create(world, json!({}));
        key.post("disable", Value::Null)();
        let change = key.post("enable", Value::Null);
        key.settled_case("INVALID_API_KEY", "VALID", change)
    }),
    ("a key's scopes are changed", |world| {
        let mut key = Key::create(world, json!({"scopes": ["bots:read"]}));
        key.asked = json!({"scopes": ["bots:read"]});
        let change = key.patch(json!({"scopes": ["bots:write"]}));
        key.case("VALID", "INSUFFICIENT_SCOPE", change)
    }),
    ("a key's domains are changed", |world| {
        let mut key = Key::create(world, json!({"kind": "widget", "domains": ["a.example"]}));
        key.asked = json!({"origin": "https://b.example"});
        let change = key.patch(json!({"domains": ["b.example"]}));
        key.case("ORIGIN_NOT_ALLOWED", "VALID", change)
    }),
    ("a key is rotated", |world| {
        let key = Key::create(world, json!({}));
        let change = key.rotation(0);
        key.case("VALID", "INVALID_API_KEY", change)
    }),
    ("the old secret of a rotation is ended", |world| {
        let key = Key::create(world, json!({}));
        key.rotation(3_600)();
        let change = key.post("end-old-secret", Value::Null);
        key.case("VALID", "INVALID_API_KEY", change)
    }),
    ("an agent is deleted", |world| {
        let mut key = Key::create(world, json!({}));
        let agents = format!("/v1/orgs/{}/agents", key.org);
        let agent = world.api("POST", &agents, &json!({"name": "Helper"}));
        let agent = agent["public_id"].as_str().unwrap().to_owned();
        key.asked = json!({"agent": agent});
        let change = move || drop(world.api("DELETE", &format!("{agents}/{agent}"), &Value::Null));
        key.case("VALID", "AGENT_NOT_FOUND", change)
    }),
    ("an org's settings are changed", |world| {
        let mut key = Key::create(world, json!({}));
        key.asked = json!({"origin": "https://a.example"});
        let cookie = sign_in(world, &user(world, &key.org));
        let page = format!("/orgs/{}/settings", key.org);
        let served = world.servers[0].send("GET", &page, &[("Cookie", &*cookie)], "");
        let base = served
            .split("name=\"base\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect(&served);
        let form = format!("base={base}&name=N&secrets_in_browsers=allow");
        let change = move || drop(world.form(&page, &cookie, &form));
        key.case("SECRET_KEY_IN_BROWSER", "VALID", change)
    }),
    ("a service token is revoked", |world| {
        let key = Key::create(world, json!({}));
        let token = world.folder.line(
            &["token", "create", "--name", &key.org, "--scope", "verify"],
            "",
        );
        let list = world.folder.run(&["token", "list"], "");
        let list = String::from_utf8(list.stdout).unwrap();
        let line = list.lines().find(|line| line.contains(&key.org)).unwrap();
        let id = line.split('\t').next().unwrap().to_owned();
        Case {
            question: Question::Verify {
                body: json!({"key": key.text}),
                token,
            },
            ..key.by_command_line("VALID", "INVALID_SERVICE_TOKEN", move || {
                run(world, &["token", "revoke", &id]);
            })
        }
    }),
    ("a user is disabled", |world| {
        let key = Key::create(world, json!({}));
        let email = user(world, &key.org);
        let cookie = sign_in(world, &email);
        Case {
            question: Question::Account { cookie },
            ..key.by_command_line("200", "302", move || {
                run(world, &["user", "disable", "--email", &email]);
            })
        }
    }),
    ("a key is imported by the command line", |world| {
        let mut key = Key::create(world, json!({}));
        key.text = format!("made-elsewhere-for-{}", key.org);
        let digest: String = Sha256::digest(&key.text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let file = format!("{}.csv", key.org);
        let path = world.folder.path().join(&file);
        std::fs::write(path, format!("name,sha256\nOld,{digest}\n")).unwrap();
        let org = key.org.clone();
        key.by_command_line("INVALID_API_KEY", "VALID", move || {
            run(world, &["key", "import", "--org", &org, &file]);
        })
    }),
    ("an agent is changed", |world| {
        let mut key = Key::create(world, json!({"kind": "widget", "domains": ["a.example"]}));
        let agents = format!("/v1/orgs/{}/agents", key.org);
        let agent = world.api(
            "POST",
            &agents,
            &json!({"name": "Helper", "domains": ["a.example"]}),
        );
        let agent = agent["public_id"].as_str().unwrap().to_owned();
        key.asked = json!({"agent": agent, "origin": "https://a.example"});
        let change = move || {
            let body = json!({"domains": ["b.example"]});
            drop(world.api("PATCH", &format!("{agents}/{agent}"), &body));
        };
        key.case("VALID", "ORIGIN_NOT_ALLOWED", change)
    }),
];

/// A key in its own org.
struct Key<'a> {
    world: &'a World,
    org: String,
    id: String,
    text: String,
    /// The fields of the verification other than the key.
    asked: Value,
}

impl<'a> Key<'a> {
    /// Creates both; `settings` are the settings of the key that differ from the defaults.
    fn create(world: &'a World, settings: Value) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let org = format!("org-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        world.api("POST", "/v1/orgs", &json!({"name": org, "slug": org}));
        let usual = json!({"name": "Production", "kind": "secret"});
        let keys = format!("/v1/orgs/{org}/keys");
        let created = world.api("POST", &keys, &together(usual, settings));
        let field = |name: &str| created[name].as_str().unwrap().to_owned();
        Self {
            world,
            id: field("id"),
            text: field("key"),
            org,
            asked: json!({}),
        }
    }

    fn path(&self) -> String {
        format!("/v1/orgs/{}/keys/{}", self.org, self.id)
    }

    fn post(&self, what: &str, body: Value) -> impl Fn() + use<'a> {
        let (world, path) = (self.world, format!("{}/{what}", self.path()));
        move || drop(world.api("POST", &path, &body))
    }

    fn patch(&self, body: Value) -> impl Fn() + use<'a> {
        let (world, path) = (self.world, self.path());
        move || drop(world.api("PATCH", &path, &body))
    }

    /// A rotation, which is rejected while the secret is new.
    fn rotation(&self, overlap: u32) -> impl Fn() + use<'a> {
        let (world, path) = (self.world, format!("{}/rotate", self.path()));
        move || {
            let rotate = || world.try_api("POST", &path, &json!({"overlap_seconds": overlap}));
            assert_eq!(until("201", || rotate().0.to_string()), "201");
        }
    }

    fn case(self, before: &'static str, after: &'static str, change: impl Fn() + 'a) -> Case<'a> {
        let body = together(json!({"key": self.text}), self.asked);
        Case {
            question: Question::Verify {
                body,
                token: self.world.token.clone(),
            },
            before,
            after,
            change: Box::new(change),
            is_by_first_server: true,
        }
    }

    /// Like the other case, but only after the other servers know the previous changes.
    fn settled_case(
        self,
        before: &'static str,
        after: &'static str,
        change: impl Fn() + 'a,
    ) -> Case<'a> {
        let world = self.world;
        let case = self.case(before, after, change);
        for server in &world.servers {
            assert_eq!(until(before, || case.question.ask(server)), before);
        }
        case
    }

    fn by_command_line(
        self,
        before: &'static str,
        after: &'static str,
        change: impl Fn() + 'a,
    ) -> Case<'a> {
        Case {
            is_by_first_server: false,
            ..self.case(before, after, change)
        }
    }
}

/// The fields of both objects. The second one takes precedence.
fn together(mut one: Value, other: Value) -> Value {
    let more = other.as_object().unwrap().clone();
    one.as_object_mut().unwrap().extend(more);
    one
}

fn run(world: &World, arguments: &[&str]) {
    let output = world.folder.run(arguments, "");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// Creates an owner of an org, and returns their e-mail address.
fn user(world: &World, org: &str) -> String {
    let email = format!("dana@{org}.example");
    let arguments = [
        "user",
        "create",
        "--email",
        &email,
        "--name",
        "Dana",
        "--org",
        org,
        "--role",
        "owner",
        "--password-stdin",
    ];
    let output = world.folder.run(&arguments, PASSWORD);
    assert!(output.status.success(), "{output:?}");
    email
}

const PASSWORD: &str = "granite teapot sings";

/// Signs in on the first server, and returns the session cookie.
fn sign_in(world: &World, email: &str) -> String {
    let form = format!(
        "email={email}&password={}&next=",
        PASSWORD.replace(' ', "+")
    );
    let answer = world.form("/sign-in", "", &form);
    let cookie = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_session =
            name.eq_ignore_ascii_case("set-cookie") && value.starts_with("latchkey-3000=");
        is_session.then(|| value.split(';').next().unwrap().to_owned())
    });
    cookie.unwrap_or_else(|| panic!("{answer}"))
}
