//! The requests of one client do not delay others.

use std::{convert::Infallible, future::ready, net::SocketAddr, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Builder},
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    stream::{FuturesUnordered, pending},
};
use latchkey::{key::text::PlainKey, role::Role, service_tokens::TokenScope};
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::test_app::{Browser, TestApp, org::PASSWORD};

/// The number of requests of a client that are handled concurrently, and the maximum number in progress.
const AT_ONCE: usize = 6;
const MAX_OF_PERSON: usize = 64;
const MAX_OF_ORG: usize = 64;
const MAX_OF_ADDRESS: usize = 256;
/// The maximum number of forms of an address that are in transit.
const MAX_ARRIVING: usize = 32;

on_both! {
    async fn one_person_who_opens_very_many_pages_is_told_to_wait_and_others_are_answered(app: &TestApp) {
        let (north, south) = (app.org("northwind").await, app.org("southwind").await);
        north.person("dana", Role::Owner).await;
        south.person("eve", Role::Owner).await;
        // Two browsers at one server, behind the shared address of an office.
        let (router, origin) = app.server(&[]);
        let [dana, eve] = [(); 2].map(|()| Browser::new(router.clone(), &origin));
        dana.sign_in("dana@northwind.example", PASSWORD).await;
        eve.sign_in("eve@southwind.example", PASSWORD).await;

        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(dana.begin("/orgs/northwind/keys").await);
        }
        let mut waiting: FuturesUnordered<_> =
            (AT_ONCE..=MAX_OF_PERSON).map(|_| dana.get("/orgs/northwind/keys")).collect();
        let first = waiting.next().await.unwrap();
        assert_eq!((first.status, first.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"), "{first:?}");
        assert!(first.body.contains("Latchkey is busy"), "{first:?}");
        assert!(waiting.next().now_or_never().is_none(), "the others wait");
        assert_eq!(eve.get("/orgs/southwind/keys").await.status, 200);

        // A client that disconnects frees its place, whether it waits or is being handled.
        drop(held);
        let answered = waiting.by_ref().take(20).filter(|answer| ready(answer.status == 200));
        assert_eq!(answered.count().await, 20);
        drop(waiting);
        assert_eq!(dana.get("/orgs/northwind/keys").await.status, 200);
    }

    async fn one_client_behind_a_proxy_leaves_it_to_the_others(app: &TestApp) {
        let (router, _) = app.server(&[("trusted_proxies", "192.0.2.0/24")]);
        // One /64 network counts as one client, whatever number of addresses it uses.
        let mut one_more = (0..).map(|number| begin(&router, "/sign-in", format!("2001:db8:1:2::{number:x}")));
        let mut held = Vec::new();
        for answer in one_more.by_ref().take(AT_ONCE) {
            let answer = answer.await;
            assert_eq!(answer.status(), 200);
            held.push(answer);
        }
        let mut waiting: FuturesUnordered<_> = one_more.by_ref().take(MAX_OF_ADDRESS + 1 - AT_ONCE).collect();
        let first = waiting.next().await.unwrap();
        assert_eq!(first.status(), 503);
        assert_eq!(first.headers()[header::RETRY_AFTER], "2");
        assert!(waiting.next().now_or_never().is_none(), "the others wait");
        let begin = async |path, client: &str| begin(&router, path, client.to_owned()).await.status();
        assert_eq!(begin("/sign-in", "2001:db8:1:3::1").await, 200);
        // The API and monitoring have no such share.
        assert_eq!(begin("/healthz", "2001:db8:1:2::1").await, 200);
        assert_eq!(begin("/v1/orgs", "2001:db8:1:2::1").await, 401);
        held.clear();
        assert_eq!(waiting.next().await.unwrap().status(), 200);
        drop(waiting);
        assert_eq!(begin("/sign-in", "2001:db8:1:2::1").await, 200);
    }

    async fn forms_that_never_arrive_keep_nobody_at_their_address_from_anything(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let (router, origin) = app.server(&[]);
        let browser = || Browser::new(router.clone(), &origin);
        let (dana, newcomer) = (browser(), browser());
        dana.sign_in("dana@northwind.example", PASSWORD).await;
        let mut halves: FuturesUnordered<_> = (0..MAX_OF_ADDRESS).map(|number| {
            // A made-up session is looked up, and does not block anyone either.
            let cookie = format!("latchkey-3000={number:0>22}");
            let half = browser().request(Method::POST, "/sign-in")
                .header(header::HOST, "localhost:3000")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::COOKIE, if number % 2 == 0 { cookie } else { String::new() })
                .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 50_000))))
                .body(Body::from_stream(pending::<Result<Vec<u8>, Infallible>>()))
                .unwrap();
            router.clone().oneshot(half).map(|answer| answer.unwrap().status())
        }).collect();
        let displaced = halves.by_ref().take(MAX_OF_ADDRESS - MAX_ARRIVING);
        assert!(displaced.all(|status| ready(status == 503)).await);
        assert!(halves.next().now_or_never().is_none());
        assert_eq!(dana.get("/orgs/northwind/keys").await.status, 200);
        assert_eq!(newcomer.get("/sign-in").await.status, 200);
        assert_eq!(newcomer.sign_in("dana@northwind.example", PASSWORD).await.status, 303);
    }

    async fn pages_that_answer_forms_of_one_address_have_turns(app: &TestApp) {
        let (router, _) = app.server(&[]);
        let sign_up = |client: &str| {
            let form = from(client, Method::POST, "/sign-up")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from("name=&email=&org_name=&password=short"))
                .unwrap();
            router.clone().oneshot(form).map(Result::unwrap)
        };
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(sign_up("192.0.2.9").await);
        }
        assert!(held.iter().all(|answer| answer.status() == 422), "{held:?}");
        let mut one_more = pin!(sign_up("192.0.2.9"));
        assert!(timeout(Duration::from_millis(300), one_more.as_mut()).await.is_err());
        assert_eq!(begin(&router, "/sign-in", "192.0.2.9".to_owned()).await.status(), 200);
        held.pop();
        assert_eq!(one_more.await.status(), 422);
    }

    async fn a_form_that_is_too_large_of_someone_whose_session_has_ended_leads_to_signing_in(app: &TestApp) {
        let browser = app.browser();
        let notes = "x".repeat(100_000);
        let answer = browser.submit("/orgs/northwind/keys/new", &[("notes", &notes)]).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in?next=%2Forgs%2Fnorthwind%2Fkeys%2Fnew&ended=1"));
        assert_eq!(browser.submit("/sign-up", &[("name", &notes)]).await.status, 413);
    }

    async fn a_form_that_arrives_slowly_keeps_nobody_from_signing_in(app: &TestApp) {
        let (router, _) = app.server(&[]);
        let mut slow: FuturesUnordered<_> = (0..2 * AT_ONCE).map(|_| {
            let never = Body::from_stream(pending::<Result<Vec<u8>, Infallible>>());
            let form = from("192.0.2.9", Method::POST, "/sign-in")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(never)
                .unwrap();
            router.clone().oneshot(form)
        }).collect();
        assert!(slow.next().now_or_never().is_none());
        assert_eq!(begin(&router, "/sign-in", "192.0.2.9".to_owned()).await.status(), 200);
    }

    async fn the_tokens_of_an_org_share_its_places_in_the_rest_api(app: &TestApp) {
        let (north, south) = (app.org("northwind").await, app.org("southwind").await);
        let state = app.state(&[]);
        let router = latchkey_server::router(state.clone());
        let [ours, theirs] = [app.token(Some(&north), TokenScope::Manage).await, app.token(Some(&south), TokenScope::Manage).await];
        let second = app.token(Some(&north), TokenScope::Manage).await;
        let operators = app.token(None, TokenScope::Manage).await;
        let send = |token: &PlainKey, method: Method, path: &str, body: Body| {
            let request = from("192.0.2.9", method, path)
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
                .body(body)
                .unwrap();
            router.clone().oneshot(request).map(Result::unwrap)
        };
        let list = |token: &PlainKey, org: &str| send(token, Method::GET, &format!("/v1/orgs/{org}/keys"), Body::empty());
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(state.shares.of_org(north.org.id).await.unwrap());
        }
        let mut next = Box::pin(list(&second, "northwind"));
        assert!(timeout(Duration::from_millis(300), next.as_mut()).await.is_err(), "six at a time");
        let mut waiting: FuturesUnordered<_> = (AT_ONCE + 1..=MAX_OF_ORG).map(|_| list(&second, "northwind")).collect();
        let refused = waiting.next().await.unwrap();
        assert_eq!((refused.status().as_u16(), &refused.headers()[header::RETRY_AFTER]), (503, &HeaderValue::from_static("2")));
        assert!(waiting.next().now_or_never().is_none(), "the others wait");
        let verify = send(&ours, Method::POST, "/v1/verify", Body::from("{}"));
        assert_eq!(verify.await.status(), 200, "verification needs no place");
        assert_eq!(list(&theirs, "southwind").await.status(), 200);
        assert_eq!(list(&operators, "northwind").await.status(), 200);
        held.pop();
        assert_eq!(next.await.status(), 200);
        assert_eq!(waiting.filter(|answer| ready(answer.status() == 200)).count().await, MAX_OF_ORG - AT_ONCE - 1);
    }
}

/// Sends a request of a client behind a proxy, without reading the response body.
async fn begin(router: &Router, path: &str, client: String) -> Response<Body> {
    let request = from(&client, Method::GET, path)
        .body(Body::empty())
        .unwrap();
    router.clone().oneshot(request).await.unwrap()
}

/// A request of a client behind a proxy.
fn from(client: &str, method: Method, path: &str) -> Builder {
    let proxy: SocketAddr = ([192, 0, 2, 1], 50_000).into();
    Request::builder()
        .method(method)
        .uri(path)
        .extension(ConnectInfo(proxy))
        .header(header::HOST, "localhost:3000")
        .header("x-forwarded-for", client)
}
