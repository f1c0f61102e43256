//! `/orgs/{org}/usage/live`: usage pages that update themselves.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use http_body_util::BodyExt as _;
use latchkey::{role::Role, usage::flush::flush};
use tokio::time::timeout;

use crate::test_app::{Browser, TestApp, org::PASSWORD};

const LIVE: &str = "/orgs/northwind/usage/live?range=24h";

/// A second, and a little for a busy machine.
const A_SECOND: Duration = Duration::from_millis(1_300);

on_both! {
    async fn pages_of_an_organization_share_each_report_and_end_with_a_membership(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        app.verify(&key.plain).await;
        flush(&app.engine).await.unwrap();
        let server = Server::start(app);
        org.person("ari", Role::Admin).await;
        org.person("mo", Role::Member).await;
        let (admin, member) = (server.signed_in("ari").await, server.signed_in("mo").await);
        let answer = admin.begin(LIVE).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap();
        assert_eq!(["content-type", "cache-control", "x-accel-buffering"].map(header), ["text/event-stream", "no-store", "no"]);
        assert!(header("content-security-policy").contains("default-src 'none'"));
        let mut first = answer.into_body();
        assert_eq!(next(&mut first).await.unwrap(), "retry: 5000\n\n");
        let report = report(&mut first).await;
        assert!(report.starts_with("data: ") && report.ends_with("\n\n") && report.contains("Production"), "{report}");
        let mut second = admin.begin(LIVE).await.into_body();
        assert_eq!(self::report(&mut second).await, report);
        assert_eq!(server.reports().await, 1);
        // A member gets a report of their own, without keys, when it is its turn.
        let mut of_member = member.begin(LIVE).await.into_body();
        app.database.execute("DELETE FROM memberships WHERE role = 'admin'").await;
        for stream in [&mut first, &mut second] {
            ends_within_a_second(stream).await;
        }
        let totals = self::report(&mut of_member).await;
        assert!(!totals.contains("Production") && server.reports().await == 2, "{totals}");
        assert_eq!(admin.begin(LIVE).await.status(), 404);
        server.stop_streams();
        ends_within_a_second(&mut of_member).await;
        assert_eq!(member.begin(LIVE).await.status(), 429);
    }

    async fn a_session_has_five_streams_which_end_with_it_or_its_role(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("ari", Role::Admin).await;
        let server = Server::start(app);
        let (owner, admin) = (server.signed_in("dana").await, server.signed_in("ari").await);
        let mut open = Vec::new();
        for _ in 0..5 {
            let answer = owner.begin(LIVE).await;
            assert_eq!(answer.status(), 200);
            open.push(answer.into_body());
        }
        let refused = owner.begin(LIVE).await;
        assert_eq!((refused.status(), refused.headers()["retry-after"].to_str().unwrap()), (StatusCode::TOO_MANY_REQUESTS, "30"));
        let mut others = admin.begin(LIVE).await.into_body();
        let again = server.signed_in("dana").await;
        assert_eq!(again.begin(LIVE).await.status(), 200);
        drop(open.pop());
        open.push(owner.begin(LIVE).await.into_body());
        // Its streams take none of its places for pages.
        assert_eq!(owner.get("/orgs/northwind/usage").await.status, 200);
        app.database.execute("UPDATE memberships SET role = 'member' WHERE role = 'admin'").await;
        ends_within_a_second(&mut others).await;
        assert_eq!(owner.submit("/sign-out", &[]).await.status, 303);
        for stream in &mut open {
            ends_within_a_second(stream).await;
        }
        let long = format!("{LIVE}&x={}", "x".repeat(2_000));
        assert_eq!(again.begin(&long).await.status(), 400);
    }

    async fn a_question_without_an_answer_and_a_page_of_another_site_get_no_stream(app: &TestApp) {
        let org = app.org("northwind").await;
        let foreign = app.org("contoso").await.key("Theirs").await.id;
        let own = org.key("Ours").await.id;
        org.person("dana", Role::Owner).await;
        org.person("mo", Role::Member).await;
        let server = Server::start(app);
        let (owner, member) = (server.signed_in("dana").await, server.signed_in("mo").await);
        let mut open = Vec::new();
        for query in [
            "from=9999-01-01".to_owned(), "from=2026-11-20&to=2026-11-10".to_owned(), "from=1970-01-01".to_owned(), "range=1y".to_owned(),
            "range=12m&step=minute".to_owned(), format!("key={foreign}"), "key=key_00000000000000000000000000000000".to_owned(), "agent=nobody".to_owned(),
            "project=prj_00000000000000000000000000000000".to_owned(), "group_by=weather".to_owned(), "from=2024-01-01&group_by=key".to_owned(),
        ] {
            let page = owner.get(&format!("/orgs/northwind/usage?{query}")).await;
            let answer = owner.begin(&format!("/orgs/northwind/usage/live?{query}")).await;
            // Each is what the page itself shows an error about.
            assert!([200, 400, 404].contains(&page.status.as_u16()) && answer.status() == 400, "{query}: {} {}", page.status, answer.status());
        }
        assert_eq!(member.begin(&format!("/orgs/northwind/usage/live?key={own}")).await.status(), 403);
        for (name, value) in [
            ("sec-fetch-site", "same-site"), ("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3001"), ("origin", "https://localhost:3000"), ("origin", "null"),
        ] {
            let mut request = owner.request(Method::GET, LIVE);
            let headers = request.headers_mut().unwrap();
            headers.remove("sec-fetch-site");
            headers.insert(name, value.parse().unwrap());
            assert_eq!(owner.send(request, "").await.status, 403, "{name}: {value}");
        }
        // None of these has taken a place.
        for query in [format!("key={own}"), "key=ours".to_owned(), "range=7d".to_owned(), "from=2026-11-20".to_owned(), "group_by=key".to_owned()] {
            let answer = owner.begin(&format!("/orgs/northwind/usage/live?{query}")).await;
            assert_eq!(answer.status(), 200, "{query}");
            open.push(answer.into_body());
        }
        assert_eq!(owner.begin(LIVE).await.status(), 429);
    }

    async fn one_user_cannot_take_all_streams_of_an_organization(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("mo", Role::Member).await;
        let server = Server::start(app);
        let mut open = Vec::new();
        for _ in 0..5 {
            let browser = server.signed_in("mo").await;
            for _ in 0..5 {
                let answer = browser.begin(LIVE).await;
                assert_eq!(answer.status(), 200);
                open.push(answer.into_body());
            }
        }
        assert_eq!(server.signed_in("mo").await.begin(LIVE).await.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(server.signed_in("dana").await.begin(LIVE).await.status(), StatusCode::OK);
    }
}

/// One server for several browsers.
struct Server {
    state: latchkey_server::AppState,
    router: axum::Router,
}

impl Server {
    fn start(app: &TestApp) -> Self {
        let state = app.state(&[]);
        let router = latchkey_server::router(state.clone());
        Self { state, router }
    }

    async fn signed_in(&self, name: &str) -> Browser {
        let browser = Browser::new(self.router.clone(), "http://localhost:3000");
        let email = format!("{name}@northwind.example");
        assert_eq!(browser.sign_in(&email, PASSWORD).await.status, 303);
        browser
    }

    /// How many reports were computed.
    async fn reports(&self) -> u64 {
        let browser = Browser::new(self.router.clone(), "http://localhost:3000");
        let metrics = browser.get("/metrics").await.body;
        let name = "latchkey_live_reports_total ";
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().parse().unwrap()
    }

    /// What a stop of the server does first.
    fn stop_streams(&self) {
        self.state.live.stop.cancel();
    }
}

/// The next part of a stream; `None` at its end.
async fn next(stream: &mut Body) -> Option<String> {
    let frame = timeout(Duration::from_secs(11), stream.frame())
        .await
        .unwrap();
    let bytes = frame?.unwrap().into_data().unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

/// The next report of a stream.
async fn report(stream: &mut Body) -> String {
    loop {
        let part = next(stream).await.unwrap();
        if part.starts_with("data:") {
            return part;
        }
    }
}

async fn ends_within_a_second(stream: &mut Body) {
    let end = async { while next(stream).await.is_some() {} };
    timeout(A_SECOND, end).await.unwrap();
}
