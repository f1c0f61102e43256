//! The policies of an organization, and changes of them at the same moment as keys are created.

use std::sync::Arc;

use latchkey::{
    keys::{
        create,
        import::{Format, ImportError, import},
    },
    orgs::policies::{self, ChangePoliciesError},
    policy::KeyPolicy,
    revision::Known,
};
use sha2::{Digest as _, Sha256};

use crate::test_app::{TestApp, TestOrg, org::secret_key};

async fn change(
    org: &TestOrg,
    policy: KeyPolicy,
    known: &Known,
) -> Result<KeyPolicy, ChangePoliciesError> {
    policies::change(&org.engine, &org.permit(), policy, known).await
}

async fn stored(app: &TestApp, org: &TestOrg) -> KeyPolicy {
    policies::read::<latchkey::access::to::SeeKeys>(&app.engine, &org.permit())
        .await
        .unwrap()
}

on_both! {
    async fn owners_change_them_and_the_log_has_both_values(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let default = stored(app, &org).await;
        assert_eq!(default, KeyPolicy::default());
        let base = Known::Revision(policies::revision(&default));
        let mine = KeyPolicy { longest_life_days: Some(30), ..default };
        change(&org, mine, &base).await.unwrap();
        // Someone else had the form open and changed another policy.
        let theirs = KeyPolicy { scopes_required: true, rotation_days: None, ..default };
        change(&org, theirs, &base).await.unwrap();
        assert_eq!(stored(app, &org).await, KeyPolicy { longest_life_days: Some(30), ..theirs });
        let conflicting = KeyPolicy { longest_life_days: Some(60), ..default };
        let error = change(&org, conflicting, &base).await.unwrap_err();
        assert!(matches!(error, ChangePoliciesError::ChangedMeanwhile), "{error:?}");
        change(&org, theirs, &Known::Revision(policies::revision(&theirs))).await.unwrap();
        for days in [0, 3_651] {
            let invalid = KeyPolicy { rotation_days: Some(days), ..default };
            let error = change(&org, invalid, &Known::Nothing).await.unwrap_err();
            assert!(matches!(error, ChangePoliciesError::InvalidPeriod), "{error:?}");
        }
        let logged = app.database.texts("SELECT changes FROM audit_log WHERE event = 'org.updated' ORDER BY position").await;
        assert_eq!(logged, [
            r#"{"longest_life_days":{"from":null,"to":30}}"#,
            r#"{"rotation_days":{"from":90,"to":null},"scopes_required":{"from":false,"to":true}}"#,
        ]);
        assert_eq!(stored(app, &other).await, default);
    }

    async fn no_key_is_created_after_the_policy_that_it_breaks(app: &TestApp) {
        // Another process has its own connections.
        let second = app.another_engine(|_| ()).await;
        for round in 0..6 {
            let org = app.org(&format!("northwind-{round}")).await;
            let creations = (0..12).map(|number| {
                let engine = if number % 2 == 0 { Arc::clone(&app.engine) } else { Arc::clone(&second) };
                let permit = org.permit();
                tokio::spawn(async move { create::create(&engine, &permit, secret_key(&format!("Key {number}"))).await.is_ok() })
            });
            let creations: Vec<_> = creations.collect();
            let required = KeyPolicy { ip_ranges_required: true, ..KeyPolicy::default() };
            change(&org, required, &Known::Nothing).await.unwrap();
            let mut created = 0;
            for creation in creations {
                created += i64::from(creation.await.unwrap());
            }
            assert!(create::create(&second, &org.permit(), secret_key("Late")).await.is_err());
            let of_org = format!("FROM audit_log WHERE org_id = '{}' AND event", org.org.id);
            let late = format!("SELECT COUNT(*) {of_org} = 'key.created' AND position > (SELECT position {of_org} = 'org.updated')");
            assert_eq!(app.database.number(&late).await, 0, "round {round}");
            let stored = format!("SELECT COUNT(*) FROM keys WHERE org_id = '{}'", org.org.id);
            assert_eq!(app.database.number(&stored).await, created);
        }
        second.db().close().await;
    }

    async fn an_import_that_a_policy_overtakes_stores_nothing(app: &TestApp) {
        let second = app.another_engine(|_| ()).await;
        for round in 0..6 {
            let org = app.org(&format!("northwind-{round}")).await;
            let digest: String = Sha256::digest(format!("{round}")).iter().map(|byte| format!("{byte:02x}")).collect();
            let csv = format!("name,sha256\nOld,{digest}\n");
            let (engine, permit) = (Arc::clone(&second), org.permit());
            let importing = tokio::spawn(async move { import(&engine, &permit, Format::Csv, &csv, false).await });
            let required = KeyPolicy { longest_life_days: Some(30), ..KeyPolicy::default() };
            change(&org, required, &Known::Nothing).await.unwrap();
            // It was before the policy, after it, or overtaken by it.
            let imported = match importing.await.unwrap() {
                Ok(report) => {
                    assert_eq!(report.imported, report.is_good());
                    report.imported
                }
                Err(ImportError::PoliciesChanged) => false,
                Err(error) => panic!("{error:?}"),
            };
            let of_org = format!("FROM audit_log WHERE org_id = '{}' AND event", org.org.id);
            let in_time = format!("SELECT COUNT(*) {of_org} = 'key.imported' AND position < (SELECT position {of_org} = 'org.updated')");
            assert_eq!(app.database.number(&in_time).await, i64::from(imported), "round {round}");
        }
        second.db().close().await;
    }
}
