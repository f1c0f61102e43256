//! Usage by domain: which patterns allowed requests, and which hosts were rejected.

use latchkey::{
    key::text::PlainKey,
    time::DAY,
    usage::{self, DomainUse, flush::flush},
    verify::Request,
};

use crate::test_app::{NOON, TestApp, TestOrg, org::widget_key};

on_both! {
    async fn requests_are_counted_by_pattern_and_by_refused_host(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example", "*.shop.example"])).await.unwrap();
        for (origin, times) in [
            (Some("https://shop.example"), 3), (Some("https://a.shop.example"), 1), (Some("https://b.shop.example:8443"), 1),
            (Some("http://localhost:3000"), 1), (Some("https://Evil.example:8443"), 2), (Some("null"), 1), (None, 1),
        ] {
            for _ in 0..times {
                send(app, &made.plain, origin).await;
            }
        }
        flush(&app.engine).await.unwrap();
        send(app, &made.plain, Some("https://shop.example")).await;
        flush(&app.engine).await.unwrap();
        let expected = [("shop.example", true, 4), ("*.shop.example", true, 2), ("localhost", true, 1), ("", false, 2), ("evil.example", false, 2)];
        assert_eq!(rows(app, &org, made.id, 0).await, expected.map(|(domain, passed, count)| row(domain, passed, count)));
        let stranger = app.org("contoso").await;
        assert_eq!(rows(app, &stranger, made.id, 0).await, []);
    }

    async fn a_day_is_told_from_the_next(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        send(app, &made.plain, Some("https://shop.example")).await;
        app.clock.advance(DAY);
        send(app, &made.plain, Some("https://shop.example")).await;
        flush(&app.engine).await.unwrap();
        assert_eq!(rows(app, &org, made.id, 0).await, [row("shop.example", true, 2)]);
        assert_eq!(rows(app, &org, made.id, DAY).await, [row("shop.example", true, 1)]);
        app.clock.advance(91 * DAY);
        usage::retention::delete_old(&app.engine).await.unwrap();
        assert_eq!(rows(app, &org, made.id, 0).await, []);
    }

    async fn made_up_origins_fill_neither_memory_nor_table(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let mut sent = 0;
        for flushed in 0..14 {
            for host in 0..30 {
                send(app, &made.plain, Some(&format!("https://h{flushed}-{host}.example"))).await;
                sent += 1;
            }
            flush(&app.engine).await.unwrap();
            if flushed == 0 {
                assert_eq!(rows(app, &org, made.id, 0).await.len(), 21, "twenty by name and the others together");
            }
        }
        let rows = rows(app, &org, made.id, 0).await;
        assert_eq!(rows.len(), 201);
        assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), sent, "each request is counted nevertheless");
    }

    async fn a_secret_keys_requests_have_no_domains(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        app.verify(&made.plain).await;
        flush(&app.engine).await.unwrap();
        assert_eq!(rows(app, &org, made.id, 0).await, []);
    }
}

async fn send(app: &TestApp, key: &PlainKey, origin: Option<&str>) {
    app.ask(&Request {
        key: Some(key),
        origin,
        ..Request::default()
    })
    .await;
}

async fn rows(
    app: &TestApp,
    org: &TestOrg,
    key: latchkey::id::KeyId,
    after_noon: i64,
) -> Vec<DomainUse> {
    usage::by_domain(&app.engine, &org.permit(), key, NOON.plus(after_noon))
        .await
        .unwrap()
}

fn row(domain: &str, passed: bool, count: i64) -> DomainUse {
    DomainUse {
        domain: domain.to_owned(),
        passed,
        count,
    }
}
