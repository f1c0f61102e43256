//! Signing up.

use std::collections::HashSet;

use latchkey::{
    access::Operator,
    accounts::{
        SignUpPolicy,
        create_user::create_user,
        password::PasswordCost,
        setup_code,
        sign_up::{MaySignUp, SignUp, SignUpError, may_sign_up, sign_up},
    },
    caller::Visit,
    name::Slug,
    orgs,
    role::{AdminRights, Rights, Role},
    time::MINUTE,
};

use crate::test_app::{
    TestApp,
    org::{PASSWORD, new_user},
};

on_both! {
    async fn the_first_person_makes_the_first_org_and_owns_it(app: &TestApp) {
        assert_eq!(may_sign_up(&app.engine).await.unwrap(), MaySignUp::First);
        let (user, org) = sign_up(&app.engine, first("dana", "Northwind Traders", app), Visit::default()).await.unwrap();
        assert_eq!(org.slug.as_str(), "northwind-traders");
        assert_eq!(orgs::of_user(&app.engine, user.user_id).await.unwrap(), [(org, Rights { role: Role::Owner, admin_rights: AdminRights::Review })]);
        assert_eq!(may_sign_up(&app.engine).await.unwrap(), MaySignUp::NoOne);
        let second = sign_up(&app.engine, person("eve", "Contoso"), Visit::default()).await;
        assert!(matches!(second, Err(SignUpError::NotOpen)), "{second:?}");
    }

    async fn of_many_first_sign_ups_at_once_one_wins(app: &TestApp) {
        let signing_up: Vec<_> = (0..8)
            .map(|number| {
                let (engine, new) = (app.engine.clone(), first(&format!("person{number}"), "Northwind", app));
                tokio::spawn(async move { sign_up(&engine, new, Visit::default()).await })
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

    async fn where_sign_up_is_closed_not_even_the_first_person_may(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Closed).await;
        let first = sign_up(&engine, first("dana", "Northwind", app), Visit::default()).await;
        assert!(matches!(first, Err(SignUpError::NotOpen)), "{first:?}");
        assert_eq!(may_sign_up(&engine).await.unwrap(), MaySignUp::NoOne);
    }

    async fn the_first_account_needs_the_code_which_all_instances_have_whatever_the_policy(app: &TestApp) {
        let open = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        assert_eq!(setup_code::text(&open), app.setup_code());
        for engine in [&app.engine, &open] {
            let without = sign_up(engine, person("eve", "Contoso"), Visit::default()).await;
            assert!(matches!(without, Err(SignUpError::WrongSetupCode)), "{without:?}");
        }
        sign_up(&open, first("dana", "Northwind", app), Visit::default()).await.unwrap();
        sign_up(&open, person("eve", "Contoso"), Visit::default()).await.unwrap();
    }

    async fn wrong_codes_are_counted_and_an_account_made_on_the_command_line_ends_the_code(app: &TestApp) {
        for _ in 0..10 {
            let wrong = sign_up(&app.engine, person("eve", "Contoso"), Visit::default()).await;
            assert!(matches!(wrong, Err(SignUpError::WrongSetupCode)), "{wrong:?}");
        }
        let throttled = sign_up(&app.engine, first("dana", "Northwind", app), Visit::default()).await;
        assert!(matches!(throttled, Err(SignUpError::TooMany { retry_after: 900 })), "{throttled:?}");
        let elsewhere = Visit { address: Some([192, 0, 2, 1].into()), ..Visit::default() };
        let org = app.org("northwind").await;
        let operator = Operator::at_the_command_line();
        create_user(&app.engine, &operator, &org.org, new_user("Dana", "dana@example.com", Role::Owner)).await.unwrap();
        let late = sign_up(&app.engine, first("eve", "Contoso", app), elsewhere).await;
        assert!(matches!(late, Err(SignUpError::NotOpen)), "{late:?}");
    }

    async fn a_network_creates_ten_accounts_in_fifteen_minutes(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        sign_up(&engine, first("dana", "Northwind", app), Visit::default()).await.unwrap();
        let from = |number: u8| Visit { address: Some([192, 0, 2, number].into()), ..Visit::default() };
        for number in 0..10 {
            // An address that has an account costs as much, so finding out which addresses have one is limited to ten
            // attempts.
            let (name, is_taken) = if number % 2 == 0 { ("dana", true) } else { ("", false) };
            let name = if is_taken { name.to_owned() } else { format!("person{number}") };
            let answer = sign_up(&engine, person(&name, "Contoso"), from(number)).await;
            assert_eq!(matches!(answer, Err(SignUpError::NotAvailable)), is_taken, "{answer:?}");
        }
        let throttled = sign_up(&engine, person("eve", "Contoso"), from(200)).await;
        assert!(matches!(throttled, Err(SignUpError::TooMany { .. })), "{throttled:?}");
        let elsewhere = Visit { address: Some([198, 51, 100, 7].into()), ..Visit::default() };
        sign_up(&engine, person("eve", "Contoso"), elsewhere).await.unwrap();
        app.clock.advance(15 * MINUTE);
        sign_up(&engine, person("ari", "Contoso"), from(200)).await.unwrap();
    }

    async fn where_sign_up_is_open_orgs_of_one_name_get_slugs_of_their_own_even_at_once(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        sign_up(&engine, first("dana", "Northwind", app), Visit::default()).await.unwrap();
        let signing_up: Vec<_> = (0..6)
            .map(|number| {
                let engine = engine.clone();
                tokio::spawn(async move { sign_up(&engine, person(&format!("person{number}"), "Northwind"), Visit::default()).await })
            })
            .collect();
        let mut slugs = HashSet::new();
        for answer in signing_up {
            let slug = answer.await.unwrap().unwrap().1.slug.to_string();
            assert!(slug.starts_with("northwind-"), "{slug}");
            slugs.insert(slug);
        }
        assert_eq!(slugs.len(), 6, "{slugs:?}");
    }

    async fn the_next_number_behind_a_slug_is_found_however_many_there_are(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        for (number, slug) in ["northwind", "northwind-east", "northwind-2", "northwind-9", "northwind-9-b", "northwind-123456789012"].iter().enumerate() {
            app.database.execute(&format!("INSERT INTO orgs (id, slug, name, created_at) VALUES ('org_{number:032}', '{slug}', 'N', 0)")).await;
        }
        let (_, org) = sign_up(&engine, first("dana", "Northwind", app), Visit::default()).await.unwrap();
        assert_eq!(org.slug.as_str(), "northwind-10");
        // A seemingly highest number does not lead to a free slug.
        for slug in ["northwind-99999999", "northwind-100000000"] {
            app.database.execute(&format!("INSERT INTO orgs (id, slug, name, created_at) VALUES ('org_{slug}', '{slug}', 'N', 0)")).await;
        }
        let (_, org) = sign_up(&engine, person("eve", "Northwind"), Visit::default()).await.unwrap();
        let number = org.slug.as_str().strip_prefix("northwind-").unwrap();
        assert!(number.len() == 9 && org.slug.as_str().parse::<Slug>().is_ok(), "{number}");
    }

    async fn an_address_signs_up_once_and_a_refusal_makes_no_org(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        sign_up(&engine, first("dana", "Northwind", app), Visit::default()).await.unwrap();
        let again = sign_up(&engine, person("dana", "Contoso"), Visit::default()).await;
        assert!(matches!(again, Err(SignUpError::NotAvailable)), "{again:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 1);
    }

    async fn a_password_is_stored_as_argon2id_alone(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.password_cost = PasswordCost::default()).await;
        sign_up(&engine, first("dana", "Northwind", app), Visit::default()).await.unwrap();
        let stored = app.database.texts("SELECT password_hash FROM users").await;
        assert!(stored[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored:?}");
        assert!(!app.database.holds(PASSWORD).await);
    }
}

/// Like [`person`], with the code that the first account requires.
pub(super) fn first(name: &str, org: &str, app: &TestApp) -> SignUp {
    SignUp {
        setup_code: app.setup_code(),
        ..person(name, org)
    }
}

pub(super) fn person(name: &str, org: &str) -> SignUp {
    SignUp {
        name: name.parse().unwrap(),
        email: format!("{name}@example.com").parse().unwrap(),
        password: PASSWORD.parse().unwrap(),
        org_name: org.parse().unwrap(),
        setup_code: String::new(),
    }
}
