//! URLs that do not exist.

use axum::http::Method;
use latchkey::role::Role;

use crate::test_app::TestApp;

on_both! {
    async fn a_name_that_is_no_text_is_answered_by_a_page_of_ours(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        let routes = latchkey_server::routes().into_iter();
        let mut sent = 0;
        for (method, path) in routes.filter(|(_, path)| path.starts_with("/orgs/{org}")) {
            let method: Method = method.to_string().parse().unwrap();
            let form = if method == Method::POST { "name=A" } else { "" };
            let named: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "%FF" } else { part }).collect();
            let path = named.join("/");
            let answer = dana.send(dana.request(method.clone(), &path), form).await;
            assert!(matches!(answer.status.as_u16(), 302 | 404), "{method} {path}: {} {}", answer.status, answer.body);
            assert!(!answer.body.contains("UTF-8"), "{method} {path}: {}", answer.body);
            sent += usize::from(method == Method::POST);
        }
        assert!(sent > 4, "{sent}");
    }
}
