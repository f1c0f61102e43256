//! Changes of roles, removals and leaving.

use latchkey::{
    access::{AccessError, Membership, Operator, Permit, Permitted, to},
    accounts::{
        lifecycle,
        sessions::{SessionHash, SessionRecord, SignedIn, save, update},
    },
    audit::{self, AuditQuery},
    caller::{Person, Visit},
    event::Event,
    fault::Fault,
    id::UserId,
    keys::create::{CreateKeyError, create},
    members::{self, MemberError},
    operators, orgs,
    role::{Role, TokenScope},
    service_tokens::{self, NewToken},
    time::{MINUTE, SECOND},
};

use serde_json::json;

use crate::test_app::{TestApp, TestOrg, org::secret_key};

on_both! {
    async fn a_role_is_changed_and_applies_to_the_next_request(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, kim) = (org.person("dana", Role::Owner).await, org.person("kim", Role::Member).await);
        members::change_role(&app.engine, &permit(app, &org, dana).await, kim, Role::Admin).await.unwrap();
        assert!(permit_or_error::<to::SeeAuditLog>(app, &org, kim).await.is_ok());
        // Another instance knows it, too.
        let person = Person { user_id: kim, visit: Visit::default() };
        let elsewhere = Membership::find(&app.fresh_engine(), person, &org.org.slug).await.unwrap();
        assert_eq!(elsewhere.rights().role, Role::Admin);
        // The same role again is not an event.
        members::change_role(&app.engine, &permit(app, &org, dana).await, kim, Role::Admin).await.unwrap();
        members::change_role(&app.engine, &permit(app, &org, dana).await, kim, Role::Member).await.unwrap();
        let denied = permit_or_error::<to::SeeAuditLog>(app, &org, kim).await;
        assert!(matches!(denied, Err(AccessError::Forbidden(_))), "{denied:?}");
        assert_eq!(events(app, &org, Event::MemberRoleChanged).await, ["admin -> member of kim", "member -> admin of kim"]);
    }

    async fn who_is_removed_finds_no_org_and_what_they_created_stays(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, kim) = (org.person("dana", Role::Owner).await, org.person("kim", Role::Owner).await);
        let key = org.key("Production").await;
        app.database.execute(&format!("UPDATE keys SET created_by = '{kim}'")).await;
        members::remove(&app.engine, &permit(app, &org, dana).await, kim).await.unwrap();
        let gone = permit_or_error::<to::SeeKeys>(app, &org, kim).await;
        assert!(matches!(gone, Err(AccessError::NoLongerMember(_))), "{gone:?}");
        let details = latchkey::keys::show::details(&app.engine, &org.permit(), key.id).await.unwrap().unwrap();
        let (creator, name) = details.created_by.unwrap();
        assert_eq!((creator, name.as_str()), (kim, "kim"));
        let again = members::remove(&app.engine, &permit(app, &org, dana).await, kim).await;
        assert!(matches!(again, Err(MemberError::NotFound)), "{again:?}");
        assert_eq!(events(app, &org, Event::MemberRemoved).await, ["owner -> null of kim"]);
    }

    async fn everyone_can_leave_except_the_last_owner(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        for role in [Role::Admin, Role::Member, Role::Owner] {
            let user = org.person("someone", role).await;
            members::leave(&app.engine, &permit(app, &org, user).await).await.unwrap();
            app.database.execute(&format!("DELETE FROM users WHERE id = '{user}'")).await;
        }
        let last = members::leave(&app.engine, &permit(app, &org, dana).await).await.unwrap_err();
        assert_eq!(last.to_string(), "dana is the only owner. Make someone else an owner first.");
        // The operator is not a member.
        let operator = members::leave(&app.engine, &org.permit()).await;
        assert!(matches!(operator, Err(MemberError::NotFound)), "{operator:?}");
        assert_eq!(events(app, &org, Event::MemberLeft).await.len(), 3);
    }

    async fn a_right_that_was_taken_away_before_its_change_changes_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let kim = org.person("kim", Role::Admin).await;
        let allow = "UPDATE orgs SET admin_rights = 'manage_keys'";
        app.database.execute(allow).await;
        let taken = [
            ("UPDATE orgs SET admin_rights = 'disable_keys'".to_owned(), allow.to_owned()),
            (format!("UPDATE memberships SET role = 'member' WHERE user_id = '{kim}'"), format!("UPDATE memberships SET role = 'admin' WHERE user_id = '{kim}'")),
            (format!("UPDATE users SET disabled_at = 1 WHERE id = '{kim}'"), format!("UPDATE users SET disabled_at = NULL WHERE id = '{kim}'")),
            ("UPDATE orgs SET second_factor_required = TRUE".to_owned(), "UPDATE orgs SET second_factor_required = FALSE".to_owned()),
            (format!("DELETE FROM memberships WHERE user_id = '{kim}'"), String::new()),
        ];
        for (take, give) in taken {
            let permit = permit_or_error::<to::CreateKeys>(app, &org, kim).await.unwrap();
            app.database.execute(&take).await;
            let refused = create(&app.engine, &permit, secret_key("Late")).await;
            assert!(matches!(&refused, Err(CreateKeyError::Fault(Fault::Storage(error))) if error.is_of_ended_permit()), "{take}: {refused:?}");
            if !give.is_empty() {
                app.database.execute(&give).await;
            }
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }

    async fn an_operator_or_a_token_that_ended_before_its_change_changes_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let kim = org.person("kim", Role::Member).await;
        app.database.execute("UPDATE users SET operator_since = 1").await;
        let person = Person { user_id: kim, visit: Visit::default() };
        let operator = Operator::signed_in(&app.engine, person).await.unwrap().unwrap();
        app.database.execute("UPDATE users SET operator_since = NULL").await;
        let refused = create(&app.engine, &operator.permit(&org.org), secret_key("Late")).await;
        assert!(matches!(&refused, Err(CreateKeyError::Fault(Fault::Storage(error))) if error.is_of_ended_permit()), "{refused:?}");
        let token = NewToken { name: "Late".parse().unwrap(), scope: TokenScope::Manage, expires_at: None, creation_token: None };
        let before = service_tokens::create_for_instance(&app.engine, &Operator::at_the_command_line(), token.clone()).await.unwrap();
        let engine = &*app.engine;
        for (what, answer) in [
            ("mark", format!("{:?}", operators::mark(engine, &operator, kim).await)),
            ("unmark", format!("{:?}", operators::unmark(engine, &operator, kim).await)),
            ("create a token", format!("{:?}", service_tokens::create_for_instance(engine, &operator, token).await)),
            ("revoke a token", format!("{:?}", service_tokens::revoke(engine, &operator, before.id).await)),
            ("create an organization", format!("{:?}", orgs::create(engine, &operator, &"Late".parse().unwrap(), &"late".parse().unwrap()).await)),
        ] {
            assert!(answer.contains("PermitEnded"), "{what}: {answer}");
        }
        let marked = "SELECT COUNT(*) FROM users WHERE operator_since IS NOT NULL";
        let tokens = "SELECT COUNT(*) FROM service_tokens WHERE revoked_at IS NULL";
        let orgs = "SELECT COUNT(*) FROM orgs";
        for (sql, number) in [(marked, 0), (tokens, 1), (orgs, 1)] {
            assert_eq!(app.database.number(sql).await, number, "{sql}");
        }
        let api = app.api_of(Some(&org), TokenScope::Manage).await;
        let body = json!({"name": "In time", "kind": "secret", "environment": "live"});
        assert_eq!(api.post("/v1/orgs/northwind/keys", &body).await.status, 201);
        // Still in memory.
        app.database.execute("UPDATE service_tokens SET revoked_at = 1").await;
        let late = api.post("/v1/orgs/northwind/keys", &body).await;
        assert_eq!((late.status.as_u16(), late.json()["code"].as_str()), (401, Some("INVALID_SERVICE_TOKEN")));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
    }

    async fn an_owner_whose_account_is_disabled_is_no_other_owner(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, kim) = (org.person("dana", Role::Owner).await, org.person("kim", Role::Owner).await);
        let operator = latchkey::access::Operator::at_the_command_line();
        lifecycle::disable(&app.engine, &operator, kim).await.unwrap();
        for refused in [
            members::leave(&app.engine, &permit(app, &org, dana).await).await,
            members::remove(&app.engine, &org.permit(), dana).await,
            members::change_role(&app.engine, &org.permit(), dana, Role::Member).await,
        ] {
            assert!(matches!(refused, Err(MemberError::LastOwner(_))), "{refused:?}");
        }
        lifecycle::enable(&app.engine, &operator, kim).await.unwrap();
        members::leave(&app.engine, &permit(app, &org, dana).await).await.unwrap();
    }

    async fn of_two_owners_who_end_each_others_ownership_at_once_one_succeeds(app: &TestApp) {
        for (round, removes) in [false, true, false, true].into_iter().enumerate() {
            let org = app.org(&format!("org-{round}")).await;
            let (dana, kim) = (org.person("dana", Role::Owner).await, org.person("kim", Role::Owner).await);
            let mut attempts = Vec::new();
            for (actor, target) in [(dana, kim), (kim, dana)] {
                attempts.push((permit(app, &org, actor).await, permit(app, &org, actor).await, target));
            }
            let running: Vec<_> = attempts
                .into_iter()
                .map(|(demoting, removing, target)| {
                    let engine = app.engine.clone();
                    tokio::spawn(async move {
                        if removes {
                            members::remove(&engine, &removing, target).await
                        } else {
                            members::change_role(&engine, &demoting, target, Role::Member).await
                        }
                    })
                })
                .collect();
            let mut succeeded = 0;
            for attempt in running {
                match attempt.await.unwrap() {
                    Ok(()) => succeeded += 1,
                    Err(MemberError::LastOwner(_)) => {}
                    // The other one was first.
                    Err(MemberError::Fault(Fault::Storage(error))) if error.is_of_ended_permit() => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            assert_eq!(succeeded, 1);
            let owners = members::list(&app.engine, &org.permit()).await.unwrap();
            assert_eq!(owners.iter().filter(|member| member.role == Role::Owner).count(), 1);
        }
    }

    async fn nobody_is_changed_through_another_org(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let (dana, eve) = (org.person("dana", Role::Owner).await, other.person("eve", Role::Owner).await);
        let changed = members::change_role(&app.engine, &permit(app, &org, dana).await, eve, Role::Member).await;
        let removed = members::remove(&app.engine, &permit(app, &org, dana).await, eve).await;
        assert!(matches!((&changed, &removed), (Err(MemberError::NotFound), Err(MemberError::NotFound))));
        assert_eq!(members::list(&app.engine, &other.permit()).await.unwrap()[0].role, Role::Owner);
    }

    async fn members_are_paged_by_id(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut people = Vec::new();
        for name in ["zoe", "kim", "ann"] {
            people.push(org.person(name, Role::Member).await);
            app.clock.advance(SECOND);
        }
        let (first, next) = members::page(&app.engine, &org.permit(), None, 2).await.unwrap();
        let (second, end) = members::page(&app.engine, &org.permit(), next, 2).await.unwrap();
        let ids: Vec<UserId> = first.iter().chain(&second).map(|member| member.user_id).collect();
        assert_eq!((ids, next, end), (people.clone(), Some(people[1]), None));
    }

    async fn when_someone_was_last_here_is_stored_at_most_once_a_minute(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let seen = async || members::find(&app.engine, &org.permit(), dana).await.unwrap().unwrap().last_seen_at;
        assert_eq!(seen().await, None);
        let (hash, start) = (SessionHash::of(b"one"), app.clock.now());
        let record = || SessionRecord { who: SignedIn { user_id: dana, epoch: 0 }, used_at: app.clock.now(), device: Default::default(), codes: Default::default() };
        save(&app.engine, hash, record()).await.unwrap();
        assert_eq!(seen().await, Some(start));
        app.clock.advance(MINUTE - 1);
        update(&app.engine, hash, record()).await.unwrap();
        assert_eq!(seen().await, Some(start));
        app.clock.advance(1);
        update(&app.engine, hash, record()).await.unwrap();
        assert_eq!(seen().await, Some(start.plus(MINUTE)));
    }
}

/// The permit of a member for a request that they send now.
async fn permit<A: Permitted>(app: &TestApp, org: &TestOrg, user_id: UserId) -> Permit<A> {
    permit_or_error(app, org, user_id).await.unwrap()
}

async fn permit_or_error<A: Permitted>(
    app: &TestApp,
    org: &TestOrg,
    user_id: UserId,
) -> Result<Permit<A>, AccessError> {
    let person = Person {
        user_id,
        visit: Visit::default(),
    };
    let membership = Membership::find(&app.engine, person, &org.org.slug).await?;
    membership.permit()
}

/// The events of one kind in the org's log, newest first: the change of the role, and whose it is.
async fn events(app: &TestApp, org: &TestOrg, event: Event) -> Vec<String> {
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let page = audit::list(&app.engine, &org.permit(), &query)
        .await
        .unwrap();
    let entries = page
        .entries
        .into_iter()
        .filter(|entry| entry.event == event);
    entries
        .map(|entry| {
            let role = &entry.changes["role"];
            let word = |value: &serde_json::Value| value.to_string().replace('"', "");
            let whose = entry
                .target
                .and_then(|target| target.name)
                .unwrap_or_default();
            format!(
                "{} -> {} of {whose}",
                word(&role["from"]),
                word(&role["to"])
            )
        })
        .collect()
}
