//! Disabling, enabling and revoking keys.

use latchkey::{
    id::KeyId,
    key::{RevokeReason, Status},
    keys::{
        change_state::{ChangeStateError, disable, enable, revoke},
        show,
    },
    time::{DAY, HOUR},
    usage::{
        parts,
        question::Question,
        report::{self, Range},
    },
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, with},
};

on_both! {
    async fn a_change_is_stored_with_its_time_and_reason(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        disable(&app.engine, &org.permit(), key).await.unwrap();
        let stored = org.summary(key).await;
        assert_eq!((stored.status(NOON), stored.lifecycle.disabled_at), (Status::Disabled, Some(NOON)));
        enable(&app.engine, &org.permit(), key).await.unwrap();
        let stored = org.summary(key).await;
        assert_eq!((stored.status(NOON), stored.lifecycle.disabled_at), (Status::Active, None));
        app.clock.advance(HOUR);
        revoke(&app.engine, &org.permit(), key, RevokeReason::LeftTeam).await.unwrap();
        let stored = org.summary(key).await;
        assert_eq!(stored.lifecycle.revoked_at, Some(NOON.plus(HOUR)));
        assert_eq!(stored.revoke_reason, Some(RevokeReason::LeftTeam));
    }

    async fn every_state_allows_what_it_should(app: &TestApp) {
        let org = app.org("northwind").await;
        let mut table = String::new();
        for status in Status::ALL {
            let mut line = format!("{:<9}", status.as_str());
            for change in ["disable", "enable", "revoke"] {
                let key = key_in(app, &org, *status).await;
                let done = match change {
                    "disable" => disable(&app.engine, &org.permit(), key).await,
                    "enable" => enable(&app.engine, &org.permit(), key).await,
                    _ => revoke(&app.engine, &org.permit(), key, RevokeReason::Other).await,
                };
                let after = org.summary(key).await.status(app.clock.now());
                match done {
                    Ok(()) => line += &format!(" {change}: {after}"),
                    Err(ChangeStateError::WrongState(from)) => {
                        assert_eq!((from, after), (*status, *status));
                        line += &format!(" {change}: no");
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
            table += &line;
            table.push('\n');
        }
        insta::allow_duplicates! { insta::assert_snapshot!(table, @r"
        active    disable: disabled enable: no revoke: revoked
        disabled  disable: no enable: active revoke: revoked
        expired   disable: no enable: no revoke: revoked
        revoked   disable: no enable: no revoke: no
        ") };
    }

    async fn revoking_keeps_that_a_key_was_disabled_and_when_it_expires(app: &TestApp) {
        let org = app.org("northwind").await;
        let expires_at = Some(NOON.plus(DAY));
        let key = org.create_key(with(secret_key("Production"), |settings| settings.expires_at = expires_at)).await.unwrap().id;
        disable(&app.engine, &org.permit(), key).await.unwrap();
        revoke(&app.engine, &org.permit(), key, RevokeReason::Other).await.unwrap();
        let lifecycle = org.summary(key).await.lifecycle;
        assert_eq!((lifecycle.disabled_at, lifecycle.expires_at), (Some(NOON), expires_at));
    }

    async fn a_change_touches_only_its_key(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let target = northwind.key("Target").await.id;
        for org in [&northwind, &contoso] {
            org.key("Same name").await;
            org.key("Target").await;
        }
        let others = async || app.database.texts(&format!("{ROWS} WHERE id <> '{target}' ORDER BY id")).await;
        let before = others().await;
        assert_eq!(before.len(), 4);
        disable(&app.engine, &northwind.permit(), target).await.unwrap();
        assert_eq!(others().await, before);
        enable(&app.engine, &northwind.permit(), target).await.unwrap();
        assert_eq!(others().await, before);
        revoke(&app.engine, &northwind.permit(), target, RevokeReason::Compromised).await.unwrap();
        assert_eq!(others().await, before);
    }

    async fn another_orgs_key_is_not_found_by_any_operation(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let made = contoso.key("Theirs").await;
        let theirs = made.id;
        app.verify(&made.plain).await;
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        let rows = async || app.database.texts(ROWS).await;
        let (before, engine) = (rows().await, &app.engine);

        let not_found = |done| assert!(matches!(done, Err(ChangeStateError::NotFound)), "{done:?}");
        not_found(disable(engine, &northwind.permit(), theirs).await);
        not_found(enable(engine, &northwind.permit(), theirs).await);
        not_found(revoke(engine, &northwind.permit(), theirs, RevokeReason::Other).await);
        assert!(show::summary(engine, &northwind.permit(), theirs).await.unwrap().is_none());
        assert!(show::details(engine, &northwind.permit(), theirs).await.unwrap().is_none());
        let usage = report::with_details(engine, &northwind.permit(), &Question::of_key(theirs, Range::Days30)).await;
        assert!(usage.is_err_and(|error| error.to_string().ends_with("was not found in this organization")));
        assert!(parts::requests_of_keys(engine, &northwind.permit(), &[theirs]).await.unwrap().is_empty());
        assert!(parts::of_keys(engine, &northwind.permit(), Range::Days30, 50).await.unwrap().busiest.is_empty());
        assert_eq!(report::of_org(engine, &northwind.permit(), &Question::of_range(Range::Days30)).await.unwrap().total.all(), 0);
        assert_eq!(rows().await, before);
        assert_eq!(report::with_details(engine, &contoso.permit(), &Question::of_key(theirs, Range::Days30)).await.unwrap().total.all(), 1);
    }

    async fn of_many_who_revoke_at_once_one_does_and_its_reason_stays(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        let revoking: Vec<_> = RevokeReason::ALL
            .iter()
            .map(|&reason| {
                let (engine, permit) = (app.engine.clone(), org.permit());
                tokio::spawn(async move { (reason, revoke(&engine, &permit, key, reason).await) })
            })
            .collect();
        let mut winners = vec![];
        for answer in revoking {
            match answer.await.unwrap() {
                (reason, Ok(())) => winners.push(reason),
                (_, Err(ChangeStateError::WrongState(Status::Revoked))) => {}
                (_, Err(error)) => panic!("{error:?}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(org.summary(key).await.revoke_reason, Some(winners[0]));
    }
}

/// All columns of keys that a change could modify, one row per key.
const ROWS: &str = "SELECT id || ' ' || name || ' ' || search || ' ' || COALESCE(CAST(disabled_at AS TEXT), '-') || ' ' || \
     COALESCE(CAST(revoked_at AS TEXT), '-') || ' ' || COALESCE(revoke_reason, '-') || ' ' || \
     COALESCE(CAST(expires_at AS TEXT), '-') FROM keys";

/// A new key with the given status.
async fn key_in(app: &TestApp, org: &TestOrg, status: Status) -> KeyId {
    let expires_at = (status == Status::Expired).then(|| app.clock.now().plus(1));
    let key = org
        .create_key(with(secret_key("Production"), |settings| {
            settings.expires_at = expires_at
        }))
        .await
        .unwrap()
        .id;
    match status {
        Status::Active => {}
        Status::Disabled => disable(&app.engine, &org.permit(), key).await.unwrap(),
        Status::Expired => app.clock.advance(1),
        Status::Revoked => revoke(&app.engine, &org.permit(), key, RevokeReason::Other)
            .await
            .unwrap(),
    }
    key
}
