//! Pages are compressed, but never a response that shows a secret.

use axum::http::{Method, header};
use latchkey::role::Role;

use crate::{
    pages::new_key::shown_key,
    test_app::{Browser, HttpAnswer, TestApp},
};

async fn accepting_gzip(browser: &Browser, method: Method, path: &str, form: &str) -> HttpAnswer {
    let request = browser.request(method, path);
    let request = request.header(header::ACCEPT_ENCODING, "br, gzip");
    browser.send(request, form).await
}

on_both! {
    async fn pages_are_compressed_for_clients_that_accept_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for path in ["/sign-in", "/orgs/northwind/keys", "/docs"] {
            let plain = owner.get(path).await;
            let compressed = accepting_gzip(&owner, Method::GET, path, "").await;
            assert_eq!(plain.header("content-encoding"), "", "{path}");
            assert_eq!(compressed.header("content-encoding"), "gzip", "{path}");
            assert_eq!(compressed.header("vary"), "accept-encoding", "{path}");
            assert!(compressed.body.len() < plain.body.len(), "{path}");
        }
        for path in ["/orgs/northwind/audit.csv", "/healthz"] {
            let other = accepting_gzip(&owner, Method::GET, path, "").await;
            assert_eq!(other.header("content-encoding"), "", "{path}");
        }
    }

    async fn a_response_that_shows_a_secret_is_not_compressed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = "name=Production&kind=secret&environment=live&expires=never&access=full";
        let shown = accepting_gzip(&owner, Method::POST, "/orgs/northwind/keys/new", form).await;
        assert_eq!(shown.header("content-encoding"), "");
        assert!(!shown_key(&shown).is_empty());
    }
}
