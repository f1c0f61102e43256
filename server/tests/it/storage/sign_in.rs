//! Signing in.

use futures_util::future::join_all;
use latchkey::{
    accounts::{password::TypedPassword, reset, sign_in::sign_in},
    caller::Visit,
    role::Role,
};

use super::sign_in_budgets::{DANA, HOME, try_password, visit};
use crate::test_app::{TestApp, only_step, org::PASSWORD};

on_both! {
    async fn the_right_password_signs_in(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let email = " Dana@Northwind.Example ".parse().unwrap();
        let step = sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &visit(HOME), "").await.unwrap();
        assert_eq!(only_step(step).user_id, dana);
        let nowhere = Visit::default();
        sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &nowhere, "").await.unwrap();
    }

    async fn a_wrong_password_and_an_unknown_address_are_answered_alike(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        let wrong = try_password(&app.engine, DANA, "wrong password", HOME, "").await;
        let unknown = try_password(&app.engine, "nobody@northwind.example", PASSWORD, HOME, "").await;
        assert_eq!(wrong, "The e-mail address or password is incorrect.");
        assert_eq!(wrong, unknown);
        for near in ["", "marmalade on a tuesda", "marmalade on a tuesday ", "Marmalade on a tuesday"] {
            assert_eq!(try_password(&app.engine, DANA, near, HOME, "").await, wrong, "{near}");
        }
    }
}

/// Postgres: the statements of SQLite wait for no lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_with_made_up_addresses_share_one_connection_until_they_have_a_place() {
    let app = TestApp::on_postgres_under("latchkey").await;
    app.org("northwind")
        .await
        .person("dana", Role::Member)
        .await;
    let held = app.database.hold_table("users").await;
    let addresses =
        (0..100_u8).map(|number| (number, format!("nobody-{number}@northwind.example")));
    let tries = addresses.map(|(number, email)| {
        let from = format!("203.0.{number}.1");
        let engine = &app.engine;
        async move { try_password(engine, &email, PASSWORD, &from, "").await }
    });
    let other = async {
        while app.database.waiting().await == 0 {
            tokio::task::yield_now().await;
        }
        // On the same connections.
        app.engine.db().ping().await.unwrap();
        assert_eq!(app.database.waiting().await, 1);
        drop(held);
    };
    let (answers, ()) = tokio::join!(join_all(tries), other);
    assert!(answers.iter().all(|answer| answer != "signed in"));
    assert_eq!(
        try_password(&app.engine, DANA, PASSWORD, HOME, "").await,
        "signed in"
    );
    app.remove().await;
}

/// Postgres, for the same reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn strangers_who_request_links_share_one_connection_until_they_are_counted() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let held = app.database.hold_table("attempts").await;
    let requests = (0..100_u8).map(|number| {
        let email = format!("nobody-{number}@northwind.example");
        let from = visit(&format!("203.0.{number}.1"));
        reset::request(&app.engine, email.parse().unwrap(), from)
    });
    let other = async {
        while app.database.waiting().await == 0 {
            tokio::task::yield_now().await;
        }
        // On the same connections.
        app.engine.db().ping().await.unwrap();
        assert_eq!(app.database.waiting().await, 1);
        drop(held);
    };
    let (requested, ()) = tokio::join!(join_all(requests), other);
    assert!(requested.iter().all(Result::is_ok));
    app.remove().await;
}
