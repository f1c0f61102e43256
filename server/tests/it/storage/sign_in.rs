//! Signing in, and how guessing is slowed down.

use latchkey::{
    Engine,
    accounts::{
        password::TypedPassword,
        sign_in::{SignInError, sign_in},
    },
    caller::Visit,
    role::Role,
    time::SECOND,
};

use crate::test_app::{TestApp, org::PASSWORD};

const DANA: &str = "dana@northwind.example";
const HOME: &str = "192.0.2.1";

on_both! {
    async fn the_right_password_signs_in(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let email = " Dana@Northwind.Example ".parse().unwrap();
        let user = sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &visit(HOME)).await.unwrap();
        assert_eq!(user.user_id, dana);
    }

    async fn a_wrong_password_and_an_unknown_address_are_answered_alike(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        let wrong = try_password(&app.engine, DANA, "wrong password", HOME).await;
        let unknown = try_password(&app.engine, "nobody@northwind.example", PASSWORD, HOME).await;
        assert_eq!(wrong, "The e-mail address or password is incorrect.");
        assert_eq!(wrong, unknown);
        for near in ["", "marmalade on a tuesda", "marmalade on a tuesday ", "Marmalade on a tuesday"] {
            assert_eq!(try_password(&app.engine, DANA, near, HOME).await, wrong, "{near}");
        }
    }

    async fn after_ten_wrong_tries_there_is_one_each_half_minute(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        for number in 0..10 {
            // From anywhere: the account is what is guarded.
            let answer = try_password(&app.engine, DANA, "wrong password", &format!("192.0.2.{number}")).await;
            assert!(answer.contains("incorrect"), "{answer}");
        }
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME).await, "Too many attempts. Wait 30 seconds and try again.");
        app.clock.advance(30 * SECOND);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME).await, "signed in");
    }

    async fn guesses_from_one_address_are_counted_whatever_the_account(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        for number in 0..10 {
            // A household's IPv6 addresses count as one.
            let (email, from) = (format!("nobody{number}@example.com"), format!("2001:db8:1:2::{number}"));
            assert!(try_password(&app.engine, &email, "wrong password", &from).await.contains("incorrect"));
        }
        assert!(try_password(&app.engine, DANA, PASSWORD, "2001:db8:1:2::ffff").await.starts_with("Too many attempts"));
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, "2001:db8:1:3::1").await, "signed in");
    }
}

/// Tries to sign in and says what came of it.
async fn try_password(engine: &Engine, email: &str, password: &str, from: &str) -> String {
    match sign_in(
        engine,
        &email.parse().unwrap(),
        TypedPassword::new(password),
        &visit(from),
    )
    .await
    {
        Ok(_) => "signed in".to_owned(),
        Err(error @ (SignInError::WrongCredentials { .. } | SignInError::TooMany { .. })) => {
            error.to_string()
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn visit(from: &str) -> Visit {
    Visit {
        address: Some(from.parse().unwrap()),
        ..Visit::default()
    }
}
