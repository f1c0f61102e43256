//! The IP ranges of a key and the address of the end client.

use latchkey::verify::Request;

use crate::test_app::{TestApp, said};

on_both! {
    async fn a_key_with_ranges_works_from_them_alone(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        app.database.execute(r#"UPDATE keys SET ip_ranges = '["10.0.0.0/8", "2001:db8::/32", "192.0.2.10"]'"#).await;
        for (ip, passes) in [
            (Some("10.1.2.3"), true),
            (Some("::ffff:10.1.2.3"), true),
            (Some("2001:db8:ffff::1"), true),
            (Some("192.0.2.10"), true),
            (Some("192.0.2.11"), false),
            (Some("11.0.0.0"), false),
            (Some("2001:db9::1"), false),
            (None, false),
        ] {
            let request = Request { key: Some(&made.plain), ip: ip.map(|ip| ip.parse().unwrap()), ..Request::default() };
            let expected = if passes { "VALID" } else { "IP_NOT_ALLOWED" };
            assert_eq!(said(&app.ask(&request).await), expected, "{ip:?}");
        }
    }

    async fn a_key_without_ranges_works_from_everywhere(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        let request = Request { key: Some(&made.plain), ip: Some("203.0.113.9".parse().unwrap()), ..Request::default() };
        assert_eq!(said(&app.ask(&request).await), "VALID");
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }
}
