//! How an organization ends.

use std::{sync::Arc, time::Duration};

use latchkey::{
    Engine,
    access::{AccessError, Membership, Operator, Permit, Permitted, to},
    audit::{self, AuditQuery},
    caller::{Person, Visit},
    db::StorageError,
    event::Event,
    fault::Fault,
    feed,
    id::{KeyId, UserId},
    invitations::{self, NewInvitation},
    keys::create::{CreateKeyError, create},
    orgs::{
        self, CreateOrgError,
        delete::{delete, what_ends},
        empty::empty_deleted,
        security::{self, OrgSecurity},
        settings::{self, OrgSettings},
    },
    outcome::Outcome,
    revision::Known,
    role::{AdminRights, Role, TokenScope},
    service_tokens::recognise,
    time::{DAY, MINUTE, SECOND},
    usage::flush::flush,
    verify::{Request, verify},
};

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, secret_key},
    said,
    usage::past,
};

const OPERATOR: Operator = Operator::at_the_command_line();
/// The tables whose rows belong to an organization.
const TABLES: [&str; 11] = [
    "memberships",
    "invitations",
    "service_tokens",
    "keys",
    "key_secrets",
    "agents",
    "projects",
    "usage_minutes",
    "usage_hours",
    "usage_days",
    "usage_totals",
];

on_both! {
    async fn keys_and_tokens_end_at_once_here_and_within_a_second_on_another_instance(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let (key, of_other) = (org.key("Production").await, other.key("Production").await);
        let token = app.token(Some(&org), TokenScope::Manage).await;
        let elsewhere = app.another_engine(|_| ()).await;
        feed::start(&elsewhere).await.unwrap();
        let following = { let elsewhere = Arc::clone(&elsewhere); tokio::spawn(async move { feed::follow(&elsewhere, None).await }) };
        for engine in [&app.engine, &elsewhere] {
            assert_eq!(outcome(engine, &key.plain).await, "VALID");
            assert!(recognise(engine, &token).await.unwrap().is_some());
        }
        delete(&app.engine, &org.permit()).await.unwrap();
        assert_eq!(outcome(&app.engine, &key.plain).await, "INVALID_API_KEY unknown");
        assert!(recognise(&app.engine, &token).await.unwrap().is_none());
        let mut waited = 0;
        while outcome(&elsewhere, &key.plain).await == "VALID" || recognise(&elsewhere, &token).await.unwrap().is_some() {
            assert!(waited < 100, "still valid after a second");
            tokio::time::sleep(Duration::from_millis(10)).await;
            waited += 1;
        }
        assert_eq!(outcome(&elsewhere, &key.plain).await, "INVALID_API_KEY unknown");
        for engine in [&app.engine, &elsewhere, &Arc::new(app.fresh_engine())] {
            assert_eq!(outcome(engine, &of_other.plain).await, "VALID");
            assert_eq!(outcome(engine, &key.plain).await, "INVALID_API_KEY unknown");
        }
        following.abort();
        elsewhere.db().close().await;
    }

    async fn members_lose_it_and_what_was_permitted_before_changes_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let before: Permit<to::CreateKeys> = permit(app, &org, dana).await.unwrap();
        delete(&app.engine, &permit(app, &org, dana).await.unwrap()).await.unwrap();
        let gone = permit::<to::SeeKeys>(app, &org, dana).await;
        assert!(matches!(gone, Err(AccessError::NotFound)), "{gone:?}");
        assert!(orgs::of_user(&app.engine, dana).await.unwrap().is_empty());
        let late = create(&app.engine, &before, secret_key("Late")).await;
        assert!(matches!(&late, Err(CreateKeyError::Fault(Fault::Storage(error))) if error.is_of_deleted_org()), "{late:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        assert!(orgs::find(&app.engine, &OPERATOR, &org.org.slug).await.unwrap().is_none());
    }

    async fn of_two_owners_who_delete_it_at_the_same_moment_one_succeeds(app: &TestApp) {
        for round in 0..4 {
            let org = app.org(&format!("org-{round}")).await;
            let mut permits = Vec::new();
            for name in ["dana", "kim"] {
                let owner = org.person(name, Role::Owner).await;
                permits.push(permit(app, &org, owner).await.unwrap());
            }
            let mut deleting = Vec::new();
            for permit in permits {
                let engine = app.engine.clone();
                deleting.push(tokio::spawn(async move { delete(&engine, &permit).await }));
            }
            let mut succeeded = 0;
            for deleting in deleting {
                match deleting.await.unwrap() {
                    Ok(()) => succeeded += 1,
                    Err(error) => assert!(error.is_of_deleted_org(), "{error:?}"),
                }
            }
            assert_eq!((succeeded, events(app, &org, Event::OrgDeleted).await), (1, 1));
        }
    }

    async fn a_key_that_is_created_while_it_is_deleted_never_works(app: &TestApp) {
        for round in 0..6 {
            let org = app.org(&format!("org-{round}")).await;
            let creating: Vec<_> = (0..4)
                .map(|number| {
                    let (engine, permit) = (app.engine.clone(), org.permit());
                    tokio::spawn(async move { create(&engine, &permit, secret_key(&format!("Key {number}"))).await })
                })
                .collect();
            delete(&app.engine, &org.permit()).await.unwrap();
            let seq = events(app, &org, Event::OrgDeleted).await;
            for key in creating {
                match key.await.unwrap() {
                    Ok(key) => assert_eq!(outcome(&app.engine, &key.plain).await, "INVALID_API_KEY unknown"),
                    Err(CreateKeyError::Fault(Fault::Storage(error))) => assert!(error.is_of_deleted_org(), "{error:?}"),
                    Err(error) => panic!("{error:?}"),
                }
            }
            assert_eq!(seq, 1);
            let last = app.database.texts(&format!("SELECT event FROM audit_log WHERE org_id = '{}' ORDER BY seq DESC LIMIT 1", org.org.id)).await;
            assert_eq!(last, ["org.deleted"], "nothing happens to it afterwards");
        }
    }

    async fn its_rows_are_removed_and_its_log_and_slug_stay(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let key = furnish(app, &org).await;
        furnish(app, &other).await;
        let before = rows(app, &other).await;
        assert!(before.iter().all(|(_, count)| *count > 0), "{before:?}");
        let entries = events_of_all_kinds(app, &org).await;
        delete(&app.engine, &org.permit()).await.unwrap();
        // Counted before this instance knew of the deletion.
        let late = past(org.org.id, key, app.clock.now(), Outcome::Valid, 1);
        empty_deleted(&app.engine).await.unwrap();
        assert!(rows(app, &org).await.iter().all(|(_, count)| *count == 0), "{:?}", rows(app, &org).await);
        app.store_past(&[late]).await;
        assert!(rows(app, &org).await.iter().any(|(_, count)| *count > 0));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs WHERE emptied_at IS NOT NULL").await, 0);
        app.clock.advance(DAY + SECOND);
        empty_deleted(&app.engine).await.unwrap();
        assert!(rows(app, &org).await.iter().all(|(_, count)| *count == 0));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs WHERE emptied_at IS NOT NULL").await, 1);
        let subjects = format!("SELECT COUNT(*) FROM usage_subjects WHERE org_id = '{}'", org.org.id);
        assert_eq!(app.database.number(&subjects).await, 0);
        assert_eq!(rows(app, &other).await, before);
        assert_eq!(events_of_all_kinds(app, &org).await, entries + 1);
        audit::verify(&app.engine, None).await.unwrap();
        let again = orgs::create(&app.engine, &OPERATOR, &org.org.name, &org.org.slug).await;
        assert!(matches!(again, Err(CreateOrgError::SlugTaken(_))), "{again:?}");
    }

    async fn what_ends_is_counted_without_keys_that_have_ended(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        furnish(app, &org).await;
        furnish(app, &other).await;
        for (name, column) in [("Disabled", "disabled_at"), ("Revoked", "revoked_at"), ("Expired", "expires_at")] {
            let key = org.key(name).await;
            app.database.execute(&format!("UPDATE keys SET {column} = 1 WHERE id = '{}'", key.id)).await;
        }
        org.key("Unused").await;
        let ends = what_ends(&app.engine, &org.permit()).await.unwrap();
        assert_eq!((ends.keys, ends.used_keys, ends.agents, ends.tokens, ends.members), (2, 1, 1, 1, 1));
    }

    async fn an_invitation_to_it_is_gone_before_its_row_is(app: &TestApp) {
        let org = app.org("northwind").await;
        let new = NewInvitation { email: "kim@example.com".parse().unwrap(), role: Role::Member, shows_link: false, creation_token: None };
        let created = invitations::create(&app.engine, &org.permit(), new).await.unwrap();
        let token = created.token.unwrap();
        assert!(invitations::open(&app.engine, &token).await.unwrap().is_some());
        delete(&app.engine, &org.permit()).await.unwrap();
        assert!(invitations::open(&app.engine, &token).await.unwrap().is_none());
        assert_eq!(app.database.number("SELECT COUNT(*) FROM invitations").await, 1);
    }

    async fn the_transaction_is_short_however_much_it_has(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("Production").await;
        let key = org.key("Used").await.id;
        let minute = |number: i64| past(org.org.id, key, app.clock.now().plus(-number * MINUTE), Outcome::Valid, 1);
        app.store_past(&(0..2_000).map(minute).collect::<Vec<_>>()).await;
        delete(&app.engine, &org.permit()).await.unwrap();
        let minutes = "SELECT COUNT(*) FROM usage_minutes";
        assert_eq!(app.database.number(minutes).await, 3 * 2_000, "not in the same transaction");
        empty_deleted(&app.engine).await.unwrap();
        assert_eq!(app.database.number(minutes).await, 0);
    }
}

/// Postgres: SQLite has a single writer.
#[tokio::test]
async fn a_deletion_waits_only_for_changes_that_came_before_it() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let org = app.org("northwind").await;
    let creating = |name: &'static str| {
        let (engine, permit) = (app.engine.clone(), org.permit());
        tokio::spawn(async move { create(&engine, &permit, secret_key(name)).await })
    };
    let waiting = async |count: i64| {
        while app.database.waiting().await < count {
            tokio::task::yield_now().await;
        }
    };
    let held = app.database.hold_table("projects").await;
    let before = creating("Before");
    waiting(1).await;
    let (engine, permit) = (app.engine.clone(), org.permit());
    let deleting = tokio::spawn(async move { delete(&engine, &permit).await });
    waiting(2).await;
    let after = creating("After");
    waiting(3).await;
    drop(held);
    before.await.unwrap().unwrap();
    deleting.await.unwrap().unwrap();
    let late = after.await.unwrap();
    assert!(
        matches!(&late, Err(CreateKeyError::Fault(Fault::Storage(error))) if error.is_of_deleted_org()),
        "{late:?}"
    );
    app.remove().await;
}

/// Postgres: SQLite has a single writer.
#[tokio::test]
async fn settings_are_saved_while_others_work() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let org = app.org("northwind").await;
    let held = app.database.hold_table("projects").await;
    let (engine, permit) = (app.engine.clone(), org.permit());
    let creating = tokio::spawn(async move { create(&engine, &permit, secret_key("Key")).await });
    while app.database.waiting().await == 0 {
        tokio::task::yield_now().await;
    }
    for round in 0..4 {
        let settings = OrgSettings {
            name: format!("Northwind {round}").parse().unwrap(),
            secrets_in_browsers: true,
        };
        settings::change(&app.engine, &org.permit(), settings, &Known::Nothing)
            .await
            .unwrap();
        let base = security::read(&app.engine, &org.permit()).await.unwrap();
        let new = OrgSecurity {
            admin_rights: [AdminRights::DisableKeys, AdminRights::ManageKeys][round % 2],
            ..base
        };
        security::change(&app.engine, &org.permit(), base, new)
            .await
            .unwrap();
    }
    drop(held);
    creating.await.unwrap().unwrap();
    app.remove().await;
}

async fn outcome(engine: &Engine, key: &latchkey::key::text::PlainKey) -> String {
    let request = Request {
        key: Some(key),
        ..Request::default()
    };
    said(&verify(engine, &request).await.unwrap())
}

async fn permit<A: Permitted>(
    app: &TestApp,
    org: &TestOrg,
    user_id: UserId,
) -> Result<Permit<A>, AccessError> {
    let person = Person {
        user_id,
        visit: Visit::default(),
    };
    Membership::find(&app.engine, person, &org.org.slug)
        .await?
        .permit()
}

/// Gives an org a row in each table, with a key that was used just now, and returns that key.
async fn furnish(app: &TestApp, org: &TestOrg) -> KeyId {
    org.person("dana", Role::Owner).await;
    let new = NewInvitation {
        email: "kim@example.com".parse().unwrap(),
        role: Role::Member,
        shows_link: false,
        creation_token: None,
    };
    invitations::create(&app.engine, &org.permit(), new)
        .await
        .unwrap();
    app.token(Some(org), TokenScope::Verify).await;
    let settings = agent("Bot", &[]);
    latchkey::agents::create::create(&app.engine, &org.permit(), &settings)
        .await
        .unwrap();
    let key = org.key("Production").await;
    assert_eq!(outcome(&app.engine, &key.plain).await, "VALID");
    flush(&app.engine).await.unwrap();
    key.id
}

/// The number of rows of an org in each table.
async fn rows(app: &TestApp, org: &TestOrg) -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for table in TABLES {
        let of_org = match table {
            "key_secrets" => {
                "SELECT COUNT(*) FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id WHERE keys.org_id ="
                    .to_owned()
            }
            "usage_minutes" | "usage_hours" | "usage_days" | "usage_totals" => {
                format!("SELECT COUNT(*) FROM {table} JOIN usage_subjects ON id = subject WHERE org_id =")
            }
            table => format!("SELECT COUNT(*) FROM {table} WHERE org_id ="),
        };
        let sql = format!("{of_org} '{}'", org.org.id);
        rows.push((table, app.database.number(&sql).await));
    }
    rows
}

async fn events(app: &TestApp, org: &TestOrg, event: Event) -> usize {
    let entries = log(app, org).await.unwrap().entries;
    entries.iter().filter(|entry| entry.event == event).count()
}

async fn events_of_all_kinds(app: &TestApp, org: &TestOrg) -> usize {
    log(app, org).await.unwrap().entries.len()
}

/// The log as the operator reads it.
async fn log(app: &TestApp, org: &TestOrg) -> Result<audit::Page, StorageError> {
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    audit::list(&app.engine, &OPERATOR.permit(&org.org), &query).await
}
