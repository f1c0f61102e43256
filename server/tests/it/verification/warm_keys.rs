//! Keys in memory: verified without the database, but never with a stale state.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use latchkey::{
    Engine, feed,
    key::{RevokeReason, text::PlainKey},
    keys::change_state::{disable, enable, revoke},
    random::Randomness,
    time::SECOND,
    verify::{
        Request,
        cache::{TRUSTED_FOR, UNKNOWN_FOR},
        verify,
    },
};

use crate::test_app::{TestApp, said};

on_both! {
    async fn a_warm_key_makes_no_database_call(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        app.verify(&made.plain).await;
        app.engine.db().close().await;
        for _ in 0..100 {
            assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        }
    }

    async fn without_the_database_a_warm_key_passes_for_a_minute_and_then_nothing_does(app: &TestApp) {
        let org = app.org("northwind").await;
        let (warm, cold) = (org.key("Warm").await, org.key("Cold").await);
        app.verify(&warm.plain).await;
        app.engine.db().close().await;
        assert_eq!(ask(&app.engine, &cold.plain).await, "no answer");
        app.clock.advance(TRUSTED_FOR - 1);
        assert_eq!(ask(&app.engine, &warm.plain).await, "VALID");
        app.clock.advance(1);
        assert_eq!(ask(&app.engine, &warm.plain).await, "no answer");
        assert_eq!(TRUSTED_FOR, 60 * SECOND);
    }

    async fn a_clock_that_is_set_back_does_not_lengthen_the_minute_of_trust(app: &TestApp) {
        let warm = app.org("northwind").await.key("Warm").await;
        app.verify(&warm.plain).await;
        app.engine.db().close().await;
        app.clock.set_back(60 * 60 * SECOND);
        app.clock.advance(TRUSTED_FOR - 1);
        assert_eq!(ask(&app.engine, &warm.plain).await, "VALID");
        app.clock.set_back(60 * 60 * SECOND);
        app.clock.advance(1);
        assert_eq!(ask(&app.engine, &warm.plain).await, "no answer");
    }

    async fn a_request_that_waits_for_the_database_while_its_key_is_disabled_does_not_pass(app: &TestApp) {
        let org = app.org("northwind").await;
        app.verify(&org.key("Other").await.plain).await;
        let mut waited = 0;
        // A database on the same machine can respond before the future waits, so several rounds are needed to reach
        // every await.
        for polls in (0..5).flat_map(|_| 1..=6) {
            let (engine, key) = (app.fresh_engine(), org.key("Production").await);
            feed::start(&engine).await.unwrap();
            let request = Request { key: Some(&key.plain), ..Request::default() };
            let mut asking = Box::pin(verify(&engine, &request));
            let mut left = polls;
            let answered = poll_fn(|context| match asking.as_mut().poll(context) {
                Poll::Ready(_) => Poll::Ready(true),
                Poll::Pending if left == 1 => Poll::Ready(false),
                Poll::Pending => {
                    left -= 1;
                    Poll::Pending
                }
            });
            let answered = answered.await;
            if answered {
                continue;
            }
            disable(&app.engine, &org.permit(), key.id).await.unwrap();
            feed::catch_up(&engine).await.unwrap();
            assert_eq!(said(&asking.await.unwrap()), "INVALID_API_KEY disabled", "after {polls} polls");
            waited += 1;
        }
        assert!(waited > 0, "no request waited");
    }

    async fn being_asked_about_does_not_keep_a_key_trusted(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        app.verify(&made.plain).await;
        app.engine.db().close().await;
        for _ in 0..59 {
            app.clock.advance(SECOND);
            assert_eq!(ask(&app.engine, &made.plain).await, "VALID");
        }
        app.clock.advance(SECOND);
        assert_eq!(ask(&app.engine, &made.plain).await, "no answer");
    }

    async fn a_wrong_checksum_is_refused_without_the_database(app: &TestApp) {
        app.engine.db().close().await;
        let made = PlainKey::generate("lk_sk_live_", 26, &Randomness::seeded(1)).unwrap();
        assert_eq!(ask(&app.engine, &made).await, "no answer", "a valid one would have to be looked up");
        let text = made.expose();
        let last = if text.ends_with('0') { "1" } else { "0" };
        let mistyped = PlainKey::from_presented(format!("{}{last}", &text[..text.len() - 1]));
        assert_eq!(ask(&app.engine, &mistyped).await, "INVALID_API_KEY malformed");
    }

    async fn an_unknown_key_is_remembered_and_asked_for_again_after_ten_seconds(app: &TestApp) {
        let unknown = PlainKey::generate("lk_sk_live_", 26, &Randomness::seeded(2)).unwrap();
        app.verify(&unknown).await;
        app.engine.db().close().await;
        app.clock.advance(UNKNOWN_FOR - 1);
        assert_eq!(ask(&app.engine, &unknown).await, "INVALID_API_KEY unknown");
        assert_eq!(UNKNOWN_FOR, 10 * SECOND);
        app.clock.advance(1);
        assert_eq!(ask(&app.engine, &unknown).await, "no answer");
    }

    async fn a_flood_of_unknown_keys_pushes_out_no_known_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let engine = app.another_engine(|settings| settings.cached_keys = 20).await;
        let mut known = vec![];
        for number in 0..10 {
            known.push(org.key(&format!("Key {number}")).await.plain);
            assert_eq!(ask(&engine, &known[number]).await, "VALID");
        }
        let random = Randomness::seeded(3);
        for _ in 0..500 {
            ask(&engine, &PlainKey::generate("lk_sk_live_", 26, &random).unwrap()).await;
        }
        engine.db().close().await;
        for key in &known {
            assert_eq!(ask(&engine, key).await, "VALID");
        }
    }

    async fn more_known_keys_than_memory_holds_all_get_their_answers(app: &TestApp) {
        let org = app.org("northwind").await;
        let engine = app.another_engine(|settings| settings.cached_keys = 5).await;
        let mut known = vec![];
        for number in 0..30 {
            known.push(org.key(&format!("Key {number}")).await.plain);
        }
        for key in known.iter().chain(&known) {
            assert_eq!(ask(&engine, key).await, "VALID");
        }
    }

    async fn disabling_and_revoking_bite_at_once_on_a_warm_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let (made, other) = (org.key("Production").await, org.key("Other").await);
        for expected in ["VALID", "VALID"] {
            assert_eq!(said(&app.verify(&made.plain).await), expected);
        }
        app.verify(&other.plain).await;
        disable(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(said(&app.verify(&made.plain).await), "INVALID_API_KEY disabled");
        enable(&app.engine, &org.permit(), made.id).await.unwrap();
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Unused).await.unwrap();
        app.engine.db().close().await;
        assert_eq!(ask(&app.engine, &made.plain).await, "no answer", "memory contains no stale state");
        assert_eq!(ask(&app.engine, &other.plain).await, "VALID", "another key is still in memory");
    }

    async fn a_revocation_that_fails_leaves_the_key_as_it_is(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        app.verify(&made.plain).await;
        app.database.execute("ALTER TABLE audit_log RENAME TO audit_log_away").await;
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Unused).await.unwrap_err();
        app.database.execute("ALTER TABLE audit_log_away RENAME TO audit_log").await;
        app.clock.advance(TRUSTED_FOR);
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }

    async fn a_verification_that_races_a_revocation_never_brings_the_old_state_back(app: &TestApp) {
        let org = app.org("northwind").await;
        for round in 0..60 {
            let made = org.key("Production").await;
            let plain = Arc::new(made.plain);
            let revoked = Arc::new(AtomicBool::new(false));
            let asking: Vec<_> = (0..4)
                .map(|_| {
                    let (engine, plain, revoked) = (app.engine.clone(), plain.clone(), revoked.clone());
                    tokio::spawn(async move {
                        loop {
                            // Read before the verification: one that starts after the revocation must know about it.
                            let was_revoked = revoked.load(Ordering::SeqCst);
                            let answer = ask(&engine, &plain).await;
                            if was_revoked {
                                return answer;
                            }
                            tokio::task::yield_now().await;
                        }
                    })
                })
                .collect();
            // Sometimes while the key is first read, sometimes once it is in memory.
            for _ in 0..round % 7 {
                tokio::task::yield_now().await;
            }
            revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
            revoked.store(true, Ordering::SeqCst);
            for answer in asking {
                assert_eq!(answer.await.unwrap(), "INVALID_API_KEY revoked", "round {round}");
            }
            assert_eq!(ask(&app.engine, &plain).await, "INVALID_API_KEY revoked", "round {round}");
        }
    }

    async fn many_who_ask_for_a_cold_key_at_once_all_get_the_answer(app: &TestApp) {
        let made = app.org("northwind").await.key("Production").await;
        let plain = Arc::new(made.plain);
        let unknown = Arc::new(PlainKey::generate("lk_sk_live_", 26, &Randomness::seeded(4)).unwrap());
        let asking: Vec<_> = (0..64)
            .map(|number| {
                let engine = app.engine.clone();
                let key = if number % 2 == 0 { plain.clone() } else { unknown.clone() };
                tokio::spawn(async move { (number % 2, ask(&engine, &key).await) })
            })
            .collect();
        for answer in asking {
            let (parity, answer) = answer.await.unwrap();
            assert_eq!(answer, if parity == 0 { "VALID" } else { "INVALID_API_KEY unknown" });
        }
    }
}

/// The result of a verification, or `no answer`.
async fn ask(engine: &Engine, key: &PlainKey) -> String {
    match verify(
        engine,
        &Request {
            key: Some(key),
            ..Request::default()
        },
    )
    .await
    {
        Ok(answer) => said(&answer),
        Err(_) => "no answer".to_owned(),
    }
}
