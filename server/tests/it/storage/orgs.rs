//! Organizations, their members, and the permissions of roles.

use latchkey::{
    access::{AccessError, Membership, Operator, to},
    accounts::create_user::{CreateUserError, create_user},
    caller::{Person, Visit},
    id::UserId,
    members,
    orgs::{self, CreateOrgError},
    role::{AdminRights, Rights, Role},
};

use crate::test_app::{TestApp, org::new_user};

on_both! {
    async fn a_slug_is_taken_once_even_at_once(app: &TestApp) {
        let making: Vec<_> = (0..8)
            .map(|_| {
                let engine = app.engine.clone();
                tokio::spawn(async move {
                    let operator = Operator::at_the_command_line();
                    orgs::create(&engine, &operator, &"Northwind".parse().unwrap(), &"northwind".parse().unwrap()).await
                })
            })
            .collect();
        let mut made = 0;
        for answer in making {
            match answer.await.unwrap() {
                Ok(_) => made += 1,
                Err(CreateOrgError::SlugTaken(slug)) => assert_eq!(slug.as_str(), "northwind"),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(made, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM projects").await, 1);
    }

    async fn an_address_has_one_account_however_it_is_typed(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let operator = Operator::at_the_command_line();
        let again = create_user(&app.engine, &operator, &org.org, new_user("Dana", "DANA@Northwind.example", Role::Member)).await;
        assert!(matches!(again, Err(CreateUserError::EmailTaken(_))), "{again:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM memberships").await, 1);
    }

    async fn who_is_not_in_an_org_is_told_that_there_is_none(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let dana = northwind.person("dana", Role::Owner).await;
        assert_eq!(Membership::find(&app.engine, at(dana), &northwind.org.slug).await.unwrap().rights().role, Role::Owner);
        let of_another = Membership::find(&app.engine, at(dana), &contoso.org.slug).await.unwrap_err();
        let of_none = Membership::find(&app.engine, at(dana), &"no-such-org".parse().unwrap()).await.unwrap_err();
        assert!(matches!((&of_another, &of_none), (AccessError::NotFound, AccessError::NotFound)));
        assert_eq!(of_another.to_string(), of_none.to_string());
    }

    async fn a_role_permits_what_its_table_says(app: &TestApp) {
        let org = app.org("northwind").await;
        for role in [Role::Owner, Role::Admin, Role::Member] {
            let user = org.person(&role.to_string(), role).await;
            let member = Membership::find(&app.engine, at(user), &org.org.slug).await.unwrap();
            let allowed = [
                member.permit::<to::SeeKeys>().is_ok(),
                member.permit::<to::SeeKeyDetails>().is_ok(),
                member.permit::<to::RevokeKeys>().is_ok(),
            ];
            let expected = match role {
                Role::Owner => [true, true, true],
                Role::Admin => [true, true, false],
                Role::Member => [true, false, false],
            };
            assert_eq!(allowed, expected, "{role}");
        }
    }

    async fn members_are_listed_by_role_and_name_and_only_of_the_org(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        for (name, role) in [("zoe", Role::Owner), ("ben", Role::Member), ("ann", Role::Member), ("kim", Role::Admin)] {
            northwind.person(name, role).await;
        }
        contoso.person("eve", Role::Owner).await;
        let listed = members::list(&app.engine, &northwind.permit()).await.unwrap();
        let names: Vec<String> = listed.iter().map(|member| format!("{} {}", member.name, member.role)).collect();
        assert_eq!(names, ["zoe owner", "kim admin", "ann member", "ben member"]);
        let eve = members::list(&app.engine, &contoso.permit()).await.unwrap()[0].user_id;
        let orgs = orgs::of_user(&app.engine, eve).await.unwrap();
        assert_eq!(orgs, [(contoso.org.clone(), Rights { role: Role::Owner, admin_rights: AdminRights::Review })]);
    }
}

/// A user whose request has no address, client or ID.
fn at(user_id: UserId) -> Person {
    Person {
        user_id,
        visit: Visit::default(),
    }
}
