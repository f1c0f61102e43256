//! The retention of the audit log.

use std::{sync::Arc, time::Duration};

use latchkey::{
    Engine,
    access::to,
    audit::{self, AuditQuery, Entry, retention::delete_old},
    id::KeyId,
    key::RevokeReason,
    keys::change_state::{disable_many, revoke_many},
    role::Role,
    time::{DAY, HOUR},
};

use super::key_paging::insert_keys;
use crate::test_app::{TestApp, TestOrg};

const TEN_DAYS: Duration = Duration::from_secs(10 * 24 * 3_600);

on_both! {
    async fn entries_are_deleted_when_they_are_older_than_the_setting(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("Old").await;
        let head = audit::verify(&app.engine, None).await.unwrap().hash;
        app.clock.advance(1);
        org.key("Young").await;
        app.clock.advance(10 * DAY - 1);
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(seqs(app, &org).await, [3, 2, 1], "no entry is more than ten days old");
        app.clock.advance(1);
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(seqs(app, &org).await, [3]);
        let verified = audit::verify(&app.engine, Some(&head)).await.unwrap();
        assert_eq!(verified.count, 1, "the head of the deleted entries is the checkpoint");
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(audit::verify(&app.engine, Some(&head)).await.unwrap(), verified);
        for sql in ["DELETE FROM audit_log", "UPDATE audit_log SET seq = 9"] {
            let rejected = app.database.try_execute(sql).await.unwrap_err();
            assert!(rejected.to_string().contains("append-only"), "{sql}: {rejected}");
        }
    }

    async fn an_org_whose_entries_are_all_deleted_gives_no_number_twice(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        org.key("Old").await;
        app.service_token().await;
        for round in 1..=3 {
            app.clock.advance(11 * DAY);
            delete_old(&app.engine, TEN_DAYS).await.unwrap();
            assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log").await, 0, "{round}");
            assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 0);
            org.key("Young").await;
            app.service_token().await;
            assert_eq!(seqs(app, &org).await, [2 + round]);
            assert_eq!(seqs(app, &other).await, [0; 0]);
            let of_none = app.database.number("SELECT seq FROM audit_log WHERE org_id IS NULL").await;
            assert_eq!(of_none, 1 + round);
            assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 2);
        }
        other.key("Theirs").await;
        assert_eq!(seqs(app, &other).await, [2]);
    }

    async fn thousands_are_deleted_while_others_write_and_verify(app: &TestApp) {
        let org = Arc::new(app.org("northwind").await);
        insert_keys(app, &org, 1_200).await;
        let ids = app.database.texts("SELECT id FROM keys ORDER BY id").await;
        let ids: Vec<KeyId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        for ids in ids.chunks(500) {
            disable_many(&app.engine, &org.permit(), ids).await.unwrap();
            revoke_many(&app.engine, &org.permit(), ids, RevokeReason::Unused).await.unwrap();
        }
        assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 2_401);
        app.clock.advance(11 * DAY);
        let other = app.another_engine(|_| {}).await;
        let delete = |engine: Arc<Engine>| tokio::spawn(async move { delete_old(&engine, TEN_DAYS).await });
        let deleting = [delete(Arc::clone(&app.engine)), delete(Arc::clone(&other))];
        let writing = { let org = Arc::clone(&org); tokio::spawn(async move {
            for _ in 0..20 {
                org.key("Young").await;
            }
        }) };
        while !writing.is_finished() {
            audit::verify(&app.engine, None).await.unwrap();
        }
        writing.await.unwrap();
        for deleting in deleting {
            deleting.await.unwrap().unwrap();
        }
        assert_eq!(seqs(app, &org).await, (2_402..=2_421).rev().collect::<Vec<_>>());
        assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 20);
        other.db().close().await;
    }

    async fn an_old_time_behind_a_young_one_waits(app: &TestApp) {
        let org = app.org("northwind").await;
        app.clock.advance(5 * DAY);
        org.key("Young").await;
        app.clock.advance(-4 * DAY);
        org.key("Written by a clock that is wrong").await;
        app.clock.advance(11 * DAY);
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(seqs(app, &org).await, [3, 2]);
        assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 2);
        app.clock.advance(4 * DAY);
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(seqs(app, &org).await, [0; 0]);
        assert_eq!(audit::verify(&app.engine, None).await.unwrap().count, 0);
    }

    async fn whole_addresses_are_kept_for_ninety_days(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = [("change", "create"), ("name", "Mobile")];
        assert!(owner.submit("/orgs/northwind/projects", &form).await.status.is_redirection());
        let address = async || entries(app, &org).await[0].address.clone().unwrap();
        app.clock.advance(90 * DAY);
        delete_old(&app.engine, Duration::MAX).await.unwrap();
        assert_eq!(address().await, "192.0.2.1");
        app.clock.advance(1);
        delete_old(&app.engine, Duration::MAX).await.unwrap();
        assert_eq!(address().await, "192.0.2.0/24");
        assert!(audit::verify(&app.engine, None).await.is_ok());
    }

    async fn addresses_of_deleted_entries_are_deleted_with_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = [("change", "create"), ("name", "Mobile")];
        assert!(owner.submit("/orgs/northwind/projects", &form).await.status.is_redirection());
        let addresses = async || app.database.number("SELECT COUNT(*) FROM audit_addresses").await;
        assert!(addresses().await > 0);
        app.clock.advance(10 * DAY + HOUR);
        delete_old(&app.engine, TEN_DAYS).await.unwrap();
        assert_eq!(addresses().await, 0);
    }
}

async fn entries(app: &TestApp, org: &TestOrg) -> Vec<Entry> {
    let query = AuditQuery {
        limit: 100,
        ..AuditQuery::default()
    };
    let page = audit::list(&app.engine, &org.permit::<to::SeeAuditLog>(), &query).await;
    page.unwrap().entries
}

/// The numbers of the org's newest entries.
async fn seqs(app: &TestApp, org: &TestOrg) -> Vec<i64> {
    let entries = entries(app, org).await;
    entries.iter().map(|entry| entry.seq).collect()
}
