//! Who is an operator, and what they see of the instance.

use latchkey::{
    access::Operator,
    accounts::{
        create_user::{NewUser, create_user},
        delete::{DeleteAccountError, delete},
        lifecycle::{self, LifecycleError},
        rename::rename,
        sign_up::sign_up,
    },
    audit::{self, AuditQuery},
    caller::{Person, Visit},
    id::UserId,
    operators::{
        MarkError, has_another, mark,
        orgs::{self, totals},
        people, unmark,
    },
    orgs::settings::{self, OrgSettings},
    revision::Known,
    role::Role,
    search::Search,
    time::SECOND,
};

use super::sign_up::{first, person};
use crate::test_app::{TestApp, org::new_user};

const OPERATOR: Operator = Operator::at_the_command_line();

on_both! {
    async fn a_mark_applies_to_the_next_request_on_every_instance_and_is_in_the_log_of_the_instance(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Member).await;
        let elsewhere = app.fresh_engine();
        let is_operator = async || Operator::signed_in(&elsewhere, at(dana)).await.unwrap().is_some();
        assert!(!is_operator().await);
        mark(&app.engine, &OPERATOR, dana).await.unwrap();
        assert!(is_operator().await);
        let again = mark(&app.engine, &OPERATOR, dana).await.unwrap_err();
        assert_eq!(again.to_string(), "Nothing was changed: this person is an operator already.");
        unmark(&app.engine, &OPERATOR, dana).await.unwrap();
        assert!(!is_operator().await);
        let again = unmark(&app.engine, &OPERATOR, dana).await.unwrap_err();
        assert_eq!(again.to_string(), "Nothing was changed: this person is not an operator.");
        let nobody = mark(&app.engine, &OPERATOR, "usr_00000000000000000000000000000000".parse().unwrap()).await;
        assert!(matches!(nobody, Err(MarkError::NotFound)), "{nobody:?}");
        assert_eq!(instance_log(app).await, ["operator.removed of dana", "operator.added of dana"]);
        let of_org = app.database.texts("SELECT event FROM audit_log WHERE org_id IS NOT NULL AND event LIKE 'operator%'").await;
        assert!(of_org.is_empty(), "{of_org:?}");
        audit::verify(&app.engine, None).await.unwrap();
    }

    async fn an_operator_whose_account_is_disabled_is_none(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Owner).await;
        mark(&app.engine, &OPERATOR, dana).await.unwrap();
        lifecycle::disable(&app.engine, &OPERATOR, dana).await.unwrap();
        assert!(Operator::signed_in(&app.engine, at(dana)).await.unwrap().is_none());
    }

    async fn the_last_operator_is_removed_only_at_the_command_line(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("olga", Role::Owner).await;
        let (dana, kim) = (org.person("dana", Role::Owner).await, org.person("kim", Role::Owner).await);
        mark(&app.engine, &OPERATOR, dana).await.unwrap();
        mark(&app.engine, &OPERATOR, kim).await.unwrap();
        let operator = Operator::signed_in(&app.engine, at(dana)).await.unwrap().unwrap();
        // An operator who cannot sign in is none.
        lifecycle::disable(&app.engine, &OPERATOR, kim).await.unwrap();
        let refused = unmark(&app.engine, &operator, dana).await.unwrap_err();
        assert_eq!(refused.to_string(), "Nobody else is an operator of this instance. Make someone else an operator first.");
        let refused = lifecycle::disable(&app.engine, &operator, dana).await.unwrap_err();
        assert!(matches!(refused, LifecycleError::LastOperator(_)), "{refused:?}");
        let refused = delete(&app.engine, at(dana)).await.unwrap_err();
        assert!(matches!(refused, DeleteAccountError::LastOperator(_)), "{refused:?}");
        assert!(Operator::signed_in(&app.engine, at(dana)).await.unwrap().is_some());
        lifecycle::enable(&app.engine, &OPERATOR, kim).await.unwrap();
        unmark(&app.engine, &operator, dana).await.unwrap();
        assert!(!has_another(&app.engine, kim).await.unwrap() && has_another(&app.engine, dana).await.unwrap());
        // Who is no operator can be disabled, and deletes their account.
        delete(&app.engine, at(dana)).await.unwrap();
        unmark(&app.engine, &OPERATOR, kim).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE operator_since IS NOT NULL").await, 0);
    }

    async fn of_two_operators_who_end_each_other_or_themselves_at_once_one_stays(app: &TestApp) {
        #[derive(Debug, Clone, Copy)]
        enum End { Other, OwnMark, OwnAccount, DisableOther }
        use End::{DisableOther, Other, OwnAccount, OwnMark};
        let org = app.org("northwind").await;
        org.person("olga", Role::Owner).await;
        for (round, ends) in [[Other, Other], [OwnMark, OwnMark], [OwnAccount, OwnAccount], [DisableOther, DisableOther],
            [OwnMark, OwnAccount], [OwnAccount, DisableOther], [Other, DisableOther], [Other, OwnAccount]].into_iter().enumerate() {
            let people = [org.person(&format!("dana{round}"), Role::Member).await, org.person(&format!("kim{round}"), Role::Member).await];
            let mut operators = Vec::new();
            for person in people {
                mark(&app.engine, &OPERATOR, person).await.unwrap();
                operators.push(Operator::signed_in(&app.engine, at(person)).await.unwrap().unwrap());
            }
            let ending: Vec<_> = (0..2).map(|who| {
                let (engine, operator, end) = (app.engine.clone(), operators[who].clone(), ends[who]);
                let (own, other) = (people[who], people[1 - who]);
                tokio::spawn(async move {
                    match end {
                        Other => unmark(&engine, &operator, other).await.is_ok(),
                        OwnMark => unmark(&engine, &operator, own).await.is_ok(),
                        OwnAccount => delete(&engine, at(own)).await.is_ok(),
                        DisableOther => lifecycle::disable(&engine, &operator, other).await.is_ok(),
                    }
                })
            }).collect();
            let mut done = 0;
            for ending in ending {
                done += usize::from(ending.await.unwrap());
            }
            let left = "SELECT COUNT(*) FROM users WHERE operator_since IS NOT NULL AND disabled_at IS NULL";
            // Whoever is an operator no longer can still delete their own account.
            let also = usize::from(matches!(ends, [Other | OwnAccount, OwnAccount | DisableOther]) && round > 3);
            assert_eq!(app.database.number(left).await, 1, "{ends:?}");
            assert!((1..=1 + also).contains(&done), "{ends:?}: {done}");
            app.database.execute("UPDATE users SET operator_since = NULL").await;
        }
    }

    async fn the_first_account_is_an_operator_and_others_are_not_unless_asked(app: &TestApp) {
        let open = app.another_engine(|settings| settings.sign_up = latchkey::accounts::SignUpPolicy::Open).await;
        sign_up(&open, first("dana", "Northwind", app), Visit::default()).await.unwrap();
        sign_up(&open, person("eve", "Contoso"), Visit::default()).await.unwrap();
        let org = app.org("fabrikam").await;
        org.person("kim", Role::Owner).await;
        let olga = NewUser { is_operator: true, ..new_user("olga", "olga@example.com", Role::Member) };
        create_user(&app.engine, &OPERATOR, &org.org, olga).await.unwrap();
        let marked = app.database.texts("SELECT name FROM users WHERE operator_since IS NOT NULL ORDER BY name").await;
        assert_eq!(marked, ["dana", "olga"]);
        assert_eq!(instance_log(app).await, ["operator.added of olga", "operator.added of dana"]);
    }

    async fn people_and_organizations_are_found_in_letters_of_any_case(app: &TestApp) {
        let org = app.org("northwind").await;
        let new = NewUser { name: "Dr. Ärzte Σίσυφος".parse().unwrap(), ..new_user("x", "doctor@example.com", Role::Owner) };
        let doctor = create_user(&app.engine, &OPERATOR, &org.org, new).await.unwrap();
        let settings = |name: &str| OrgSettings { name: name.parse().unwrap(), secrets_in_browsers: false };
        settings::change(&app.engine, &org.permit(), settings("Ökosystem"), &Known::Nothing).await.unwrap();
        let search = |text: &str| text.parse::<Search>().unwrap();
        let people = async |text: &str| people::list(&app.engine, &OPERATOR, &search(text), None, 9).await.unwrap().0.len();
        let orgs = async |text: &str| orgs::list(&app.engine, &OPERATOR, &search(text), None, 9).await.unwrap().0.len();
        for text in ["ärzte", "ÄRZTE", "σίσυφοσ", "ΣΊΣΥΦΟΣ", "dr. a\u{308}"] {
            assert_eq!(people(text).await, 1, "{text}");
        }
        assert_eq!((orgs("ÖKO").await, orgs("öko").await, orgs("oko").await), (1, 1, 0));
        rename(&app.engine, at(doctor), &"Çelik".parse().unwrap()).await.unwrap();
        assert_eq!((people("ÇELIK").await, people("ärzte").await), (1, 0));
        // Rows of an earlier version are filled at the next start.
        app.database.execute("UPDATE users SET search = ''").await;
        app.engine.db().migrate().await.unwrap();
        assert_eq!(people("çelik").await, 1);
    }

    async fn of_many_first_sign_ups_at_once_one_is_an_operator(app: &TestApp) {
        let open = app.another_engine(|settings| settings.sign_up = latchkey::accounts::SignUpPolicy::Open).await;
        let signing_up: Vec<_> = (0..4)
            .map(|number| {
                let (engine, new) = (open.clone(), first(&format!("person{number}"), "Northwind", app));
                tokio::spawn(async move { sign_up(&engine, new, Visit::default()).await })
            })
            .collect();
        for answer in signing_up {
            answer.await.unwrap().unwrap();
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE operator_since IS NOT NULL").await, 1);
    }

    async fn organizations_and_people_are_listed_searched_and_paged(app: &TestApp) {
        for slug in ["northwind", "contoso", "fabrikam"] {
            let org = app.org(slug).await;
            org.person(&format!("{slug}-owner"), Role::Owner).await;
            org.key("One").await;
            app.clock.advance(SECOND);
        }
        let search = |text: &str| text.parse::<Search>().unwrap();
        let names = async |text: &str, limit| {
            let (page, next) = orgs::list(&app.engine, &OPERATOR, &search(text), None, limit).await.unwrap();
            (page.into_iter().map(|org| format!("{} {} {}", org.org.slug, org.keys, org.members)).collect::<Vec<_>>(), next)
        };
        let (first, next) = names("", 2).await;
        assert_eq!(first, ["fabrikam 1 1", "contoso 1 1"]);
        let (rest, end) = orgs::list(&app.engine, &OPERATOR, &search(""), next, 2).await.unwrap();
        assert_eq!((rest[0].org.slug.as_str(), rest.len(), end), ("northwind", 1, None));
        assert_eq!(names("CONT", 9).await.0, ["contoso 1 1"]);
        for nothing in ["%", "_", "\\", "nothing"] {
            assert!(names(nothing, 9).await.0.is_empty(), "{nothing}");
        }
        let (people, _) = people::list(&app.engine, &OPERATOR, &search("NORTHWIND-OWNER@"), None, 9).await.unwrap();
        assert_eq!((people.len(), people[0].org_count), (1, 1));
        assert_eq!(people[0].orgs[0].as_str(), "northwind");
        let all = totals(&app.engine, &OPERATOR).await.unwrap();
        assert_eq!((all.orgs, all.people, all.operators, all.to_empty), (3, 3, 0, 0));
    }
}

fn at(user_id: UserId) -> Person {
    Person {
        user_id,
        visit: Visit::default(),
    }
}

/// The entries of the instance about operators, newest first.
async fn instance_log(app: &TestApp) -> Vec<String> {
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let page = audit::list_of_instance(&app.engine, &OPERATOR, &query)
        .await
        .unwrap();
    let entries = page.entries.into_iter();
    let entries = entries.filter(|entry| entry.event.as_str().starts_with("operator."));
    entries
        .map(|entry| {
            let whose = entry.target.and_then(|target| target.name);
            format!("{} of {}", entry.event, whose.unwrap_or_default())
        })
        .collect()
}
