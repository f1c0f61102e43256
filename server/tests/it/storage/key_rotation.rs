//! Rotation: a key has two secrets for a while.

use std::sync::Arc;

use latchkey::{
    key::{RevokeReason, Status},
    keys::{
        change_state::{disable, revoke},
        rotate::{
            APART, EndOldSecretError, LONGEST_OVERLAP, RotateKeyError, Rotation, end_old_secret,
            rotate,
        },
        secrets::secrets,
    },
    time::{DAY, HOUR, MINUTE},
    usage::flush::flush,
    verify::{Request, verify},
};

use crate::test_app::{
    NOON, TestApp,
    org::{secret_key, with},
    said,
};

on_both! {
    async fn the_old_secret_works_until_its_overlap_is_over(app: &TestApp) {
        let org = app.org("northwind").await;
        let old = org.key("Production").await;
        assert_eq!(said(&app.verify(&old.plain).await), "VALID");
        let new = rotate(&app.engine, &org.permit(), old.id, overlap(DAY)).await.unwrap();
        assert_eq!(new.id, old.id, "it is the same key");
        assert_ne!(new.plain.expose(), old.plain.expose());
        assert_eq!(org.summary(old.id).await.display, new.display);
        for moved in [0, DAY - 1] {
            app.clock.advance(moved);
            for plain in [&old.plain, &new.plain] {
                assert_eq!(said(&app.verify(plain).await), "VALID", "after {moved}");
            }
        }
        app.clock.advance(1);
        assert_eq!(said(&app.verify(&old.plain).await), "INVALID_API_KEY superseded");
        assert_eq!(said(&app.verify(&new.plain).await), "VALID");
    }

    async fn without_an_overlap_the_old_secret_ends_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let old = org.key("Production").await;
        app.verify(&old.plain).await;
        let new = rotate(&app.engine, &org.permit(), old.id, overlap(0)).await.unwrap();
        assert_eq!(said(&app.verify(&old.plain).await), "INVALID_API_KEY superseded");
        assert_eq!(said(&app.verify(&new.plain).await), "VALID");
        for (moved, is_done) in [(APART - 1, false), (1, true)] {
            app.clock.advance(moved);
            match rotate(&app.engine, &org.permit(), old.id, overlap(0)).await {
                Ok(_) => assert!(is_done),
                Err(RotateKeyError::RotatedMeanwhile) => assert!(!is_done, "a concurrent request can arrive late"),
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    async fn each_secret_says_when_it_was_last_used(app: &TestApp) {
        let org = app.org("northwind").await;
        let old = org.key("Production").await;
        app.clock.advance(MINUTE);
        app.verify(&old.plain).await;
        let rotated_at = app.clock.now();
        let new = rotate(&app.engine, &org.permit(), old.id, overlap(HOUR)).await.unwrap();
        app.clock.advance(MINUTE);
        app.verify(&old.plain).await;
        app.clock.advance(MINUTE);
        app.verify(&new.plain).await;
        flush(&app.engine).await.unwrap();
        let secrets = secrets(&app.engine, &org.permit(), old.id).await.unwrap();
        let told: Vec<_> = secrets
            .iter()
            .map(|secret| (secret.display.as_str(), secret.created_at, secret.ends_at, secret.last_used_at))
            .collect();
        assert_eq!(told, [
            (new.display.as_str(), rotated_at, None, Some(NOON.plus(3 * MINUTE))),
            (old.display.as_str(), NOON, Some(rotated_at.plus(HOUR)), Some(NOON.plus(2 * MINUTE))),
        ]);
        assert!(secrets[1].is_running_out(app.clock.now()) && !secrets[0].is_running_out(app.clock.now()));
        assert!(!app.database.holds(new.plain.expose()).await);
    }

    async fn rotating_again_waits_for_the_old_secret_or_its_early_end(app: &TestApp) {
        let org = app.org("northwind").await;
        let first = org.key("Production").await;
        let second = rotate(&app.engine, &org.permit(), first.id, overlap(DAY)).await.unwrap();
        app.verify(&second.plain).await;
        match rotate(&app.engine, &org.permit(), first.id, overlap(0)).await {
            Err(RotateKeyError::RotationRunning { ends_at }) => assert_eq!(ends_at, NOON.plus(DAY)),
            other => panic!("{other:?}"),
        }
        assert_eq!(said(&app.verify(&first.plain).await), "VALID");
        end_old_secret(&app.engine, &org.permit(), first.id).await.unwrap();
        assert_eq!(said(&app.verify(&first.plain).await), "INVALID_API_KEY superseded");
        assert_eq!(said(&app.verify(&second.plain).await), "VALID");
        let again = end_old_secret(&app.engine, &org.permit(), first.id).await;
        assert!(matches!(again, Err(EndOldSecretError::NoneRunning)), "{again:?}");
        app.clock.advance(APART);
        let third = rotate(&app.engine, &org.permit(), first.id, overlap(DAY)).await.unwrap();
        assert_eq!(said(&app.verify(&third.plain).await), "VALID");
    }

    async fn a_new_secret_that_another_instance_has_used_is_not_replaced(app: &TestApp) {
        let org = app.org("northwind").await;
        let first = org.key("Production").await;
        let second = rotate(&app.engine, &org.permit(), first.id, overlap(DAY)).await.unwrap();
        // Its next flush by the clock may be an hour away.
        let other = app.another_engine(|_| {}).await;
        let request = Request { key: Some(&second.plain), ..Request::default() };
        assert_eq!(said(&verify(&other, &request).await.unwrap()), "VALID");
        other.finish().await.unwrap();
        app.clock.advance(APART);
        let again = rotate(&app.engine, &org.permit(), first.id, overlap(DAY)).await;
        assert!(matches!(again, Err(RotateKeyError::RotationRunning { .. })), "{again:?}");
    }

    async fn the_old_secret_of_a_revoked_key_is_not_ended_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await;
        rotate(&app.engine, &org.permit(), key.id, overlap(DAY)).await.unwrap();
        revoke(&app.engine, &org.permit(), key.id, RevokeReason::Unused).await.unwrap();
        let ended = end_old_secret(&app.engine, &org.permit(), key.id).await;
        assert!(matches!(ended, Err(EndOldSecretError::WrongState(Status::Revoked))), "{ended:?}");
    }

    async fn a_new_secret_that_was_never_used_is_replaced_and_the_old_one_keeps_its_end(app: &TestApp) {
        let org = app.org("northwind").await;
        let old = org.key("Production").await;
        let lost = rotate(&app.engine, &org.permit(), old.id, overlap(DAY)).await.unwrap();
        let just_now = rotate(&app.engine, &org.permit(), old.id, overlap(DAY)).await;
        assert!(matches!(just_now, Err(RotateKeyError::RotatedMeanwhile)), "{just_now:?}");
        app.clock.advance(APART);
        let new = rotate(&app.engine, &org.permit(), old.id, overlap(0)).await.unwrap();
        assert_eq!(said(&app.verify(&lost.plain).await), "INVALID_API_KEY superseded");
        assert_eq!((said(&app.verify(&old.plain).await), said(&app.verify(&new.plain).await)), ("VALID".into(), "VALID".into()));
        // The use a moment ago is not stored yet.
        app.clock.advance(APART);
        let in_use = rotate(&app.engine, &org.permit(), old.id, overlap(DAY)).await;
        assert!(matches!(in_use, Err(RotateKeyError::RotationRunning { ends_at }) if ends_at == NOON.plus(DAY)), "{in_use:?}");
        app.clock.advance(DAY - 2 * APART);
        assert_eq!(said(&app.verify(&old.plain).await), "INVALID_API_KEY superseded");
        assert_eq!(said(&app.verify(&new.plain).await), "VALID");
    }

    async fn states_and_lengths_that_forbid_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        for length in [-1, LONGEST_OVERLAP + 1, i64::MIN, i64::MAX] {
            let refused = rotate(&app.engine, &org.permit(), key, overlap(length)).await;
            assert!(matches!(refused, Err(RotateKeyError::OverlapOutOfRange)), "{refused:?}");
        }
        disable(&app.engine, &org.permit(), key).await.unwrap();
        let new = rotate(&app.engine, &org.permit(), key, overlap(LONGEST_OVERLAP)).await.unwrap();
        assert_eq!(said(&app.verify(&new.plain).await), "INVALID_API_KEY disabled", "it does not change");
        revoke(&app.engine, &org.permit(), key, RevokeReason::Other).await.unwrap();
        let refused = rotate(&app.engine, &org.permit(), key, overlap(0)).await;
        assert!(matches!(refused, Err(RotateKeyError::WrongState(Status::Revoked))), "{refused:?}");
        let short = with(secret_key("Short"), |settings| settings.expires_at = Some(NOON.plus(1)));
        let short = org.create_key(short).await.unwrap().id;
        app.clock.advance(1);
        let refused = rotate(&app.engine, &org.permit(), short, overlap(0)).await;
        assert!(matches!(refused, Err(RotateKeyError::WrongState(Status::Expired))), "{refused:?}");
    }

    async fn another_orgs_key_is_not_found(app: &TestApp) {
        let (org, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let theirs = contoso.key("Theirs").await;
        rotate(&app.engine, &contoso.permit(), theirs.id, overlap(DAY)).await.unwrap();
        let refused = rotate(&app.engine, &org.permit(), theirs.id, overlap(0)).await;
        assert!(matches!(refused, Err(RotateKeyError::NotFound)), "{refused:?}");
        let refused = end_old_secret(&app.engine, &org.permit(), theirs.id).await;
        assert!(matches!(refused, Err(EndOldSecretError::NotFound)), "{refused:?}");
        assert!(secrets(&app.engine, &org.permit(), theirs.id).await.unwrap().is_empty());
        assert_eq!(said(&app.verify(&theirs.plain).await), "VALID");
    }

    async fn of_rotations_at_once_one_is_done_and_its_secret_works(app: &TestApp) {
        let org = app.org("northwind").await;
        for length in [0, DAY] {
            let key = org.key("Production").await.id;
            let held = app.database.hold_keys().await;
            let sent: Vec<_> = (0..8)
                .map(|_| {
                    let (engine, permit) = (Arc::clone(&app.engine), org.permit());
                    tokio::spawn(async move { rotate(&engine, &permit, key, overlap(length)).await })
                })
                .collect();
            // All rotations have started, and none can continue.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            drop(held);
            let mut made = vec![];
            for answer in sent {
                match answer.await.unwrap() {
                    Ok(created) => made.push(created),
                    Err(RotateKeyError::RotatedMeanwhile) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            assert_eq!(made.len(), 1);
            assert_eq!(said(&app.verify(&made[0].plain).await), "VALID");
        }
    }

    async fn a_form_that_is_sent_many_times_at_once_rotates_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        let sent: Vec<_> = (0..8)
            .map(|_| {
                let (engine, permit) = (Arc::clone(&app.engine), org.permit());
                let rotation = Rotation { overlap: DAY, token: Some("form 1".to_owned()) };
                tokio::spawn(async move { rotate(&engine, &permit, key, rotation).await })
            })
            .collect();
        let mut made = 0;
        for answer in sent {
            match answer.await.unwrap() {
                Ok(_) => made += 1,
                Err(RotateKeyError::AlreadyRotated) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(made, 1);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 2);
    }
}

fn overlap(overlap: i64) -> Rotation {
    Rotation {
        overlap,
        token: None,
    }
}
