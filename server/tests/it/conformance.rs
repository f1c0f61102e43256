//! The five documents, statement by statement. Each test quotes the statements that it shows, under the convention of
//! the document. `docs/conformance.md` lists the statements and their tests; [`table`] checks that list.

mod agentix;
mod cencori;
mod chatbot_platform;
mod corthex;
mod table;
mod talkifai;
mod words;

use latchkey::{
    EngineSettings,
    agents::{self, AgentSettings},
    alerts::{ReminderAbout, post_reminders},
    convention::Scope,
    key::{Environment, text::PlainKey},
    keys::create::NewKey,
    mail::Content,
    role::Role,
    verify::Request,
};

use crate::test_app::{
    Browser, TestApp, TestOrg,
    org::{PASSWORD, secret_key, with},
    said,
};

/// The result of a request with this key.
async fn says(app: &TestApp, key: &PlainKey) -> String {
    said(&app.verify(key).await)
}

/// The result of a request that requires these scopes.
async fn says_of(app: &TestApp, key: &PlainKey, needed: &[&str]) -> String {
    let request = Request {
        key: Some(key),
        scopes: &scopes(needed),
        ..Request::default()
    };
    said(&app.ask(&request).await)
}

/// The result of a request from a page of this origin.
async fn says_at(app: &TestApp, key: &PlainKey, origin: &str) -> String {
    let request = Request {
        key: Some(key),
        origin: Some(origin),
        ..Request::default()
    };
    said(&app.ask(&request).await)
}

/// The reminders that an owner gets by mail after this time, and not before.
async fn reminded_after(app: &TestApp, millis: i64) -> Vec<String> {
    let set = |settings: &mut EngineSettings| {
        settings.sends_mail = true;
        settings.convention = app.engine.convention().clone();
    };
    let engine = app.another_engine(set).await;
    app.clock.advance(millis - 1);
    post_reminders(&engine).await.unwrap();
    assert_eq!(engine.outbox().depth(), 0);
    app.clock.advance(1);
    post_reminders(&engine).await.unwrap();
    let sending = engine.outbox().next_now().unwrap();
    let Content::Digest { reminders, .. } = &sending.letter.content else {
        panic!("{:?}", sending.letter.content);
    };
    let said = reminders.iter().map(|reminder| match reminder.about {
        ReminderAbout::Expiry(_) => format!("{} expires", reminder.key_name),
        ReminderAbout::CreatorLeft => format!("{} creator left", reminder.key_name),
        ReminderAbout::Rotation(_) => format!("{} rotation", reminder.key_name),
        ReminderAbout::Asked(_, what) => format!("{} asked to {what}", reminder.key_name),
        ReminderAbout::Promise(..) => format!("{} promise", reminder.key_name),
    });
    said.collect()
}

fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// A new secret key with these scopes.
fn restricted(names: &[&str]) -> NewKey {
    with(secret_key("Restricted"), |settings| {
        settings.scopes = scopes(names)
    })
}

/// A new secret key for the test environment.
fn test_key() -> NewKey {
    NewKey {
        environment: Environment::Test,
        ..secret_key("Sandbox")
    }
}

/// The headers in which a page can send its key, as a preflight lists them; the page that shows a new secret key with
/// this prefix; and that key.
async fn headers_and_page(app: &TestApp, prefix: &str) -> (String, String, String) {
    let org = app.org("northwind").await;
    agent(&org, app, &["shop.example"], false).await;
    let preflight = app.preflight("/v1/chat", "https://shop.example").await;
    assert_eq!(preflight.status, 204);
    app.signed_in(&org, "dana", Role::Owner).await;
    // Examples call the operator's API only if the settings name it.
    let owner = app.browser_with(&[("api_base_url", "https://api.northwind.example")]);
    owner.sign_in("dana@northwind.example", PASSWORD).await;
    let fields = [
        ("name", "Server"),
        ("kind", "secret"),
        ("environment", "live"),
        ("access", "full"),
        ("expires", "never"),
    ];
    let page = made_on_the_page(&owner, &fields).await;
    let start = page.find(prefix).unwrap();
    let key = page[start..start + prefix.len() + 32].to_owned();
    let headers = preflight.header("access-control-allow-headers");
    (headers.to_owned(), page, key)
}

/// The row of the list of keys that contains `name`.
fn row_of<'a>(list: &'a str, name: &str) -> &'a str {
    let rows = list.split("<tr").skip(2);
    let row = rows.map(|row| row.split("</tr>").next().unwrap());
    row.into_iter()
        .find(|row| row.contains(name))
        .unwrap_or_else(|| panic!("no row of {name}: {list}"))
}

/// The scopes that the convention offers.
fn offered(app: &TestApp) -> Vec<(String, String)> {
    let scopes = app.engine.convention().scopes.iter();
    scopes
        .map(|scope| (scope.name.to_string(), scope.description.clone()))
        .collect()
}

/// Creates an agent for pages of these domains and returns its public ID.
async fn agent(org: &TestOrg, app: &TestApp, domains: &[&str], public_embedding: bool) -> String {
    let settings = AgentSettings {
        name: "Helper".parse().unwrap(),
        project: None,
        domains: domains
            .iter()
            .map(|domain| domain.parse().unwrap())
            .collect(),
        public_embedding,
    };
    let made = agents::create::create(&app.engine, &org.permit(), &settings).await;
    made.unwrap().public_id.to_string()
}

/// The result of a request with this key for this agent, from a page of this origin or from a server.
async fn says_for(app: &TestApp, key: &PlainKey, agent: &str, origin: Option<&str>) -> String {
    let request = Request {
        key: Some(key),
        agent: Some(agent),
        origin,
        scopes: &scopes(&["chat"]),
        ..Request::default()
    };
    said(&app.ask(&request).await)
}

/// Creates a key with the page's form and returns the page that shows it.
async fn made_on_the_page(owner: &Browser, fields: &[(&str, &str)]) -> String {
    let answer = owner.submit("/orgs/northwind/keys/new", fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text()
}
