//! Second factors: each code works once, and guessing is limited.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::Operator,
    accounts::{
        known_browser::{self, By},
        lifecycle,
        password::{self, TypedPassword},
        second_factor::{
            self, CodeError, SetUpError, TurnOffError, TypedCode, move_to_current_pepper,
            new_recovery_codes, turn_off,
        },
        second_step::{SecondStepError, SignedInWithCode, sign_in_with_code},
        sessions::{self, Codes, Device, SessionHash, SessionRecord, SignedIn},
        sign_in::{FirstStep, sign_in},
    },
    backup::{self, Backup},
    caller::{Person, Visit},
    id::UserId,
    peppers,
    role::Role,
    time::{DAY, MINUTE, SECOND},
};

use super::peppers::{of, with};
use crate::test_app::{
    Database, TestApp,
    authenticator::{Authenticator, confirmed, turn_on},
    org::PASSWORD,
};

const STEP: i64 = 30 * SECOND;

on_both! {
    async fn a_first_step_ends_with_the_second_factor_that_it_waited_for(app: &TestApp) {
        let (user_id, ..) = dana(app).await;
        let old = half(&app.engine).await;
        second_factor::reset(&app.engine, &Operator::at_the_command_line(), user_id).await.unwrap();
        app.clock.advance(STEP);
        let (_, codes) = turn_on(app, user_id).await;
        let code = TypedCode::read("", &codes[0].expose()).unwrap();
        let refused = second(&app.engine, &old, code.clone()).await;
        assert!(matches!(refused, Err(SecondStepError::Expired)), "{refused:?}");
        second(&app.engine, &half(&app.engine).await, code).await.unwrap();
    }

    async fn a_sign_in_that_began_before_the_second_factor_was_turned_on_starts_no_session(app: &TestApp) {
        let org = app.org("northwind").await;
        let user_id = org.person("kim", Role::Member).await;
        let begun = sign_in(&app.engine, &"kim@northwind.example".parse().unwrap(), TypedPassword::new(PASSWORD), &Visit::default(), "").await.unwrap();
        let FirstStep::SignedIn(who) = begun else { panic!("no code is needed yet") };
        turn_on(app, user_id).await;
        let record = SessionRecord { who, used_at: app.clock.now(), device: Device::default(), codes: Codes::default() };
        let hash = SessionHash::of(b"late");
        assert!(sessions::save(&app.engine, hash, record).await.unwrap_err().is_of_ended_session());
        assert!(sessions::load(&app.engine, hash).await.unwrap().is_none());
    }

    async fn a_sign_in_while_the_second_factor_is_turned_on_leaves_no_session_without_a_code(app: &TestApp) {
        let org = app.org("northwind").await;
        let other = app.another_engine(|_| {}).await;
        for number in 0..8_u8 {
            let user_id = org.person(&format!("kim{number}"), Role::Member).await;
            let email = format!("kim{number}@northwind.example").parse().unwrap();
            let begun = sign_in(&other, &email, TypedPassword::new(PASSWORD), &Visit::default(), "").await.unwrap();
            let FirstStep::SignedIn(who) = begun else { panic!("no code is needed yet") };
            let record = SessionRecord { who, used_at: app.clock.now(), device: Device::default(), codes: Codes::default() };
            let hash = SessionHash::of(&[number]);
            let (_, saved) = tokio::join!(turn_on(app, user_id), sessions::save(&other, hash, record));
            let stays = sessions::load(&app.engine, hash).await.unwrap().is_some();
            assert!(!stays, "{saved:?}");
        }
    }

    async fn of_many_sign_ins_with_one_code_at_once_on_two_instances_one_succeeds(app: &TestApp) {
        let (_, authenticator, recovery_codes) = dana(app).await;
        app.clock.advance(STEP);
        let other = app.another_engine(|_| {}).await;
        for (code, recovery_code) in [
            (authenticator.code(app.clock.now()), String::new()),
            (String::new(), recovery_codes[0].clone()),
            (String::new(), recovery_codes[1].clone()),
        ] {
            let mut trying = Vec::new();
            for number in 0..8 {
                let engine = Arc::clone(if number % 2 == 0 { &app.engine } else { &other });
                let (half, code) = (half(&engine).await, TypedCode::read(&code, &recovery_code).unwrap());
                trying.push(tokio::spawn(async move { second(&engine, &half, code).await }));
            }
            let mut won = 0;
            for trying in trying {
                match trying.await.unwrap() {
                    Ok(_) => won += 1,
                    Err(error) => assert!(matches!(error, SecondStepError::Code(CodeError::Wrong | CodeError::WrongRecovery)), "{error:?}"),
                }
            }
            assert_eq!(won, 1, "{code} {recovery_code}");
            app.clock.advance(15 * MINUTE);
        }
        let left = app.database.number("SELECT COUNT(*) FROM recovery_codes").await;
        assert_eq!(left, 8);
    }

    async fn a_clock_can_be_wrong_by_one_step_and_no_code_works_twice(app: &TestApp) {
        let (_, authenticator, _) = dana(app).await;
        app.clock.advance(10 * STEP);
        let now = app.clock.now();
        for (millis, accepted) in [
            (-2 * STEP, false),
            (2 * STEP, false),
            (-STEP, true),
            (-STEP, false),
            (STEP, true),
            // An older code than the last one that was used.
            (0, false),
            (STEP, false),
        ] {
            let tried = enter(&app.engine, &authenticator.code(now.plus(millis))).await;
            assert_eq!(tried.is_ok(), accepted, "{millis}: {tried:?}");
        }
        app.clock.advance(2 * STEP);
        enter(&app.engine, &authenticator.code(app.clock.now())).await.unwrap();
    }

    async fn the_code_that_turned_it_on_does_not_sign_in(app: &TestApp) {
        let (_, authenticator, _) = dana(app).await;
        let same = enter(&app.engine, &authenticator.code(app.clock.now())).await;
        assert!(matches!(same, Err(SecondStepError::Code(CodeError::Wrong))), "{same:?}");
    }

    async fn wrong_codes_are_limited_and_a_known_browser_is_not_kept_out(app: &TestApp) {
        let (dana, authenticator, _) = dana(app).await;
        let since = second_factor::of_user(&app.engine, dana).await.unwrap().unwrap().since;
        let known = known_browser::remember(&app.engine, "", SignedIn { user_id: dana, epoch: 0 }, By::Code(since)).unwrap();
        app.clock.advance(STEP);
        for _ in 0..10 {
            let wrong = enter(&app.engine, "000000").await;
            assert!(matches!(wrong, Err(SecondStepError::Code(CodeError::Wrong))), "{wrong:?}");
        }
        let right = authenticator.code(app.clock.now());
        let throttled = enter(&app.engine, &right).await;
        assert!(matches!(throttled, Err(SecondStepError::Code(CodeError::TooMany { retry_after: 900 }))), "{throttled:?}");
        let half = half(&app.engine).await;
        let code = TypedCode::read(&right, "").unwrap();
        sign_in_with_code(&app.engine, &half, code, &Visit::default(), &known).await.unwrap();
        app.clock.advance(15 * MINUTE);
        enter(&app.engine, &authenticator.code(app.clock.now())).await.unwrap();
    }

    async fn someone_who_knows_the_password_cannot_guess_all_day(app: &TestApp) {
        let (_, authenticator, _) = dana(app).await;
        let mut compared = 0;
        for _ in 0..8 {
            for _ in 0..10 {
                let guess = enter(&app.engine, "000000").await;
                compared += i64::from(matches!(guess, Err(SecondStepError::Code(CodeError::Wrong))));
            }
            app.clock.advance(15 * MINUTE);
        }
        assert_eq!(compared, 50);
        app.clock.advance(DAY);
        enter(&app.engine, &authenticator.code(app.clock.now())).await.unwrap();
    }

    async fn a_thief_guesses_fifty_codes_a_day_at_each_door_and_the_owner_has_attempts_of_their_own(app: &TestApp) {
        let (dana, authenticator, _) = dana(app).await;
        let who = SignedIn { user_id: dana, epoch: 0 };
        let cookie = |by| known_browser::remember(&app.engine, "", who, by).unwrap();
        let since = second_factor::of_user(&app.engine, dana).await.unwrap().unwrap().since;
        let stolen = cookie(By::Code(since));
        // A sign-in that began before the second factor can end after it.
        app.clock.advance(STEP);
        let late = cookie(By::Password);
        let (one, two) = (SessionHash::of(b"one"), SessionHash::of(b"two"));
        let record = SessionRecord { who, used_at: app.clock.now(), device: Device::default(), codes: Codes::default().continued(SessionHash::of(b"before")) };
        sessions::save(&app.engine, two, record).await.unwrap();
        let continued = SessionHash::of(b"continued");
        let record = SessionRecord { codes: Codes::default().continued(one), ..record };
        sessions::save(&app.engine, continued, record).await.unwrap();
        let guess = TypedCode::read("000000", "").unwrap();
        // With the password and the cookie of a known browser, or in two sessions from before the second factor.
        let (mut in_browser, mut in_late_browser, mut in_sessions) = (0, 0, 0);
        for _ in 0..8 {
            let (half, confirmed) = (half(&app.engine).await, confirmed(app, dana).await);
            for number in 0..10 {
                let tried = sign_in_with_code(&app.engine, &half, guess.clone(), &Visit::default(), &stolen).await;
                in_browser += i64::from(matches!(tried, Err(SecondStepError::Code(CodeError::Wrong))));
                let tried = sign_in_with_code(&app.engine, &half, guess.clone(), &Visit::default(), if number % 2 == 0 { &late } else { "" }).await;
                in_late_browser += i64::from(matches!(tried, Err(SecondStepError::Code(CodeError::Wrong))));
                let session = [one, two, continued][number % 3];
                let tried = if number < 5 {
                    turn_off(&app.engine, at(dana), session, confirmed.clone(), guess.clone()).await
                } else {
                    new_recovery_codes(&app.engine, at(dana), session, confirmed.clone(), guess.clone()).await.map(drop)
                };
                in_sessions += i64::from(matches!(tried, Err(TurnOffError::Code(CodeError::Wrong))));
            }
            app.clock.advance(15 * MINUTE);
        }
        assert_eq!((in_browser, in_late_browser, in_sessions), (50, 50, 50));
        // The owner signs in elsewhere, and in that session turns it off.
        let own = SessionHash::of(b"own");
        let code = TypedCode::read(&authenticator.code(app.clock.now()), "").unwrap();
        let number = |cookie: &str| cookie.split('.').nth(2).unwrap().to_owned();
        let own_browser = (0..).map(|_| cookie(By::Code(since))).find(|own| number(own) != number(&stolen)).unwrap();
        let entered = sign_in_with_code(&app.engine, &half(&app.engine).await, code, &Visit::default(), &own_browser).await.unwrap();
        assert_eq!(entered.factor, since);
        let codes = Codes { factor: Some(since), origin: None };
        let record = SessionRecord { who: entered.who, used_at: app.clock.now(), device: Device::default(), codes };
        sessions::save(&app.engine, own, record).await.unwrap();
        app.clock.advance(STEP);
        let code = TypedCode::read(&authenticator.code(app.clock.now()), "").unwrap();
        turn_off(&app.engine, at(dana), own, confirmed(app, dana).await, code).await.unwrap();
        // Links share one browser's attempts, and a password change alone gives none for codes.
        let parts = |by| cookie(by).split('.').skip(2).take(2).collect::<Vec<_>>().join(".");
        let link = By::Link(Some(since));
        assert!(parts(link).starts_with("00.") && parts(link) == parts(link));
        // So do browsers that were known before the factor, but not one where a code was entered.
        let after = |shown: &str| known_browser::remember(&app.engine, shown, who, link).unwrap();
        assert_eq!(number(&after(&late)), "00");
        assert_eq!(number(&after(&stolen)), number(&stolen));
        let changed = parts(By::PasswordChange);
        assert!(!changed.starts_with("00.") && changed.ends_with(".0"), "{changed}");
    }

    async fn the_first_step_is_of_one_account_for_ten_minutes(app: &TestApp) {
        let (dana, authenticator, _) = dana(app).await;
        let expired = async |half: &str| {
            let code = TypedCode::read(&authenticator.code(app.clock.now()), "").unwrap();
            matches!(second(&app.engine, half, code).await, Err(SecondStepError::Expired))
        };
        let old = half(&app.engine).await;
        app.clock.advance(10 * MINUTE);
        assert!(expired(&old).await);
        for made_up in ["", "1.AAAA", &format!("{old}A"), &old[..old.len() - 1]] {
            assert!(expired(made_up).await, "{made_up}");
        }
        let changed = half(&app.engine).await;
        let (current, new) = (TypedPassword::new(PASSWORD), PASSWORD.parse().unwrap());
        password::change(&app.engine, at(dana), SessionHash::of(b"one"), current, new).await.unwrap();
        assert!(expired(&changed).await, "the password was changed");
        let disabled = half(&app.engine).await;
        lifecycle::disable(&app.engine, &Operator::at_the_command_line(), dana).await.unwrap();
        assert!(expired(&disabled).await, "the account is disabled");
    }

    async fn it_is_set_up_in_the_session_that_began_and_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, eve) = (org.person("dana", Role::Member).await, org.person("eve", Role::Member).await);
        let (session, elsewhere) = (SessionHash::of(b"one"), SessionHash::of(b"two"));
        let set_up = second_factor::begin(&app.engine, &confirmed(app, dana).await, session).await.unwrap();
        let code = Authenticator::of(&set_up.secret.expose()).code(app.clock.now());
        let finish = async |user_id, session, code: &str| {
            second_factor::finish(&app.engine, at(user_id), session, &set_up.form, code).await
        };
        assert!(matches!(finish(dana, elsewhere, &code).await, Err(SetUpError::Expired)));
        assert!(matches!(finish(eve, session, &code).await, Err(SetUpError::Expired)));
        assert!(matches!(finish(dana, session, "000000").await, Err(SetUpError::WrongCode)));
        assert!(matches!(finish(dana, session, "x").await, Err(SetUpError::Malformed(_))));
        assert_eq!(second_factor::of_user(&app.engine, dana).await.unwrap(), None);
        assert_eq!(finish(dana, session, &code).await.unwrap().len(), 10);
        assert!(matches!(finish(dana, session, &code).await, Err(SetUpError::AlreadyOn)));
        let again = second_factor::begin(&app.engine, &confirmed(app, dana).await, session).await;
        assert!(matches!(again, Err(SetUpError::AlreadyOn)), "{again:?}");
        app.clock.advance(15 * MINUTE);
        assert!(second_factor::resume(&app.engine, dana, session, &set_up.form).is_none());
    }

    async fn new_recovery_codes_replace_the_old_ones_and_like_turning_it_off_need_a_code(app: &TestApp) {
        let (dana, authenticator, old) = dana(app).await;
        app.clock.advance(STEP);
        let renew = async |code: &str| {
            let code = TypedCode::read(code, "").unwrap();
            new_recovery_codes(&app.engine, at(dana), SessionHash::of(b"one"), confirmed(app, dana).await, code).await
        };
        let wrong = renew("000000").await;
        assert!(matches!(wrong, Err(TurnOffError::Code(CodeError::Wrong))), "{wrong:?}");
        let new = renew(&authenticator.code(app.clock.now())).await.unwrap();
        let again = renew(&authenticator.code(app.clock.now())).await;
        assert!(matches!(again, Err(TurnOffError::Code(CodeError::Wrong))), "each code works once: {again:?}");
        let recover = async |code: &str| {
            let code = TypedCode::read("", code).unwrap();
            second(&app.engine, &half(&app.engine).await, code).await.is_ok()
        };
        assert!(!recover(&old[0]).await && recover(&new[0].expose()).await);
        app.clock.advance(STEP);
        let off = async |code: &str| {
            let code = TypedCode::read(code, "").unwrap();
            turn_off(&app.engine, at(dana), SessionHash::of(b"one"), confirmed(app, dana).await, code).await
        };
        let wrong = off("000000").await;
        assert!(matches!(wrong, Err(TurnOffError::Code(CodeError::Wrong))), "{wrong:?}");
        off(&authenticator.code(app.clock.now())).await.unwrap();
        assert_eq!(second_factor::of_user(&app.engine, dana).await.unwrap(), None);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM recovery_codes").await, 0);
        let gone = off("000000").await;
        assert!(matches!(gone, Err(TurnOffError::Code(CodeError::Wrong))), "{gone:?}");
        let events = "SELECT event FROM audit_log WHERE event LIKE 'second_factor%' OR event = 'session.failed' ORDER BY position";
        app.engine.finish().await.unwrap();
        let logged = app.database.texts(events).await;
        for event in ["second_factor.enabled", "second_factor.recovery_codes_created", "second_factor.recovery_code_used", "second_factor.disabled", "session.failed"] {
            assert!(logged.iter().any(|logged| logged == event), "{event}: {logged:?}");
        }
    }

    async fn a_copy_of_the_database_has_neither_the_secret_nor_the_codes(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Member).await;
        let (_, codes) = turn_on(app, dana).await;
        for code in codes {
            let code = code.expose();
            assert!(!app.database.holds(&code).await && !app.database.holds(&code.replace('-', "")).await);
        }
        let sealed = app.database.texts("SELECT CAST(LENGTH(secret) AS TEXT) FROM second_factors").await;
        assert_eq!(sealed, ["48"], "nonce, secret and tag");
    }

    async fn a_rotated_pepper_locks_nobody_out(app: &TestApp) {
        let (_, authenticator, recovery_codes) = dana(app).await;
        let rotated = with(app, &[(2, 8), (1, 7)]).await;
        let missing = peppers::check(app.engine.db(), &of(&[(2, 8)]), app.clock.now()).await;
        assert!(matches!(missing, Err(peppers::UnusablePeppers::Missing { version: 1, second_factors: 11, .. })), "{missing:?}");
        app.clock.advance(STEP);
        enter(&rotated, &authenticator.code(app.clock.now())).await.unwrap();
        move_to_current_pepper(&rotated).await.unwrap();
        peppers::check(app.engine.db(), &of(&[(2, 8)]), app.clock.now()).await.unwrap();
        let without = with(app, &[(2, 8)]).await;
        app.clock.advance(STEP);
        enter(&without, &authenticator.code(app.clock.now())).await.unwrap();
        let code = TypedCode::read("", &recovery_codes[3]).unwrap();
        second(&without, &half(&without).await, code).await.unwrap();
        move_to_current_pepper(&app.engine).await.unwrap();
        let under = "SELECT CAST(MIN(pepper_version) AS BIGINT) FROM second_factors";
        assert_eq!(app.database.number(under).await, 2, "nothing moves back");
    }

    async fn it_is_restored_from_a_backup_into_the_other_database(app: &TestApp) {
        let (_, authenticator, recovery_codes) = dana(app).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        backup::create(app.engine.db(), &app.clock, &file).await.unwrap();
        let other = match app.database {
            Database::Sqlite { .. } => TestApp::on_postgres_under("latchkey").await,
            Database::Postgres { .. } => TestApp::on_sqlite().await,
        };
        Backup::open(&file).unwrap().restore(other.engine.db()).await.unwrap();
        let used = enter(&other.engine, &authenticator.code(app.clock.now())).await;
        assert!(matches!(used, Err(SecondStepError::Code(CodeError::Wrong))), "{used:?}");
        other.clock.advance(STEP);
        enter(&other.engine, &authenticator.code(other.clock.now())).await.unwrap();
        let code = TypedCode::read("", &recovery_codes[9]).unwrap();
        second(&other.engine, &half(&other.engine).await, code).await.unwrap();
        other.remove().await;
    }

    async fn the_operator_turns_it_off_for_someone_who_lost_it(app: &TestApp) {
        let (dana, ..) = dana(app).await;
        let operator = Operator::at_the_command_line();
        assert!(second_factor::reset(&app.engine, &operator, dana).await.unwrap());
        assert!(!second_factor::reset(&app.engine, &operator, dana).await.unwrap());
        assert!(matches!(first(&app.engine).await, FirstStep::SignedIn(_)));
        app.engine.finish().await.unwrap();
        let logged = app.database.texts("SELECT actor_kind FROM audit_log WHERE event = 'second_factor.disabled'").await;
        assert_eq!(logged, ["command_line"]);
    }
}

/// A member with a second factor.
async fn dana(app: &TestApp) -> (UserId, Authenticator, Vec<String>) {
    let org = app.org("northwind").await;
    let dana = org.person("dana", Role::Member).await;
    let (authenticator, codes) = turn_on(app, dana).await;
    let codes = codes.iter().map(|code| code.expose()).collect();
    (dana, authenticator, codes)
}

async fn first(engine: &Engine) -> FirstStep {
    let email = "dana@northwind.example".parse().unwrap();
    let password = TypedPassword::new(PASSWORD);
    sign_in(engine, &email, password, &Visit::default(), "")
        .await
        .unwrap()
}

async fn half(engine: &Engine) -> String {
    match first(engine).await {
        FirstStep::CodeNeeded(half) => half.expose().to_owned(),
        FirstStep::SignedIn(_) => panic!("no code was needed"),
    }
}

async fn second(
    engine: &Engine,
    half: &str,
    code: TypedCode,
) -> Result<SignedInWithCode, SecondStepError> {
    sign_in_with_code(engine, half, code, &Visit::default(), "").await
}

/// Signs in with a code of an app, in a browser that the account does not know.
async fn enter(engine: &Engine, code: &str) -> Result<SignedInWithCode, SecondStepError> {
    second(
        engine,
        &half(engine).await,
        TypedCode::read(code, "").unwrap(),
    )
    .await
}

fn at(user_id: UserId) -> Person {
    Person {
        user_id,
        visit: Visit::default(),
    }
}
