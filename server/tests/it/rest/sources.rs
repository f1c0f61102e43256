//! `/v1/orgs/{org}/keys/{id}/sources`.

use std::net::{IpAddr, Ipv4Addr};

use latchkey::{usage::flush::flush, verify::Request};
use serde_json::{Value, json};

use crate::test_app::{TestApp, org::widget_key};

on_both! {
    async fn the_sources_of_a_key_are_those_of_its_valid_requests(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let (api, key) = (app.api().await, org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap());
        let path = format!("/v1/orgs/northwind/keys/{}/sources", key.id);
        let none = json!({"data": [], "other": null});
        assert_eq!(api.get(&path).await.json(), json!({"origins": none, "scopes": none, "networks": none, "clients": none}));
        let scopes = ["bots:read".parse().unwrap()];
        let request = Request { key: Some(&key.plain), origin: Some("https://shop.example"), user_agent: Some("curl/8"), scopes: &scopes, ..Request::default() };
        for number in 0..30 {
            app.ask(&Request { ip: Some(Ipv4Addr::from_bits((number / 2 * 3) << 8).into()), ..request }).await;
        }
        for number in 100..110 {
            app.ask(&Request { ip: Some(Ipv4Addr::from_bits(number << 8).into()), ..request }).await;
        }
        app.ask(&Request { origin: Some("https://evil.example"), ip: Some(IpAddr::from([203, 0, 113, 7])), ..request }).await;
        flush(&app.engine).await.unwrap();
        let sources = api.get(&path).await.json();
        let all = |value: &str| json!({"data": [{"value": value, "requests": 40, "first_at": "2026-11-21T12:00:00.000Z", "last_at": "2026-11-21T12:00:00.000Z"}], "other": null});
        assert_eq!((&sources["origins"], &sources["scopes"], &sources["clients"]), (&all("https://shop.example"), &all("bots:read"), &all("curl")));
        let networks = sources["networks"]["data"].as_array().unwrap();
        assert_eq!((networks.len(), &networks[0]["requests"]), (20, &json!(2)), "{networks:?}");
        assert_eq!(sources["networks"]["other"], json!({"requests": 5, "first_at": "2026-11-21T12:00:00.000Z", "last_at": "2026-11-21T12:00:00.000Z"}));

        let theirs = other.key("Theirs").await.id;
        for (id, field) in [(theirs.to_string(), "NOT_FOUND"), ("key_1".to_owned(), "NOT_FOUND")] {
            let answer = api.get(&format!("/v1/orgs/northwind/keys/{id}/sources")).await;
            assert_eq!((answer.status.as_u16(), answer.json()["code"].clone()), (404, Value::from(field)), "{id}");
        }
        assert_eq!(api.get(&format!("{path}?limit=5")).await.status, 400);
    }
}
