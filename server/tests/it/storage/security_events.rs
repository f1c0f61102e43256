//! Sign-ins, failed sign-ins, the ends of sessions and denials in the audit log: each is in the log of each org that it
//! concerns, within the hourly limits.

use latchkey::{
    access::{Membership, to},
    accounts::{
        lifecycle,
        password::{self, TypedPassword},
        reset,
        sessions::{self, SessionHash, SessionRecord},
        sign_in::{self, FailedSignIn, sign_in},
    },
    audit::{self, AuditQuery, security_events::write},
    caller::{Person, Visit},
    db::StorageError,
    event::Event,
    id::UserId,
    role::Role,
    time::HOUR,
};

use super::change::Dropped;
use crate::test_app::{TestApp, TestOrg, only_step, org::PASSWORD};

on_both! {
    async fn a_sign_in_is_in_the_log_of_each_org_that_the_person_is_in(app: &TestApp) {
        let orgs = [app.org("northwind").await, app.org("contoso").await, app.org("fabrikam").await];
        let dana = orgs[0].person("dana", Role::Owner).await;
        join(app, &orgs[1], dana).await;
        try_password(app, "dana@northwind.example", PASSWORD).await;
        try_password(app, "dana@northwind.example", "wrong password").await;
        let person = Person { user_id: dana, visit: visit() };
        sign_in::sign_out(&app.engine, &person, async { Ok::<_, StorageError>(()) }).await.unwrap();
        assert_eq!(app.database.texts("SELECT event FROM audit_log WHERE event LIKE 'session.%'").await, Vec::<String>::new());
        write(&app.engine, false).await.unwrap();
        for (org, sees) in orgs.iter().zip([true, true, false]) {
            let expected = ["user dana session.started user dana 192.0.2.1 {}", "user dana session.failed user dana 192.0.2.1 {\"reason\":{\"from\":null,\"to\":\"wrong_password\"}}",
                "user dana session.ended user dana 192.0.2.1 {}"];
            assert_eq!(told(app, org).await, &expected[..if sees { 3 } else { 0 }], "{}", org.org.slug);
        }
        audit::verify(&app.engine, None).await.unwrap();
    }

    async fn of_an_account_that_there_is_not_nothing_is_kept(app: &TestApp) {
        let org = app.org("northwind").await;
        try_password(app, "nobody@northwind.example", "wrong password").await;
        sign_in::note_failed(&app.engine, FailedSignIn::UnknownAccount, &visit());
        write(&app.engine, false).await.unwrap();
        assert!(told(app, &org).await.is_empty());
        let rows = "SELECT event || ' ' || actor_kind || ' ' || COALESCE(actor_id || target_id, '-') || ' ' || changes \
            FROM audit_log WHERE org_id IS NULL";
        let row = "session.failed unknown - {\"reason\":{\"from\":null,\"to\":\"unknown_account\"}}";
        assert_eq!(app.database.texts(rows).await, [row, row]);
    }

    async fn what_is_beyond_an_hours_limit_is_counted_and_told_when_the_hour_is_over(app: &TestApp) {
        let orgs = [app.org("northwind").await, app.org("contoso").await];
        let people = [orgs[0].person("dana", Role::Member).await, orgs[1].person("kim", Role::Member).await];
        let [dana, kim] = [member(app, people[0], "northwind").await, member(app, people[1], "contoso").await];
        for _ in 0..10 {
            for _ in 0..30 {
                assert!(dana.permit::<to::RevokeKeys>().is_err());
            }
            write(&app.engine, false).await.unwrap();
        }
        try_password(app, "dana@northwind.example", PASSWORD).await;
        assert!(kim.permit::<to::RevokeKeys>().is_err());
        write(&app.engine, false).await.unwrap();
        let northwind = told(app, &orgs[0]).await;
        assert_eq!(northwind.len(), 11, "{northwind:#?}");
        assert_eq!(northwind[0], "user dana access.denied org northwind 192.0.2.1 {\"action\":{\"from\":null,\"to\":\"revoke_keys\"}}");
        assert_eq!(northwind[10], "user dana session.started user dana 192.0.2.1 {}");
        assert_eq!(told(app, &orgs[1]).await.len(), 1, "another org has its own limits");
        app.clock.advance(HOUR);
        write(&app.engine, false).await.unwrap();
        let northwind = told(app, &orgs[0]).await;
        assert_eq!(northwind[11..], ["user dana access.denied - - {\"more\":{\"from\":null,\"to\":290}}"]);
        assert!(dana.permit::<to::RevokeKeys>().is_err());
        write(&app.engine, false).await.unwrap();
        assert_eq!(told(app, &orgs[0]).await.len(), 13, "a new hour has new limits");
    }

    async fn many_denials_of_one_kind_hide_no_other(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = member(app, org.person("dana", Role::Member).await, "northwind").await;
        for _ in 0..30 {
            assert!(dana.permit::<to::EditOrg>().is_err());
        }
        assert!(dana.permit::<to::RevokeKeys>().is_err());
        write(&app.engine, false).await.unwrap();
        let denied = told(app, &org).await;
        assert_eq!(denied.len(), 11, "{denied:#?}");
        assert!(denied[10].contains("revoke_keys"), "{}", denied[10]);
    }

    async fn strangers_who_request_links_leave_room_for_what_members_do(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("kim", Role::Member).await;
        let engine = app.another_engine(|settings| settings.sends_mail = true).await;
        for number in 0..40 {
            let visit = Visit { address: Some([198, 51, number / 10, 1].into()), ..Visit::default() };
            reset::request(&engine, "kim@northwind.example".parse().unwrap(), visit).await.unwrap();
            if number % 10 == 9 {
                // Five letters wait, and nothing else is under way.
                while engine.outbox().depth() > 5 {
                    tokio::task::yield_now().await;
                }
                write(&engine, false).await.unwrap();
            }
        }
        for _ in 0..6 {
            let email = "dana@northwind.example".parse().unwrap();
            sign_in(&engine, &email, TypedPassword::new(PASSWORD), &visit(), "").await.unwrap();
        }
        write(&engine, false).await.unwrap();
        let written = "SELECT event || ' ' || COUNT(*) FROM audit_log WHERE org_id IS NOT NULL \
            AND event IN ('session.started', 'account.reset_requested') GROUP BY event ORDER BY event";
        assert_eq!(app.database.texts(written).await, ["account.reset_requested 10", "session.started 6"]);
        engine.db().close().await;
    }

    async fn running_instances_share_the_limits(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = member(app, org.person("dana", Role::Member).await, "northwind").await;
        for number in 1..=4 {
            app.database.execute(&format!("INSERT INTO instances (id, version, started_at, seen_at, position) \
                VALUES ('ins_{number}', '1', 0, 4102444800000, 0)")).await;
        }
        for _ in 0..10 {
            assert!(dana.permit::<to::RevokeKeys>().is_err());
        }
        write(&app.engine, false).await.unwrap();
        assert_eq!(told(app, &org).await.len(), 3, "a quarter of ten, rounded up");
    }

    async fn before_the_process_ends_everything_is_written(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = member(app, org.person("dana", Role::Member).await, "northwind").await;
        for _ in 0..25 {
            assert!(dana.permit::<to::RevokeKeys>().is_err());
        }
        app.engine.finish().await.unwrap();
        let told = told(app, &org).await;
        assert_eq!((told.len(), &*told[10]), (11, "user dana access.denied - - {\"more\":{\"from\":null,\"to\":15}}"));
    }

    async fn what_the_database_did_not_take_is_written_the_next_time(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        try_password(app, "dana@northwind.example", PASSWORD).await;
        app.database.execute("ALTER TABLE audit_checkpoint RENAME TO away").await;
        app.database.execute("ALTER TABLE audit_addresses RENAME TO addresses_away").await;
        assert!(write(&app.engine, false).await.is_err());
        try_password(app, "dana@northwind.example", PASSWORD).await;
        app.database.execute("ALTER TABLE away RENAME TO audit_checkpoint").await;
        app.database.execute("ALTER TABLE addresses_away RENAME TO audit_addresses").await;
        write(&app.engine, false).await.unwrap();
        write(&app.engine, false).await.unwrap();
        assert_eq!(told(app, &org).await.len(), 2);
    }

    async fn what_a_commit_wrote_that_went_unanswered_is_not_written_again(app: &TestApp) {
        for (number, polls) in (1..=100).zip((1..=20).cycle()) {
            sign_in::note_failed(&app.engine, FailedSignIn::UnknownAccount, &visit());
            Dropped { future: Some(Box::pin(write(&app.engine, false))), polls }.await;
            write(&app.engine, false).await.unwrap();
            let written = app.database.number("SELECT COUNT(*) FROM audit_log").await;
            assert_eq!(written, number, "{polls} polls");
        }
        audit::verify(&app.engine, None).await.unwrap();
    }

    async fn tries_that_are_throttled_are_told_too(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let attempt = async || { try_password(app, "dana@northwind.example", "wrong password").await; };
        for _ in 0..12 {
            attempt().await;
        }
        write(&app.engine, false).await.unwrap();
        app.clock.advance(HOUR);
        write(&app.engine, false).await.unwrap();
        let told = told(app, &org).await;
        assert_eq!(told.iter().filter(|line| line.contains("wrong_password")).count(), 10);
        assert_eq!(told.len(), 12, "{told:#?}");
        assert!(told[10..].iter().all(|line| line.contains("too_many_tries")), "{told:#?}");
    }

    async fn asking_whether_one_may_is_no_denial(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = member(app, org.person("dana", Role::Member).await, "northwind").await;
        assert!(dana.permit_if_allowed::<to::RevokeKeys>().is_none());
        assert!(dana.permit::<to::SeeKeys>().is_ok());
        write(&app.engine, false).await.unwrap();
        assert!(told(app, &org).await.is_empty());
    }

    async fn sessions_that_the_operator_ends_are_told(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let operator = latchkey::access::Operator::at_the_command_line();
        lifecycle::disable(&app.engine, &operator, dana).await.unwrap();
        lifecycle::enable(&app.engine, &operator, dana).await.unwrap();
        let who = try_password(app, "dana@northwind.example", PASSWORD).await;
        let record = SessionRecord { who: who.unwrap(), used_at: app.clock.now(), device: Default::default(), codes: Default::default() };
        sessions::save(&app.engine, SessionHash::of(b"one"), record).await.unwrap();
        lifecycle::disable(&app.engine, &operator, dana).await.unwrap();
        app.engine.finish().await.unwrap();
        assert_eq!(told(app, &org).await, [
            "command_line - account.disabled user dana - {}", "command_line - account.enabled user dana - {}",
            "user dana session.started user dana 192.0.2.1 {}",
            "command_line - account.disabled user dana - {}",
            "command_line - session.ended user dana - {\"sessions\":{\"from\":null,\"to\":1}}",
        ]);
    }

    async fn changes_of_an_account_are_told_in_each_org_of_the_user(app: &TestApp) {
        let (north, south) = (app.org("northwind").await, app.org("southwind").await);
        let stranger = app.org("acme").await;
        let dana = north.person("dana", Role::Member).await;
        join(app, &south, dana).await;
        let operator = latchkey::access::Operator::at_the_command_line();
        let new = || "a new and better one".parse().unwrap();
        let person = Person { user_id: dana, visit: visit() };
        let (typed, session) = (TypedPassword::new(PASSWORD), SessionHash::of(b"one"));
        password::change(&app.engine, person, session, typed, new()).await.unwrap();
        password::reset(&app.engine, &operator, dana, new()).await.unwrap();
        // What changes nothing is not told.
        lifecycle::enable(&app.engine, &operator, dana).await.unwrap();
        for _ in 0..2 {
            lifecycle::disable(&app.engine, &operator, dana).await.unwrap();
        }
        lifecycle::enable(&app.engine, &operator, dana).await.unwrap();
        app.engine.finish().await.unwrap();
        for org in [&north, &south] {
            assert_eq!(told(app, org).await, [
                "user dana account.password_changed user dana 192.0.2.1 {}", "command_line - account.password_changed user dana - {}",
                "command_line - account.disabled user dana - {}", "command_line - account.enabled user dana - {}",
            ]);
        }
        assert!(told(app, &stranger).await.is_empty());
    }
}

fn visit() -> Visit {
    Visit {
        address: Some("192.0.2.1".parse().unwrap()),
        ..Visit::default()
    }
}

async fn try_password(app: &TestApp, email: &str, password: &str) -> Option<sessions::SignedIn> {
    let (email, password) = (email.parse().unwrap(), TypedPassword::new(password));
    let signed_in = sign_in(&app.engine, &email, password, &visit(), "").await;
    signed_in.ok().map(only_step)
}

async fn member(app: &TestApp, user_id: UserId, org: &str) -> Membership {
    let person = Person {
        user_id,
        visit: visit(),
    };
    Membership::find(&app.engine, person, &org.parse().unwrap())
        .await
        .unwrap()
}

async fn join(app: &TestApp, org: &TestOrg, user_id: UserId) {
    let sql = format!(
        "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{}', '{user_id}', 'member', 0)",
        org.org.id
    );
    app.database.execute(&sql).await;
}

/// The org's security events, oldest first, one line each.
async fn told(app: &TestApp, org: &TestOrg) -> Vec<String> {
    let query = AuditQuery {
        limit: 1_000,
        ..AuditQuery::default()
    };
    let page = audit::list(&app.engine, &org.permit(), &query)
        .await
        .unwrap();
    let is_security_event = |event| {
        matches!(
            event,
            Event::SessionStarted
                | Event::SessionFailed
                | Event::SessionEnded
                | Event::AccessDenied
                | Event::ExportMade
                | Event::KeyLookedUp
                | Event::AccountDisabled
                | Event::AccountEnabled
                | Event::PasswordChanged
        )
    };
    let entries = page.entries.iter().rev();
    let named = |party: &audit::Actor| {
        let name = party.name.as_deref().unwrap_or("-");
        format!("{} {name}", party.kind)
    };
    entries
        .filter(|entry| is_security_event(entry.event))
        .map(|entry| {
            let target = entry.target.as_ref().map_or("-".to_owned(), named);
            let address = entry.address.as_deref().unwrap_or("-");
            let changes = serde_json::json!(entry.changes);
            format!(
                "{} {} {target} {address} {changes}",
                named(&entry.actor),
                entry.event
            )
        })
        .collect()
}
