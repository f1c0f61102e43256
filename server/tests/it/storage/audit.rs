//! The audit log: what is written, that it cannot be changed, and that other instances read it.

use std::{sync::Arc, time::Duration};

use latchkey::{
    access::{Operator, to},
    agents::create::create as create_agent,
    audit::{self, AuditQuery, BrokenChain, Entry, InvalidCheckpoint},
    effects,
    event::Target,
    feed,
    id::KeyId,
    instances,
    key::RevokeReason,
    key::settings::SettingsChange,
    keys::{
        change_state::{disable, disable_many, revoke},
        rotate::{Rotation, rotate},
    },
    projects,
    role::Role,
    time::{DAY, SECOND},
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{agent, secret_key},
    said,
};

on_both! {
    async fn every_change_is_in_the_log_with_who_did_it_and_what_is_different(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(secret_key("Production")).await.unwrap();
        let change = SettingsChange {
            name: Some("Server".parse().unwrap()), notes: Some("secret plans".to_owned()), scopes: Some(vec!["bots:read".parse().unwrap()]),
            ..SettingsChange::default()
        };
        org.edit(made.id, change.clone()).await.unwrap();
        org.edit(made.id, change).await.unwrap();
        app.clock.advance(2 * SECOND);
        rotate(&app.engine, &org.permit(), made.id, Rotation { overlap: 0, token: None }).await.unwrap();
        disable(&app.engine, &org.permit(), made.id).await.unwrap();
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        create_agent(&app.engine, &org.permit(), &agent("Helper", &[])).await.unwrap();
        projects::create(&app.engine, &org.permit(), &"Mobile".parse().unwrap()).await.unwrap();
        let entries = listed(app, &org, AuditQuery::default()).await;
        let told: Vec<String> = entries.iter().rev().map(|entry| {
            let target = entry.target.as_ref().unwrap();
            format!("{} {} {} {} {}", entry.seq, entry.event, target.kind, target.name.as_deref().unwrap_or("-"),
                serde_json::json!(entry.changes))
        }).collect();
        insta::allow_duplicates! { insta::assert_snapshot!(told.join("\n"), @r#"
        1 org.created org northwind {}
        2 key.created key Server {}
        3 key.updated key Server {"name":{"from":"Production","to":"Server"},"notes":{"from":null,"to":"changed"},"scopes":{"from":[],"to":["bots:read"]}}
        4 key.rotated key Server {"old_secret_ends_at":{"from":null,"to":1795262402000}}
        5 key.disabled key Server {}
        6 key.revoked key Server {"reason":{"from":null,"to":"compromised"}}
        7 agent.created agent Helper {}
        8 project.created project Mobile {}
        "#) };
        assert!(entries.iter().all(|entry| entry.actor.kind == "command_line" && entry.via == "cli"));
        assert!(!app.database.texts("SELECT changes FROM audit_log").await.concat().contains("plans"));
    }

    async fn entries_are_filtered_and_paged(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let ids = [org.key("One").await.id, org.key("Two").await.id];
        other.key("Theirs").await;
        app.clock.advance(SECOND);
        let later = app.clock.now();
        disable_many(&app.engine, &org.permit(), &ids).await.unwrap();
        let words = async |query: AuditQuery| -> Vec<String> {
            listed(app, &org, query).await.iter().map(|entry| entry.event.to_string()).collect()
        };
        let all = ["key.disabled", "key.disabled", "key.created", "key.created", "org.created"];
        assert_eq!(words(AuditQuery::default()).await, all);
        let filtered = |event: &str| AuditQuery { event: Some(event.parse().unwrap()), ..AuditQuery::default() };
        assert_eq!(words(filtered("key.*")).await, all[..4]);
        assert_eq!(words(filtered("org.created")).await, all[4..]);
        assert_eq!(words(AuditQuery { target: Some(Target::Key(ids[0])), ..AuditQuery::default() }).await, ["key.disabled", "key.created"]);
        assert_eq!(words(AuditQuery { from: Some(later), ..AuditQuery::default() }).await, all[..2]);
        assert_eq!(words(AuditQuery { to: Some(later), ..AuditQuery::default() }).await, all[2..]);
        let page = audit::list(&app.engine, &org.permit(), &AuditQuery { limit: 2, ..AuditQuery::default() }).await.unwrap();
        assert_eq!((page.entries.len(), page.next), (2, Some(4)));
        let rest = AuditQuery { before: page.next, ..AuditQuery::default() };
        assert_eq!(words(rest).await, all[2..]);
    }

    async fn the_database_refuses_to_change_the_log(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("One").await;
        for sql in ["UPDATE audit_log SET event = 'key.revoked'", "DELETE FROM audit_log", "DELETE FROM audit_log WHERE position = 1"] {
            let refused = app.database.try_execute(sql).await.unwrap_err();
            assert!(refused.to_string().contains("append-only"), "{sql}: {refused}");
        }
        assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 2);
    }

    async fn a_changed_or_missing_entry_breaks_the_chain(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["One", "Two", "Three"] {
            org.key(name).await;
        }
        let head = audit::verify(&app.engine, None).await.unwrap();
        assert_eq!(head.count, 4);
        org.key("Four").await;
        assert_eq!(audit::verify(&app.engine, Some(&head.hash)).await.unwrap().count, 5);
        let missing = audit::verify(&app.engine, Some(&"0".repeat(63))).await;
        assert!(matches!(missing, Err(BrokenChain::HeadMissing(_))), "{missing:?}");
        let refused = async |sql: &str, first: i64| {
            app.database.without_audit_triggers(sql).await;
            let broken = audit::verify(&app.engine, None).await;
            assert!(matches!(broken, Err(BrokenChain::At(ref place)) if place.position == first), "{sql}: {broken:?}");
        };
        refused("UPDATE audit_log SET changes = '{\"a\":1}' WHERE position = 4", 4).await;
        refused("DELETE FROM audit_log WHERE position = 2", 3).await;
    }

    async fn an_address_that_was_changed_is_not_in_the_network_that_is_chained(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id.to_string();
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        assert_eq!(dana.change_key(&key, "disable").await.status, 303);
        let disabled = app.database.number("SELECT MAX(position) FROM audit_addresses").await;
        let head = audit::verify(&app.engine, None).await.unwrap();
        assert_eq!(head.count, 4);
        for (address, is_right) in [
            ("192.0.2.77", true), ("192.0.3.1", false), ("2001:db8::1", false), ("192.0.2.1 ", false), ("", false),
            ("::ffff:192.0.2.1", true),
        ] {
            app.database.execute(&format!("UPDATE audit_addresses SET address = '{address}'")).await;
            let verified = audit::verify(&app.engine, None).await;
            match is_right {
                true => assert_eq!(verified.unwrap(), head, "{address}"),
                false => assert!(matches!(verified, Err(BrokenChain::Address(ref place)) if place.position == disabled), "{verified:?}"),
            }
        }
        app.database.execute("UPDATE audit_addresses SET address = '192.0.2.1', position = 1").await;
        let verified = audit::verify(&app.engine, None).await;
        let Err(broken @ BrokenChain::Address(_)) = verified else { panic!("{verified:?}") };
        assert_eq!(
            broken.to_string(),
            "The IP address of the client was changed. The entry at position 1 (org.created, organization northwind, \
             2026-11-21T12:00:00.000Z) was written from a different network, or without an address."
        );
    }

    async fn an_entry_before_the_beginning_is_not_shown_and_counts_for_nothing_and_the_chain_is_broken(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("One").await.id;
        forge(app, -1, 900, key).await;
        let entries = listed(app, &org, AuditQuery::default()).await;
        assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(audit::last_change(&app.engine, &org.permit(), key).await.unwrap(), Some(2));
        assert!(!effects::of_key(&app.engine, &org.permit(), key).await.unwrap().unwrap().is_recent);
        disable(&app.engine, &org.permit(), key).await.unwrap();
        assert_eq!(listed(app, &org, AuditQuery::default()).await[0].seq, 3);
        let broken = audit::verify(&app.engine, None).await.unwrap_err();
        assert_eq!(
            broken.to_string(),
            "The audit log starts after position 0, but has an entry at position -1. Latchkey did not write it there."
        );
        let peppers = crate::storage::peppers::of(&[(1, 7)]);
        let checked = audit::check_beginning(app.engine.db(), &peppers).await;
        assert!(matches!(checked, Err(InvalidCheckpoint::EntryBefore { start: 0, entry: -1 })), "{checked:?}");
    }

    async fn retention_does_not_delete_an_entry_before_the_beginning_with_the_others(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("One").await.id;
        forge(app, 0, 900, key).await;
        app.clock.advance(11 * DAY);
        let refused = audit::retention::delete_old(&app.engine, Duration::from_secs(10 * 24 * 3_600)).await;
        assert!(matches!(refused, Err(BrokenChain::Checkpoint(InvalidCheckpoint::EntryBefore { .. }))), "{refused:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log").await, 3);
    }

    async fn a_number_that_was_left_out_breaks_the_chain(app: &TestApp) {
        let org = app.org("northwind").await;
        app.database.execute("INSERT INTO audit_deleted_seqs (org_id, seq) SELECT org_id, 7 FROM audit_log").await;
        org.key("One").await;
        let broken = audit::verify(&app.engine, None).await;
        assert!(matches!(broken, Err(BrokenChain::Checkpoint(InvalidCheckpoint::Reset))), "{broken:?}");
        app.database.execute("DELETE FROM audit_deleted_seqs").await;
        let broken = audit::verify(&app.engine, None).await;
        assert!(matches!(broken, Err(BrokenChain::Seq { seq: 8, expected: 2, ref place }) if place.position == 2), "{broken:?}");
    }

    async fn a_change_whose_entry_the_database_ignores_does_not_last(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("One").await;
        app.database.ignore_inserts("audit_log").await;
        let ignored = disable(&app.engine, &org.permit(), key.id).await;
        assert!(ignored.is_err(), "{ignored:?}");
        assert_eq!(said(&app.verify(&key.plain).await), "VALID");
    }

    async fn changes_at_the_same_time_are_written_in_the_order_of_their_commits(app: &TestApp) {
        let orgs = [Arc::new(app.org("northwind").await), Arc::new(app.org("contoso").await)];
        let creating: Vec<_> = (0..40).map(|number| {
            let org = Arc::clone(&orgs[number % 2]);
            tokio::spawn(async move { org.create_key(secret_key("Key")).await.unwrap() })
        }).collect();
        for created in creating {
            created.await.unwrap();
        }
        assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 42);
        for org in &orgs {
            let seqs: Vec<i64> = listed(app, org, AuditQuery::default()).await.iter().map(|entry| entry.seq).collect();
            assert_eq!(seqs, (1..=21).rev().collect::<Vec<_>>());
        }
    }

    async fn what_another_instance_changed_is_dropped_from_memory(app: &TestApp) {
        let org = app.org("northwind").await;
        let other = app.another_engine(|_| {}).await;
        feed::start(&other).await.unwrap();
        let made = org.key("Production").await;
        let ask = async || said(&latchkey::verify::verify(&other, &latchkey::verify::Request {
            key: Some(&made.plain), ..Default::default()
        }).await.unwrap());
        assert_eq!(ask().await, "VALID");
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        assert_eq!(ask().await, "VALID", "it has not read the change yet");
        feed::catch_up(&other).await.unwrap();
        assert_eq!(ask().await, "INVALID_API_KEY revoked");
    }

    async fn a_log_that_lost_its_last_entries_is_read_on_from_its_end(app: &TestApp) {
        let org = app.org("northwind").await;
        let other = app.another_engine(|_| {}).await;
        let (lost, reused) = (org.key("Lost").await, org.key("Reused").await);
        let ask = async |key: &latchkey::key::text::PlainKey| said(&latchkey::verify::verify(&other, &latchkey::verify::Request {
            key: Some(key), ..Default::default()
        }).await.unwrap());
        disable(&app.engine, &org.permit(), lost.id).await.unwrap();
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        assert_eq!(ask(&lost.plain).await, "INVALID_API_KEY disabled");
        assert_eq!(ask(&reused.plain).await, "VALID");
        // Like a standby that lacks the last change.
        app.database.execute("UPDATE keys SET disabled_at = NULL").await;
        app.database.without_audit_triggers("DELETE FROM audit_log WHERE position = 4").await;
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        assert_eq!(ask(&lost.plain).await, "VALID");
        const POSITION: &str = "SELECT position FROM instances";
        assert_eq!(app.database.number(POSITION).await, 3);
        // The next change takes the position of the entry that was read and lost, so it holds a different entry now.
        disable(&app.engine, &org.permit(), reused.id).await.unwrap();
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        assert_eq!(app.database.number(POSITION).await, 4);
        assert_eq!(ask(&reused.plain).await, "INVALID_API_KEY disabled");
        app.database.without_audit_triggers("DELETE FROM audit_log WHERE position = 4").await;
        disable(&app.engine, &org.permit(), lost.id).await.unwrap();
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        assert_eq!(ask(&lost.plain).await, "INVALID_API_KEY disabled");
    }

    async fn a_log_whose_beginning_retention_moved_to_what_was_read_is_the_same(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("One").await;
        feed::start(&app.engine).await.unwrap();
        app.verify(&key.plain).await;
        app.clock.advance(11 * DAY);
        audit::retention::delete_old(&app.engine, Duration::from_secs(10 * 24 * 3_600)).await.unwrap();
        app.verify(&key.plain).await;
        feed::catch_up(&app.engine).await.unwrap();
        app.database.execute("ALTER TABLE keys RENAME TO keys_away").await;
        assert_eq!(said(&app.verify(&key.plain).await), "VALID", "from memory");
        app.database.execute("ALTER TABLE keys_away RENAME TO keys").await;
    }

    async fn a_new_secret_of_another_instance_works_at_the_first_request(app: &TestApp) {
        let org = app.org("northwind").await;
        let other = app.another_engine(|_| {}).await;
        let made = org.key("Production").await;
        let ask = async |key: &latchkey::key::text::PlainKey| said(&latchkey::verify::verify(&other, &latchkey::verify::Request {
            key: Some(key), ..Default::default()
        }).await.unwrap());
        assert_eq!(ask(&made.plain).await, "VALID");
        app.clock.advance(2 * SECOND);
        let rotated = rotate(&app.engine, &org.permit(), made.id, Rotation { overlap: 0, token: None }).await.unwrap();
        assert_eq!(ask(&rotated.plain).await, "VALID");
        assert_eq!(ask(&made.plain).await, "INVALID_API_KEY superseded");
    }

    async fn an_instance_that_follows_hears_of_changes_by_itself(app: &TestApp) {
        let org = app.org("northwind").await;
        let other = app.another_engine(|_| {}).await;
        feed::start(&other).await.unwrap();
        let following = { let other = Arc::clone(&other); tokio::spawn(async move { feed::follow(&other, None).await }) };
        let made = org.key("Production").await;
        let ask = async || said(&latchkey::verify::verify(&other, &latchkey::verify::Request {
            key: Some(&made.plain), ..Default::default()
        }).await.unwrap());
        assert_eq!(ask().await, "VALID");
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        let mut heard = false;
        for _ in 0..500 {
            heard = ask().await == "INVALID_API_KEY revoked";
            if heard {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        following.abort();
        assert!(heard);
    }

    async fn what_the_operator_does_to_no_org_is_in_no_orgs_log(app: &TestApp) {
        let org = app.org("northwind").await;
        app.service_token().await;
        assert_eq!(listed(app, &org, AuditQuery::default()).await.len(), 1);
        assert_eq!(app.database.texts("SELECT event FROM audit_log WHERE org_id IS NULL").await, ["token.created"]);
    }
}

/// Inserts an entry about a key, as someone with write access to the database can: a copy of the first entry except for
/// its number.
async fn forge(app: &TestApp, position: i64, seq: i64, key: KeyId) {
    let sql = format!(
        "INSERT INTO audit_log (position, org_id, seq, at, event, actor_kind, via, target_kind, target_id, changes, \
         pepper_version, hash) SELECT {position}, org_id, {seq}, at, 'key.revoked', actor_kind, via, 'key', '{key}', \
         changes, pepper_version, hash FROM audit_log WHERE position = 1"
    );
    app.database.without_audit_triggers(&sql).await;
}

async fn listed(app: &TestApp, org: &TestOrg, query: AuditQuery) -> Vec<Entry> {
    let permit = Operator::at_the_command_line().permit::<to::SeeAuditLog>(&org.org);
    let query = AuditQuery {
        limit: if query.limit == 0 { 100 } else { query.limit },
        ..query
    };
    audit::list(&app.engine, &permit, &query)
        .await
        .unwrap()
        .entries
}
