//! Organizations that people create in the pages.

use latchkey::{
    access::Operator,
    caller::{Person, Visit},
    id::UserId,
    operators::mark,
    orgs::{
        self, OrgPolicy,
        create_own::{CreateOwnError, MAX_ORGS, create_own},
        delete::delete,
    },
    role::Role,
    time::{DAY, SECOND},
};

use crate::test_app::TestApp;

const OPERATOR: Operator = Operator::at_the_command_line();

on_both! {
    async fn operators_create_them_and_others_only_where_everyone_does(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, olga) = (org.person("dana", Role::Owner).await, org.person("olga", Role::Member).await);
        mark(&app.engine, &OPERATOR, olga).await.unwrap();
        let name = "Contoso".parse().unwrap();
        let refused = create_own(&app.engine, at(dana), &name, None).await;
        assert!(matches!(refused, Err(CreateOwnError::NotAllowed)), "{refused:?}");
        let created = create_own(&app.engine, at(olga), &name, None).await.unwrap();
        assert_eq!(created.slug.as_str(), "contoso");
        let open = app.another_engine(|settings| settings.organizations = OrgPolicy::Everyone).await;
        let of_dana = create_own(&open, at(dana), &name, None).await.unwrap();
        assert_eq!(of_dana.slug.as_str(), "contoso-2");
        let own = orgs::of_user(&app.engine, dana).await.unwrap();
        assert!(own.iter().any(|(org, rights)| *org == of_dana && rights.role == Role::Owner), "{own:?}");
    }

    async fn a_form_that_is_sent_twice_creates_one_and_tokens_of_others_match_nothing(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.organizations = OrgPolicy::Everyone).await;
        let org = app.org("northwind").await;
        let (dana, eve) = (org.person("dana", Role::Owner).await, org.person("eve", Role::Member).await);
        let name = "Contoso".parse().unwrap();
        let one = create_own(&engine, at(dana), &name, Some("token")).await.unwrap();
        let again = create_own(&engine, at(dana), &name, Some("token")).await;
        assert!(matches!(&again, Err(CreateOwnError::AlreadyCreated(org)) if **org == one), "{again:?}");
        let of_eve = create_own(&engine, at(eve), &name, Some("token")).await.unwrap();
        assert_ne!(of_eve.id, one.id);
    }

    async fn a_person_creates_a_bounded_number_also_at_once_and_deleting_them_helps_only_after_a_day(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.organizations = OrgPolicy::Everyone).await;
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        for number in 0..MAX_ORGS - 1 {
            create_own(&engine, at(dana), &format!("Org {number}").parse().unwrap(), None).await.unwrap();
        }
        let creating: Vec<_> = (0..4)
            .map(|number| {
                let (engine, name) = (engine.clone(), format!("More {number}").parse().unwrap());
                tokio::spawn(async move { create_own(&engine, at(dana), &name, None).await })
            })
            .collect();
        let mut last = Vec::new();
        for created in creating {
            match created.await.unwrap() {
                Ok(org) => last.push(org),
                Err(CreateOwnError::TooMany) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(last.len(), 1);
        delete(&engine, &OPERATOR.permit(&last[0])).await.unwrap();
        let name = "Another".parse().unwrap();
        let refused = create_own(&engine, at(dana), &name, None).await;
        assert!(matches!(refused, Err(CreateOwnError::TooMany)), "{refused:?}");
        app.clock.advance(DAY + SECOND);
        create_own(&engine, at(dana), &name, None).await.unwrap();
    }
}

fn at(user_id: UserId) -> Person {
    Person {
        user_id,
        visit: Visit::default(),
    }
}
