//! The same hostile requests to an instance on SQLite and to one on Postgres: both return the same response, and
//! neither fails.
//!
//! The tested routes come from the lists that define them: API operations from the OpenAPI description; pages, forms
//! and server functions from the denial table, which another test compares with the router. Field names come from the
//! description, the table or the page.

mod request;
mod routes;

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use latchkey::role::Role;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use self::{
    request::{Hostile, form_of, hostile, json_of, query_of, with_part},
    routes::{Door, doors},
};
use crate::{
    denials::{furnish, table},
    test_app::{Browser, HttpAnswer, TestApp, TestOrg, api::Api, org::PASSWORD},
};

/// The number of requests, unless `LATCHKEY_TEST_TRIES` overrides it.
const TRIES: usize = 600;

/// An instance with an org, and clients for it.
struct Side<'a> {
    app: &'a TestApp,
    org: TestOrg,
    api: Api,
    owner: Browser,
}

impl<'a> Side<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let org = app.org("northwind").await;
        furnish(app, &org).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        // So that the pages of operators read what is sent, too.
        app.database
            .execute("UPDATE users SET operator_since = 0 WHERE name = 'dana'")
            .await;
        Self {
            app,
            api: app.api().await,
            owner,
            org,
        }
    }

    /// Sends a request that concerns a newly created key.
    async fn ask(&self, door: &Door, hostile: &Hostile) -> HttpAnswer {
        // IDs start with the time, so that lists by ID have the order of creation on both.
        self.app.clock.advance(1_000);
        let key = self.org.key("Production").await.id.to_string();
        self.app.clock.advance(1_000);
        let fill = |text: &str| {
            let parts = [
                ("{org}", "northwind"),
                ("{org_id}", table::ORG),
                ("{key}", &key),
                ("{id}", &key),
                ("{public_id}", table::AGENT),
                ("{agent}", table::AGENT),
                ("{project}", table::PROJECT),
                ("{project_id}", table::PROJECT),
                ("{member}", table::MEMBER),
                ("{user_id}", table::MEMBER),
                ("{invitation}", table::INVITATION),
                ("{invitation_id}", table::INVITATION),
                ("{review_id}", table::REVIEW),
                ("{token}", table::TOKEN),
                ("{link}", table::LINK),
                ("{*any}", "no/such/page"),
            ];
            parts.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            })
        };
        match door {
            Door::Operation {
                method,
                path,
                parameters,
                body,
                is_list,
            } => {
                let path = with_part(&fill(path), &hostile.part);
                let query = query_of(parameters, hostile);
                let body = match body.as_slice() {
                    [] => String::new(),
                    body => json_of(body, *is_list, hostile),
                };
                self.api
                    .send(method.clone(), &format!("{path}{query}"), &fill(&body), &[])
                    .await
            }
            Door::Browser {
                method,
                path,
                fields,
                names,
            } => {
                let path = with_part(&fill(path), &hostile.part);
                let names: Vec<String> = names.clone();
                let answer = if *method == Method::GET {
                    let path = format!("{path}{}", query_of(&names, hostile));
                    self.owner.get(&path).await
                } else {
                    let request = self.owner.request(method.clone(), &path);
                    let accept = if path.starts_with("/api/") {
                        "application/json"
                    } else {
                        "text/html"
                    };
                    let request = request.header(header::ACCEPT, accept);
                    self.owner
                        .send(request, &form_of(&fill(fields), &names, hostile))
                        .await
                };
                if self.owner.session_cookie().is_none() {
                    self.owner.sign_in("dana@northwind.example", PASSWORD).await;
                }
                answer
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_databases_answer_the_same_and_never_fail() {
    let apps = (
        TestApp::on_sqlite().await,
        TestApp::on_postgres_under("latchkey").await,
    );
    let (sqlite, postgres) = (Side::of(&apps.0).await, Side::of(&apps.1).await);
    let doors = doors(sqlite.app, &sqlite.owner).await;
    let tries = std::env::var("LATCHKEY_TEST_TRIES").ok();
    let tries = tries.and_then(|tries| tries.parse::<usize>().ok());
    // The default run always sends the same requests; a long run continues after them.
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut answered, mut differences) = (BTreeSet::new(), Vec::new());
    for attempt in 0..tries.map_or(TRIES, |tries| tries * 10) {
        let hostile = hostile().new_tree(&mut runner).unwrap().current();
        // Routes take turns, so that each is tested equally often.
        let door = &doors[attempt % doors.len()];
        if attempt % 50 == 0 {
            furnish(sqlite.app, &sqlite.org).await;
            furnish(postgres.app, &postgres.org).await;
        }
        let one = sqlite.ask(door, &hostile).await;
        let other = postgres.ask(door, &hostile).await;
        let failed = [&one, &other]
            .iter()
            .any(|answer| answer.status.is_server_error());
        let (mut one, mut other) = (comparable(&one), comparable(&other));
        if matches!(door, Door::Browser { path, .. } if path == "/metrics" || path == "/instance") {
            // Metrics of the process, which both instances share, and the name of the database.
            one.clear();
            other.clear();
        }
        if failed || one != other {
            let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
            let from = same.count().saturating_sub(150);
            let part = |text: &str| text.chars().skip(from).take(400).collect::<String>();
            differences.push(format!(
                "{attempt}: {door:?}\n{:.600}\nSQLite: {}\nPostgres: {}\n",
                format!("{hostile:?}"),
                part(&one),
                part(&other)
            ));
        }
        answered.insert(one.chars().take(3).collect::<String>());
    }
    let first: String = differences.iter().take(8).cloned().collect();
    assert!(
        differences.is_empty(),
        "{} differ:\n{first}",
        differences.len()
    );
    assert!(answered.len() > 5, "{answered:?}");
    drop((sqlite, postgres));
    apps.0.remove().await;
    apps.1.remove().await;
}

/// Returns a response without IDs, secrets and other random parts: runs of 12 letters and digits with at least one
/// digit, and the last four characters of keys.
fn comparable(answer: &HttpAnswer) -> String {
    let (status, location) = (answer.status.as_u16(), answer.header("location"));
    let whole = format!("{status} {location} {}", answer.body);
    let mut text = String::with_capacity(whole.len());
    let mut run = String::new();
    let end = |run: &mut String, text: &mut String| {
        let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
        let is_random = run.len() >= 20 || (run.len() >= 12 && has_digit);
        text.push_str(if is_random { "#" } else { run });
        run.clear();
    };
    let mut after_dots = 0;
    for c in whole.chars() {
        if c == '•' {
            // The last of the prefix characters that are shown are random, too.
            if after_dots == 0 {
                run = "#".to_owned();
            }
            after_dots = 4;
        } else if after_dots > 0 {
            after_dots -= 1;
            continue;
        }
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            run.push(c);
        } else {
            end(&mut run, &mut text);
            text.push(c);
        }
    }
    end(&mut run, &mut text);
    text
}

/// Raw bytes, which the other test does not send: the router rejects them.
#[tokio::test]
async fn bytes_that_are_no_text_fail_nowhere() {
    let app = TestApp::on_sqlite().await;
    let side = Side::of(&app).await;
    let (router, _) = app.server(&[]);
    for entry in table::entries() {
        let path = entry
            .path
            .replace("{org}", "northwind")
            .replace("{agent}", table::AGENT)
            .replace("{*any}", "%FF");
        let path = path
            .replace("{project_id}", table::PROJECT)
            .replace("{token}", "%FF")
            .replace("{link}", "%FF")
            .replace("{public_id}", "%FF")
            .replace("{id}", "%00")
            .replace("{key}", "%C3");
        let request = Request::builder()
            .method(&entry.method)
            .uri(&path)
            .header(header::CONTENT_TYPE, "application/json");
        let answer = crate::test_app::browser::answer_of(
            &router,
            request.body(Body::from(vec![0xff, 0, 0xfe])).unwrap(),
        )
        .await;
        assert!(
            !answer.status.is_server_error(),
            "{entry}: {}",
            answer.status
        );
        let request = side
            .owner
            .request(entry.method.clone(), &path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = side
            .owner
            .send_raw(request, vec![b'a', b'=', 0xff, 0, 0xfe])
            .await;
        assert!(
            !answer.status.is_server_error(),
            "{entry}: {}",
            answer.status
        );
    }
    drop(side);
    app.remove().await;
}
