//! Bodies that arrive slowly: they keep no right that was taken away meanwhile, and delay nobody.

use std::{convert::Infallible, future::ready};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    stream::{self, FuturesUnordered},
};
use latchkey::{
    access::Operator,
    key::text::PlainKey,
    role::Role,
    service_tokens::{self, TokenScope},
};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::{
    denials::table::{self, Access, Entry},
    test_app::{Browser, TestApp, browser::answer_of, org::PASSWORD},
};

/// The maximum number of bodies that are in transit, of a session and of an organization's token.
const MAX_OF_SESSION: usize = 32;
const MAX_OF_TOKEN: usize = 64;

const FORM: &str = "application/x-www-form-urlencoded";
const IMPORT: &str = "/orgs/northwind/keys/import";
const DIGEST: &str = "7dc34e15f9e4a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607182930";

on_both! {
    async fn a_token_that_is_revoked_while_a_body_arrives_can_do_nothing_with_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let (router, _) = app.server(&[]);
        let writes = latchkey_server::routes().into_iter().filter(|(method, path)| *method != Method::GET && path.starts_with("/v1/"));
        let mut count = 0;
        for (method, path) in writes {
            let path = path.replace("{org}", "northwind").replace("{user_id}", table::MEMBER);
            for of in [None, Some(&org)] {
                let token = app.token(of, TokenScope::Manage).await;
                let half = Half::of(r#"{"name":"Made","scope":"manage"}"#);
                let (answer, ()) = tokio::join!(
                    answer_of(&router, rest(&token, method.clone(), &path, half.body)),
                    async {
                        half.awaited.await.unwrap();
                        revoke(app, &token).await;
                        half.finish.send(()).unwrap();
                    }
                );
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
                count += 1;
            }
        }
        assert!(count > 40, "{count}");
    }

    async fn a_session_that_ends_while_a_form_arrives_can_do_nothing_with_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        app.database.execute("UPDATE users SET operator_since = 0").await;
        crate::denials::furnish(app, &org).await;
        let key = org.key("Production").await.id.to_string();
        let needs_session = |entry: &Entry| entry.method == Method::POST && ![Access::Everyone, Access::ServiceToken].contains(&entry.access);
        for entry in table::entries().into_iter().filter(needs_session) {
            let (request, fields) = entry.request(&dana, "northwind", &key);
            let request = request.header(header::CONTENT_TYPE, FORM);
            let half = Half::of(&fields);
            let (answer, ()) = tokio::join!(
                dana.send_raw(request, half.body),
                async {
                    half.awaited.await.unwrap();
                    app.database.execute("UPDATE users SET disabled_at = 0").await;
                    half.finish.send(()).unwrap();
                }
            );
            if entry.is_page() {
                assert_eq!(answer.status, 303, "{entry}: {}", answer.body);
                assert!(answer.header("location").starts_with("/sign-in"), "{entry}: {answer:?}");
            } else {
                assert_eq!(answer.status, 401, "{entry}: {}", answer.body);
            }
            app.database.execute("UPDATE users SET disabled_at = NULL").await;
        }
        assert_eq!(dana.get("/account").await.status, 200);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys WHERE revoked_at IS NULL AND disabled_at IS NULL").await, 1);
    }

    async fn whoever_loses_their_role_while_a_file_arrives_imports_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("olaf", Role::Owner).await;
        let dana = app.signed_in(&org, "dana", Role::Admin).await;
        let form = format!("format=csv&go=import&text=name,sha256%0AOld,{DIGEST}");
        let import = async |taken_away: &str| {
            let half = Half::of(&form);
            let request = dana.request(Method::POST, IMPORT).header(header::CONTENT_TYPE, FORM);
            let (answer, ()) = tokio::join!(dana.send_raw(request, half.body), async {
                half.awaited.await.unwrap();
                app.database.execute(taken_away).await;
                half.finish.send(()).unwrap();
            });
            answer.status
        };
        let of_dana = "WHERE user_id = (SELECT id FROM users WHERE email = 'dana@northwind.example')";
        assert_eq!(import(&format!("UPDATE memberships SET role = 'member' {of_dana}")).await, 403);
        app.database.execute(&format!("UPDATE memberships SET role = 'admin' {of_dana}")).await;
        assert_eq!(import(&format!("DELETE FROM memberships {of_dana}")).await, 404);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }

    async fn forms_of_one_session_that_never_arrive_delay_no_other_session_of_its_user(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let (router, origin) = app.server(&[]);
        let [dana, thief] = [(); 2].map(|()| Browser::new(router.clone(), &origin));
        for browser in [&dana, &thief] {
            browser.sign_in("dana@northwind.example", PASSWORD).await;
        }
        let slow = |browser: &Browser, path: &str, body| {
            let request = browser.request(Method::POST, path).header(header::CONTENT_TYPE, FORM);
            (request, body)
        };
        // The owner's own form arrives slowly, and is not displaced by those of the other session.
        let half = Half::of("name=+");
        let (request, body) = slow(&dana, "/orgs/new", half.body);
        let owners = dana.send_raw(request, body);
        let meanwhile = async {
            half.awaited.await.unwrap();
            let mut halves: FuturesUnordered<_> = (0..3 * MAX_OF_SESSION).map(|number| {
                let path = if number % 2 == 0 { "/orgs/new" } else { IMPORT };
                let (request, body) = slow(&thief, path, never());
                thief.send_raw(request, body).map(|answer| answer.status)
            }).collect();
            let displaced = halves.by_ref().take(2 * MAX_OF_SESSION);
            assert!(displaced.all(|status| ready(status == 503)).await);
            assert!(halves.next().now_or_never().is_none());
            assert_eq!(dana.get("/orgs/northwind/keys").await.status, 200);
            // Whole forms are handled, also those of the same session: they are refused because their name is blank.
            for browser in [&dana, &thief] {
                assert_eq!(browser.submit("/orgs/new", &[("name", " ")]).await.status, 422);
            }
            half.finish.send(()).unwrap();
        };
        let (answer, ()) = tokio::join!(owners, meanwhile);
        assert_eq!(answer.status, 422, "{answer:?}");
    }

    async fn requests_of_one_token_that_never_arrive_delay_no_other_token_of_its_org(app: &TestApp) {
        let org = app.org("northwind").await;
        let (router, _) = app.server(&[]);
        let [stolen, ours] = [app.token(Some(&org), TokenScope::Manage).await, app.token(Some(&org), TokenScope::Manage).await];
        let half = Half::of(r#"{"name":"Made"}"#);
        let slow = answer_of(&router, rest(&ours, Method::POST, "/v1/orgs/northwind/projects", half.body));
        let meanwhile = async {
            half.awaited.await.unwrap();
            let mut halves: FuturesUnordered<_> = (0..2 * MAX_OF_TOKEN).map(|number| {
                let path = if number % 2 == 0 { "/v1/orgs/northwind/agents" } else { "/v1/orgs/northwind/keys/import" };
                send(&router, rest(&stolen, Method::POST, path, never())).map(|answer| answer.status())
            }).collect();
            let displaced = halves.by_ref().take(MAX_OF_TOKEN);
            assert!(displaced.all(|status| ready(status == 503)).await);
            assert!(halves.next().now_or_never().is_none());
            for token in [&ours, &stolen] {
                let list = rest(token, Method::GET, "/v1/orgs/northwind/keys", Body::empty());
                assert_eq!(answer_of(&router, list).await.status, 200);
                let name = format!(r#"{{"name":"{}"}}"#, token.expose().len());
                let create = rest(token, Method::POST, "/v1/orgs/northwind/agents", Body::from(name));
                assert_eq!(answer_of(&router, create).await.status, 201);
            }
            half.finish.send(()).unwrap();
        };
        let (answer, ()) = tokio::join!(slow, meanwhile);
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    async fn the_files_of_one_org_leave_another_the_memory_for_its_own(app: &TestApp) {
        let (large, small) = (app.org("northwind").await, app.org("contoso").await);
        let (router, _) = app.server(&[]);
        let import = |token: &PlainKey, org: &str, body| {
            let path = format!("/v1/orgs/{org}/keys/import?dry_run=true");
            answer_of(&router, rest(token, Method::POST, &path, body))
        };
        // A little more than each file of the other organization, so it would have the most of all tokens.
        let file = format!(r#"[{{"name":"Theirs","sha256":"{DIGEST}"}}{}]"#, " ".repeat(4_000_000));
        let half = Half::split(&file, file.len() - 1);
        let theirs = app.token(Some(&small), TokenScope::Manage).await;
        let theirs = import(&theirs, "contoso", half.body);
        let meanwhile = async {
            half.awaited.await.unwrap();
            let mut tokens = vec![];
            for _ in 0..60 {
                tokens.push(app.token(Some(&large), TokenScope::Manage).await);
            }
            let files: FuturesUnordered<_> = tokens.iter().map(|token| {
                import(token, "northwind", never_after("x".repeat(3_500_000))).map(|answer| answer.status)
            }).collect();
            // Four of them have the memory of their organization, which is an eighth of all.
            let displaced: Vec<_> = files.take(56).collect().await;
            assert!(displaced.iter().all(|status| *status == 503), "{displaced:?}");
            half.finish.send(()).unwrap();
        };
        let (answer, ()) = tokio::join!(theirs, meanwhile);
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn a_body_without_a_valid_token_is_not_read(app: &TestApp) {
        app.org("northwind").await;
        let (router, _) = app.server(&[]);
        let half = Half::of(r#"{"name":"Made"}"#);
        let unknown = PlainKey::from_presented("lk_service_unknown");
        let answer = answer_of(&router, rest(&unknown, Method::POST, "/v1/orgs/northwind/agents", half.body)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(half.awaited.await.is_err());
    }
}

/// A body of which half arrives at once, and the rest when the test says so.
struct Half {
    body: Body,
    /// Resolves when the server waits for the rest.
    awaited: oneshot::Receiver<()>,
    finish: oneshot::Sender<()>,
}

impl Half {
    fn of(text: &str) -> Self {
        Self::split(text, text.len() / 2)
    }

    fn split(text: &str, at: usize) -> Self {
        let (first, rest) = text.split_at(at);
        let (first, rest) = (first.to_owned(), rest.to_owned());
        let (waits, awaited) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        let rest = stream::once(async move {
            let _ = waits.send(());
            let _: Result<(), _> = finished.await;
            Ok(rest)
        });
        let first = stream::iter([Ok::<_, Infallible>(first)]);
        Self {
            body: Body::from_stream(first.chain(rest)),
            awaited,
            finish,
        }
    }
}

/// A body that begins and never ends.
fn never() -> Body {
    never_after("x".to_owned())
}

fn never_after(first: String) -> Body {
    let first = stream::iter([Ok::<_, Infallible>(first)]);
    Body::from_stream(first.chain(stream::pending()))
}

fn rest(token: &PlainKey, method: Method, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
        .body(body)
        .unwrap()
}

async fn send(router: &Router, request: Request<Body>) -> Response {
    router.clone().oneshot(request).await.unwrap()
}

async fn revoke(app: &TestApp, token: &PlainKey) {
    let known = service_tokens::recognise(&app.engine, token).await;
    let id = known.unwrap().unwrap().id;
    let operator = Operator::at_the_command_line();
    service_tokens::revoke(&app.engine, &operator, id)
        .await
        .unwrap();
}
