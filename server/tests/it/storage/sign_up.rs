//! Signing up.

use latchkey::{
    accounts::{
        SignUpPolicy,
        sign_up::{SignUp, SignUpError, is_open, sign_up},
    },
    caller::Visit,
    orgs,
    role::Role,
};

use crate::test_app::{TestApp, org::PASSWORD};

on_both! {
    async fn the_first_person_makes_the_first_org_and_owns_it(app: &TestApp) {
        assert!(is_open(&app.engine).await.unwrap());
        let (user, org) = sign_up(&app.engine, person("dana", "Northwind Traders"), Visit::default()).await.unwrap();
        assert_eq!(org.slug.as_str(), "northwind-traders");
        assert_eq!(orgs::of_user(&app.engine, user.user_id).await.unwrap(), [(org, Role::Owner)]);
        assert!(!is_open(&app.engine).await.unwrap());
        let second = sign_up(&app.engine, person("eve", "Contoso"), Visit::default()).await;
        assert!(matches!(second, Err(SignUpError::NotOpen)), "{second:?}");
    }

    async fn of_many_first_sign_ups_at_once_one_wins(app: &TestApp) {
        let signing_up: Vec<_> = (0..8)
            .map(|number| {
                let engine = app.engine.clone();
                tokio::spawn(async move { sign_up(&engine, person(&format!("person{number}"), "Northwind"), Visit::default()).await })
            })
            .collect();
        let mut won = 0;
        for answer in signing_up {
            match answer.await.unwrap() {
                Ok(_) => won += 1,
                Err(SignUpError::NotOpen) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won, 1);
        for table in ["users", "orgs", "memberships", "projects"] {
            assert_eq!(app.database.number(&format!("SELECT COUNT(*) FROM {table}")).await, 1, "{table}");
        }
    }

    async fn where_sign_up_is_closed_the_first_person_may_still(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Closed).await;
        sign_up(&engine, person("dana", "Northwind"), Visit::default()).await.unwrap();
        assert!(!is_open(&engine).await.unwrap());
    }

    async fn where_sign_up_is_open_orgs_of_one_name_get_slugs_of_their_own_even_at_once(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        let signing_up: Vec<_> = (0..6)
            .map(|number| {
                let engine = engine.clone();
                tokio::spawn(async move { sign_up(&engine, person(&format!("person{number}"), "Northwind"), Visit::default()).await })
            })
            .collect();
        let mut slugs = vec![];
        for answer in signing_up {
            slugs.push(answer.await.unwrap().unwrap().1.slug.to_string());
        }
        slugs.sort();
        assert_eq!(slugs, ["northwind", "northwind-2", "northwind-3", "northwind-4", "northwind-5", "northwind-6"]);
    }

    async fn an_address_signs_up_once_and_a_refusal_makes_no_org(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        sign_up(&engine, person("dana", "Northwind"), Visit::default()).await.unwrap();
        let again = sign_up(&engine, person("dana", "Contoso"), Visit::default()).await;
        assert!(matches!(again, Err(SignUpError::NotAvailable)), "{again:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 1);
    }

    async fn a_password_is_stored_as_argon2id_alone(app: &TestApp) {
        sign_up(&app.engine, person("dana", "Northwind"), Visit::default()).await.unwrap();
        let stored = app.database.texts("SELECT password_hash FROM users").await;
        assert!(stored[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored:?}");
        assert!(!app.database.holds(PASSWORD).await);
    }
}

fn person(name: &str, org: &str) -> SignUp {
    SignUp {
        name: name.parse().unwrap(),
        email: format!("{name}@example.com").parse().unwrap(),
        password: PASSWORD.parse().unwrap(),
        org_name: org.parse().unwrap(),
    }
}
