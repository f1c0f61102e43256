//! Deleting and exporting one's own account.

use std::collections::BTreeSet;

use latchkey::{
    access::{Operator, to},
    accounts::{
        self,
        delete::{DeleteAccountError, TABLES, delete},
        export::{Export, Part},
        password::TypedPassword,
        sign_in::{SignInError, sign_in},
    },
    audit::{self, AuditQuery},
    caller::{Person, Visit},
    email::{EmailAddress, InvalidEmailAddress},
    id::UserId,
    keys::show,
    members,
    operators::mark,
    orgs,
    role::Role,
};

use crate::test_app::{
    Database, TestApp,
    org::{PASSWORD, new_user},
};

const OPERATOR: Operator = Operator::at_the_command_line();

on_both! {
    async fn nothing_about_the_person_remains_but_their_keys_and_log_entries_do(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let kim = org.person("kim", Role::Admin).await;
        for operator in [dana, kim] {
            mark(&app.engine, &OPERATOR, operator).await.unwrap();
        }
        let key = org.key("Production").await;
        app.database.execute(&format!("UPDATE keys SET created_by = '{kim}'")).await;
        delete(&app.engine, at(kim)).await.unwrap();
        let row = app.database.texts(&format!(
            "SELECT name || ' ' || email || ' ' || password_hash || ' ' || COALESCE(operator_since, 0) FROM users WHERE id = '{kim}'"
        )).await;
        assert_eq!(row, [format!("Deleted user {kim}@deleted  0")]);
        assert!(orgs::of_user(&app.engine, kim).await.unwrap().is_empty());
        let details = show::details(&app.engine, &org.permit(), key.id).await.unwrap().unwrap();
        assert_eq!(details.created_by.map(|(_, name)| name.to_string()).as_deref(), Some("Deleted user"));
        let left = log(app, &org.org).await;
        assert_eq!(left[0], "member.left by Deleted user");
        assert_eq!(app.database.texts("SELECT event FROM audit_log WHERE org_id IS NULL ORDER BY position DESC LIMIT 1").await, ["account.deleted"]);
        audit::verify(&app.engine, None).await.unwrap();
        let signed_in = sign_in(&app.engine, &"kim@northwind.example".parse().unwrap(), TypedPassword::new(PASSWORD), &Visit::default(), "").await;
        assert!(matches!(signed_in, Err(SignInError::WrongCredentials(_))), "{signed_in:?}");
        // Nobody can take what stands for the address, neither before nor after the deletion.
        let instead = format!("{kim}@deleted");
        assert_eq!(instead.parse::<EmailAddress>(), Err(InvalidEmailAddress::Malformed));
        assert_eq!(EmailAddress::of_account(&instead), Err(InvalidEmailAddress::Malformed));
        // The address is free again.
        let again = new_user("kim", "kim@northwind.example", Role::Member);
        accounts::create_user::create_user(&app.engine, &OPERATOR, &org.org, again).await.unwrap();
        assert!(exported(app, kim).await.is_empty());
    }

    async fn who_is_the_only_owner_cannot_and_is_told_of_what(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let dana = org.person("dana", Role::Owner).await;
        for id in [other.org.id, app.org("fabrikam").await.org.id] {
            app.database.execute(&format!(
                "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{id}', '{dana}', 'owner', 0)"
            )).await;
        }
        other.person("kim", Role::Owner).await;
        let refused = delete(&app.engine, at(dana)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "You are the only owner of fabrikam and northwind. Make someone else an owner or delete the organization first."
        );
        assert_eq!(orgs::of_user(&app.engine, dana).await.unwrap().len(), 3);
        // What is deleted has no owner to keep.
        latchkey::orgs::delete::delete(&app.engine, &org.permit()).await.unwrap();
        let refused = delete(&app.engine, at(dana)).await.unwrap_err();
        assert!(refused.to_string().contains("owner of fabrikam."), "{refused}");
    }

    async fn of_two_owners_who_delete_their_accounts_at_once_one_stays(app: &TestApp) {
        for round in 0..4 {
            let org = app.org(&format!("org-{round}")).await;
            let owners = [org.person("dana", Role::Owner).await, org.person("kim", Role::Owner).await];
            let deleting = owners.map(|owner| {
                let engine = app.engine.clone();
                tokio::spawn(async move { delete(&engine, at(owner)).await })
            });
            let mut deleted = 0;
            for deleting in deleting {
                match deleting.await.unwrap() {
                    Ok(()) => deleted += 1,
                    Err(DeleteAccountError::OnlyOwner(orgs)) => assert_eq!(orgs[0].id, org.org.id),
                    Err(error) => panic!("{error:?}"),
                }
            }
            assert_eq!(deleted, 1);
            let left = members::list(&app.engine, &org.permit::<to::SeeMembers>()).await.unwrap();
            assert_eq!((left.len(), left[0].role), (1, Role::Owner));
        }
    }

    async fn what_was_begun_before_leaves_no_membership_of_the_deleted_user(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.organizations = orgs::OrgPolicy::Everyone).await;
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        for round in 0..4 {
            let kim = org.person(&format!("kim{round}"), Role::Member).await;
            let creating = {
                let engine = engine.clone();
                tokio::spawn(async move {
                    orgs::create_own::create_own(&engine, at(kim), &"Contoso".parse().unwrap(), None).await
                })
            };
            let deleted = delete(&app.engine, at(kim)).await;
            // Either the organization exists, and its only owner stays, or it does not.
            assert_eq!(creating.await.unwrap().is_ok(), deleted.is_err(), "{deleted:?}");
        }
        let left = "SELECT COUNT(*) FROM memberships JOIN users ON users.id = memberships.user_id WHERE users.deleted_at IS NOT NULL";
        assert_eq!(app.database.number(left).await, 0);
        engine.db().close().await;
    }

    async fn an_export_has_what_is_ones_own_and_nothing_of_others(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, eve) = (org.person("dana", Role::Owner).await, org.person("eve", Role::Owner).await);
        for name in ["dana", "eve"] {
            let email = format!("{name}@northwind.example").parse().unwrap();
            sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &Visit::default(), "").await.unwrap();
        }
        audit::security_events::write(&app.engine, true).await.unwrap();
        let parts = exported(app, dana).await;
        let [Part::Account(account), Part::Memberships(memberships), .., Part::Entries(entries), Part::HasMoreEntries(false)] = &parts[..] else {
            panic!("{parts:?}");
        };
        assert_eq!((account.id, account.email.as_str()), (dana, "dana@northwind.example"));
        assert_eq!((memberships.len(), memberships[0].role), (1, Role::Owner));
        let events: Vec<&str> = entries.iter().map(|entry| entry.event.as_str()).collect();
        assert_eq!(events, ["session.started"]);
        assert!(!format!("{parts:?}").contains(&eve.to_string()));
    }
}

async fn exported(app: &TestApp, user_id: UserId) -> Vec<Part> {
    let mut export = Export::begin(&app.engine, &at(user_id)).await.unwrap();
    let mut parts = vec![];
    while let Some(part) = export.next(|part| part).await.unwrap() {
        parts.push(part);
    }
    parts
}

/// A new table or column with something about a user must be removed with the account.
#[tokio::test]
async fn everything_that_refers_to_a_user_is_removed_with_the_account_or_known() {
    let app = TestApp::on_sqlite().await;
    assert!(matches!(app.database, Database::Sqlite { .. }));
    let referring = app
        .database
        .texts(
            "SELECT DISTINCT tables.name || '.' || keys.\"from\" FROM sqlite_master AS tables, \
             pragma_foreign_key_list(tables.name) AS keys WHERE keys.\"table\" = 'users'",
        )
        .await;
    let referring: BTreeSet<&str> = referring.iter().map(String::as_str).collect();
    let removed: Vec<String> = TABLES
        .iter()
        .map(|table| format!("{table}.user_id"))
        .collect();
    let mut known: BTreeSet<&str> = removed.iter().map(String::as_str).collect();
    // Keys outlive their creators.
    known.insert("keys.created_by");
    assert_eq!(
        referring, known,
        "add the table to accounts::delete::TABLES"
    );
    let columns = app
        .database
        .texts("SELECT name FROM pragma_table_info('users') ORDER BY name")
        .await;
    let known = [
        "created_at",
        "deleted_at",
        "disabled_at",
        "email",
        "email_confirmed",
        "epoch",
        "id",
        "last_seen_at",
        "name",
        "operator_since",
        "password_hash",
        "search",
        "time_zone",
    ];
    assert_eq!(columns, known, "clear the column in accounts::delete");
    app.remove().await;
}

fn at(user_id: UserId) -> Person {
    Person {
        user_id,
        visit: Visit::default(),
    }
}

/// The entries of an org's log, newest first.
async fn log(app: &TestApp, org: &latchkey::access::Org) -> Vec<String> {
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let page = audit::list(&app.engine, &OPERATOR.permit(org), &query).await;
    let entries = page.unwrap().entries.into_iter();
    entries
        .map(|entry| {
            format!(
                "{} by {}",
                entry.event,
                entry.actor.name.unwrap_or(entry.actor.kind)
            )
        })
        .collect()
}
