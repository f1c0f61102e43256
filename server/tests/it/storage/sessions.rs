//! Sessions, and the password change that ends them.

use futures_util::future::join_all;
use latchkey::{
    Engine,
    access::{Membership, Operator},
    accounts::{
        delete, lifecycle,
        password::{self, ChangePasswordError, TypedPassword},
        rename,
        second_factor::{self, TypedCode},
        session_list,
        sessions::{self, Codes, Device, IDLE_LIFETIME, SessionHash, SessionRecord, SignedIn},
        sign_in::{SignInError, sign_in, sign_out},
    },
    caller::{Person, Visit},
    id::UserId,
    invitations::{self, NewInvitation},
    keys, members, operators, orgs,
    role::Role,
    time::{DAY, HOUR, MINUTE, Timestamp},
};

use super::change::Dropped;
use crate::test_app::{
    Database, NOON, TestApp,
    authenticator::{Authenticator, turn_on},
    only_step,
    org::{PASSWORD, secret_key},
};

on_both! {
    async fn a_session_is_found_by_its_id_which_is_not_stored(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let id = b"a session id of sixteen+ bytes";
        sessions::save(&app.engine, SessionHash::of(id), used(first(dana), NOON)).await.unwrap();
        assert_eq!(sessions::load(&app.engine, SessionHash::of(id)).await.unwrap(), Some(used(first(dana), NOON)));
        assert!(sessions::load(&app.engine, SessionHash::of(b"another id")).await.unwrap().is_none());
        assert!(!app.database.holds(std::str::from_utf8(id).unwrap()).await);
    }

    async fn a_session_that_ended_before_its_change_changes_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, kim) = (org.person("dana", Role::Owner).await, org.person("kim", Role::Owner).await);
        app.database.execute(&format!("UPDATE users SET operator_since = 1 WHERE id = '{dana}'")).await;
        let own = SessionHash::of(b"own");
        open(&app.engine, "own", dana).await;
        let visit = Visit { session: Some(own), ..Visit::default() };
        let person = || Person { user_id: dana, visit: visit.clone() };
        let engine = &*app.engine;
        let password = || TypedPassword::new(PASSWORD);
        // All of this was checked while the session was there.
        let membership = Membership::find(engine, person(), &org.org.slug).await.unwrap();
        let operator = Operator::signed_in(engine, person()).await.unwrap().unwrap();
        let confirmed = password::confirm(engine, person(), own, password()).await.unwrap();
        let set_up = second_factor::begin(engine, &confirmed, own).await.unwrap();
        let code = Authenticator::of(&set_up.secret.expose()).code(app.clock.now());
        let new = NewInvitation { email: "new@example.com".parse().unwrap(), role: Role::Member, shows_link: false, creation_token: None };
        let other = app.org("contoso").await;
        let invited = NewInvitation { email: "dana@northwind.example".parse().unwrap(), ..new.clone() };
        let invited = invitations::create(engine, &other.permit(), invited).await.unwrap();
        sessions::end(engine, own).await.unwrap();
        let before = state(app).await;
        let ended = [
            ("create a key", said(keys::create::create(engine, &membership.permit().unwrap(), secret_key("Late")).await)),
            ("change a role", said(members::change_role(engine, &membership.permit().unwrap(), kim, Role::Member).await)),
            ("remove", said(members::remove(engine, &membership.permit().unwrap(), kim).await)),
            ("leave", said(members::leave(engine, &membership.permit().unwrap()).await)),
            ("invite", said(invitations::create(engine, &membership.permit().unwrap(), new).await)),
            ("delete the organization", said(orgs::delete::delete(engine, &membership.permit().unwrap()).await)),
            ("join", said(invitations::accept(engine, invited.token.as_ref().unwrap(), person()).await)),
            ("create an organization", said(orgs::create_own::create_own(engine, person(), &"Own".parse().unwrap(), None).await)),
            ("mark an operator", said(operators::mark(engine, &operator, kim).await)),
            ("rename", said(rename::rename(engine, person(), &"Other".parse().unwrap()).await)),
            ("change the password", said(password::change(engine, person(), own, password(), "granite teapot sings".parse().unwrap()).await)),
            ("turn a factor on", said(second_factor::finish(engine, person(), own, &set_up.form, &code).await)),
            ("end a session", said(session_list::end_others(engine, &person(), own).await)),
            ("delete the account", said(delete::delete(engine, person()).await)),
        ];
        for (what, answer) in &ended {
            assert!(answer.contains("SessionEnded"), "{what}: {answer}");
        }
        assert_eq!(state(app).await, before);
        // With a factor that exists.
        let (authenticator, _) = turn_on(app, dana).await;
        app.clock.advance(MINUTE);
        let before = state(app).await;
        let code = TypedCode::read(&authenticator.code(app.clock.now()), "").unwrap();
        let off = said(second_factor::turn_off(engine, person(), own, confirmed.clone(), code).await);
        app.clock.advance(MINUTE);
        let code = TypedCode::read(&authenticator.code(app.clock.now()), "").unwrap();
        let codes = said(second_factor::new_recovery_codes(engine, person(), own, confirmed, code).await);
        assert!(off.contains("SessionEnded") && codes.contains("SessionEnded"), "{off} {codes}");
        assert_eq!(state(app).await, before);
    }

    async fn of_a_new_second_factor_and_a_new_password_in_two_sessions_at_once_one_succeeds(app: &TestApp) {
        let org = app.org("northwind").await;
        let other = app.another_engine(|_| {}).await;
        for number in 0..6 {
            let kim = org.person(&format!("kim{number}"), Role::Member).await;
            let ids = [format!("own{number}"), format!("theirs{number}")];
            for id in &ids {
                open(&app.engine, id, kim).await;
            }
            let [own, theirs] = ids.map(|id| SessionHash::of(id.as_bytes()));
            let person = |session| Person { user_id: kim, visit: Visit { session: Some(session), ..Visit::default() } };
            let confirmed = password::confirm(&app.engine, person(own), own, TypedPassword::new(PASSWORD)).await.unwrap();
            let set_up = second_factor::begin(&app.engine, &confirmed, own).await.unwrap();
            let code = Authenticator::of(&set_up.secret.expose()).code(app.clock.now());
            let (turned_on, changed) = tokio::join!(
                second_factor::finish(&app.engine, person(own), own, &set_up.form, &code),
                password::change(&other, person(theirs), theirs, TypedPassword::new(PASSWORD), "granite teapot sings".parse().unwrap()),
            );
            assert!(turned_on.is_ok() != changed.is_ok(), "{turned_on:?} {changed:?}");
        }
    }

    async fn a_form_of_a_session_that_ended_meanwhile_leads_to_the_sign_in(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        // Stands for the end of the session between the checks of the request and its change.
        if let Database::Postgres { .. } = app.database {
            let function = "CREATE FUNCTION end_sessions() RETURNS TRIGGER LANGUAGE plpgsql AS \
                 'BEGIN DELETE FROM sessions; RETURN NULL; END'";
            app.database.execute(function).await;
        }
        let ends = match app.database {
            Database::Sqlite { .. } => "BEGIN DELETE FROM sessions; END",
            Database::Postgres { .. } => "FOR EACH ROW EXECUTE FUNCTION end_sessions()",
        };
        app.database.execute(&format!("CREATE TRIGGER ended AFTER INSERT ON attempts {ends}")).await;
        let late = dana.submit("/account", &[("current_password", PASSWORD), ("new_password", "granite teapot sings")]).await;
        assert!(late.status == 303 && late.header("location").starts_with("/sign-in?next="), "{} {}", late.status, late.header("location"));
        assert_eq!(app.browser().sign_in("dana@northwind.example", PASSWORD).await.status, 303, "the password is as it was");
    }

    async fn an_idle_session_ends_and_a_used_one_goes_on(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        open(&app.engine, "idle", dana).await;
        open(&app.engine, "used", dana).await;
        app.clock.advance(IDLE_LIFETIME - 1);
        assert!(is_open(&app.engine, "idle").await);
        go_on(&app.engine, "used", dana).await;
        app.clock.advance(1);
        assert!(!is_open(&app.engine, "idle").await);
        assert!(is_open(&app.engine, "used").await);
    }

    async fn a_session_ends_after_seven_days_however_it_is_used(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        open(&app.engine, "used", dana).await;
        for _ in 0..14 {
            assert!(is_open(&app.engine, "used").await);
            app.clock.advance(IDLE_LIFETIME - 1);
            go_on(&app.engine, "used", dana).await;
        }
        app.clock.advance(7 * DAY - 14 * (IDLE_LIFETIME - 1) - 1);
        go_on(&app.engine, "used", dana).await;
        assert!(is_open(&app.engine, "used").await);
        app.clock.advance(1);
        assert!(!is_open(&app.engine, "used").await);
    }

    async fn an_ended_session_is_gone_and_others_stay(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        open(&app.engine, "one", dana).await;
        open(&app.engine, "two", dana).await;
        sessions::end(&app.engine, SessionHash::of(b"one")).await.unwrap();
        assert!(!is_open(&app.engine, "one").await);
        assert!(is_open(&app.engine, "two").await);
    }

    async fn an_ended_session_is_not_brought_back_by_a_request_that_was_under_way(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        open(&app.engine, "one", dana).await;
        sessions::end(&app.engine, SessionHash::of(b"one")).await.unwrap();
        go_on(&app.engine, "one", dana).await;
        assert!(!is_open(&app.engine, "one").await);
    }

    async fn the_hundred_and_first_session_of_someone_ends_the_oldest(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, eve) = (org.person("dana", Role::Member).await, org.person("eve", Role::Member).await);
        open(&app.engine, "eves", eve).await;
        for number in 0..101 {
            open(&app.engine, &format!("danas {number}"), dana).await;
            app.clock.advance(1);
        }
        assert!(!is_open(&app.engine, "danas 0").await);
        for kept in ["danas 1", "danas 100", "eves"] {
            assert!(is_open(&app.engine, kept).await, "{kept}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 101);
    }

    async fn only_sessions_that_have_ended_are_deleted(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        open(&app.engine, "old", dana).await;
        app.clock.advance(HOUR);
        open(&app.engine, "young", dana).await;
        assert_eq!(sessions::delete_ended(&app.engine).await.unwrap(), 0);
        app.clock.advance(IDLE_LIFETIME - HOUR);
        assert_eq!(sessions::delete_ended(&app.engine).await.unwrap(), 1);
        assert!(is_open(&app.engine, "young").await);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions").await, 1);
    }

    async fn a_password_change_ends_the_persons_sessions_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, eve) = (org.person("dana", Role::Member).await, org.person("eve", Role::Member).await);
        for (session, user) in [("danas", dana), ("danas phone", dana), ("eves", eve)] {
            open(&app.engine, session, user).await;
        }
        change(&app.engine, dana, PASSWORD, "a new and better one").await.unwrap();
        for (session, stays) in [("danas", false), ("danas phone", false), ("eves", true)] {
            assert_eq!(is_open(&app.engine, session).await, stays, "{session}");
        }
        let old = change(&app.engine, dana, PASSWORD, "one more new one").await;
        assert!(matches!(old, Err(ChangePasswordError::WrongPassword)), "the old one no longer works: {old:?}");
        change(&app.engine, dana, "a new and better one", "one more new one").await.unwrap();
        change(&app.engine, eve, PASSWORD, "eve has another one").await.unwrap();
    }

    async fn a_session_that_is_opened_with_the_old_password_during_its_change_does_not_begin(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let (email, visit) = ("dana@northwind.example".parse().unwrap(), Visit::default());
        let before = only_step(sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &visit, "").await.unwrap());
        let after = change(&app.engine, dana, PASSWORD, "a new and better one").await.unwrap();
        for (id, who, opens) in [("late", before, false), ("new", after, true)] {
            sessions::save(&app.engine, SessionHash::of(id.as_bytes()), used(who, NOON)).await.unwrap();
            assert_eq!(is_open(&app.engine, id).await, opens, "{id}");
        }
    }

    async fn someone_who_is_disabled_is_out_until_enabled_and_then_signs_in_anew(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let (email, visit, operator) = ("dana@northwind.example".parse().unwrap(), Visit::default(), Operator::at_the_command_line());
        let enter = async || sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &visit, "").await;
        open(&app.engine, "danas", dana).await;
        lifecycle::disable(&app.engine, &operator, dana).await.unwrap();
        assert!(!is_open(&app.engine, "danas").await);
        assert!(matches!(enter().await, Err(SignInError::WrongCredentials { .. })));
        lifecycle::enable(&app.engine, &operator, dana).await.unwrap();
        assert!(!is_open(&app.engine, "danas").await);
        enter().await.unwrap();
        password::reset(&app.engine, &operator, dana, "the operator chose it".parse().unwrap()).await.unwrap();
        assert!(matches!(enter().await, Err(SignInError::WrongCredentials { .. })));
    }

    async fn whenever_sessions_have_ended_that_is_in_the_log_though_the_request_was_dropped(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        for how in ["disable", "reset", "change", "sign out"] {
            for polls in 1.. {
                // Attempts that were dropped count too.
                app.clock.advance(HOUR);
                let (one, two) = (format!("{how} {polls} one"), format!("{how} {polls} two"));
                open(&app.engine, &one, dana).await;
                open(&app.engine, &two, dana).await;
                let future = Some(Box::pin(end(&app.engine, how, dana, &one)));
                let done = Dropped { future, polls }.await;
                app.engine.finish().await.unwrap();
                let left = app.database.number("SELECT COUNT(*) FROM sessions").await;
                let expected = i64::from(left < 2);
                let entries = app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'session.ended'").await;
                app.engine.finish().await.unwrap();
                assert_eq!(entries, expected, "{how}, {polls} polls, {left} sessions left");
                app.database.execute("DELETE FROM sessions").await;
                app.database.without_audit_triggers("DELETE FROM audit_log").await;
                lifecycle::enable(&app.engine, &Operator::at_the_command_line(), dana).await.unwrap();
                if done.is_some() {
                    assert!(left < 2, "{how}: {left} left after {polls} polls");
                    break;
                }
            }
        }
    }

    async fn a_wrong_current_password_changes_nothing_and_is_throttled(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        open(&app.engine, "danas phone", dana).await;
        for _ in 0..10 {
            let wrong = change(&app.engine, dana, "not the password", "a new and better one").await;
            assert!(matches!(wrong, Err(ChangePasswordError::WrongPassword)), "{wrong:?}");
        }
        let throttled = change(&app.engine, dana, PASSWORD, "a new and better one").await;
        assert!(matches!(throttled, Err(ChangePasswordError::TooMany { retry_after: 900 })), "{throttled:?}");
        assert!(is_open(&app.engine, "danas phone").await);
        app.clock.advance(15 * MINUTE);
        change(&app.engine, dana, PASSWORD, "a new and better one").await.unwrap();
    }
}

async fn open(engine: &Engine, id: &str, user_id: UserId) {
    let record = used(first(user_id), engine.clock().now());
    sessions::save(engine, SessionHash::of(id.as_bytes()), record)
        .await
        .unwrap();
}

async fn go_on(engine: &Engine, id: &str, user_id: UserId) {
    let record = used(first(user_id), engine.clock().now());
    sessions::update(engine, SessionHash::of(id.as_bytes()), record)
        .await
        .unwrap();
}

fn said<T: std::fmt::Debug, E: std::fmt::Debug>(answer: Result<T, E>) -> String {
    format!("{answer:?}")
}

/// Postgres: the statements of SQLite wait for no lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn made_up_sessions_share_one_connection_however_many_are_looked_up() {
    let app = TestApp::on_postgres_under("latchkey").await;
    let org = app.org("northwind").await;
    let dana = org.person("dana", Role::Member).await;
    let own = SessionHash::of(b"own");
    open(&app.engine, "own", dana).await;
    let held = app.database.hold_table("sessions").await;
    let made_up = (0..500_u32).map(|number| SessionHash::of(&number.to_be_bytes()));
    let asked = made_up.chain([own]);
    let found = join_all(asked.map(|hash| sessions::load(&app.engine, hash)));
    let other = async {
        while app.database.waiting().await == 0 {
            tokio::task::yield_now().await;
        }
        // On the same connections.
        let person = Person {
            user_id: dana,
            visit: Visit::default(),
        };
        assert!(
            Membership::find(&app.engine, person, &org.org.slug)
                .await
                .is_ok()
        );
        assert_eq!(app.database.waiting().await, 1);
        drop(held);
    };
    let (found, ()) = tokio::join!(found, other);
    let found: Vec<Option<SessionRecord>> = found.into_iter().map(Result::unwrap).collect();
    assert_eq!(found.iter().flatten().count(), 1);
    assert_eq!(found.last(), Some(&Some(used(first(dana), NOON))));
    app.remove().await;
}

/// What the changes of a session would change.
async fn state(app: &TestApp) -> Vec<String> {
    let mut state = Vec::new();
    for sql in [
        "SELECT id || name || email || password_hash || COALESCE(operator_since, 0) FROM users ORDER BY id",
        "SELECT org_id || user_id || role FROM memberships ORDER BY org_id, user_id",
        "SELECT slug || COALESCE(deleted_at, 0) FROM orgs ORDER BY slug",
        "SELECT email FROM invitations ORDER BY email",
        "SELECT name FROM keys",
        "SELECT user_id || created_at FROM second_factors",
        "SELECT user_id || number || pepper_version FROM recovery_codes ORDER BY number",
    ] {
        state.extend(app.database.texts(sql).await);
    }
    state
}

async fn is_open(engine: &Engine, id: &str) -> bool {
    sessions::load(engine, SessionHash::of(id.as_bytes()))
        .await
        .unwrap()
        .is_some()
}

/// A user who signed in before their sessions were ended for the first time.
fn first(user_id: UserId) -> SignedIn {
    SignedIn { user_id, epoch: 0 }
}

/// Ends sessions of a user: all, or the one with this ID.
async fn end(engine: &Engine, how: &str, user_id: UserId, session: &str) {
    let operator = Operator::at_the_command_line();
    let person = Person {
        user_id,
        visit: Visit::default(),
    };
    match how {
        "disable" => lifecycle::disable(engine, &operator, user_id)
            .await
            .unwrap(),
        "reset" => password::reset(engine, &operator, user_id, PASSWORD.parse().unwrap())
            .await
            .unwrap(),
        "change" => drop(change(engine, user_id, PASSWORD, PASSWORD).await.unwrap()),
        _ => {
            let (ending, hash) = (engine.clone(), SessionHash::of(session.as_bytes()));
            let ending = async move { sessions::end(&ending, hash).await };
            sign_out(engine, &person, ending).await.unwrap();
        }
    }
}

fn used(who: SignedIn, used_at: Timestamp) -> SessionRecord {
    SessionRecord {
        who,
        used_at,
        device: Device::default(),
        codes: Codes::default(),
    }
}

async fn change(
    engine: &Engine,
    user_id: UserId,
    current: &str,
    new: &str,
) -> Result<SignedIn, ChangePasswordError> {
    let (current, new) = (TypedPassword::new(current), new.parse().unwrap());
    let person = Person {
        user_id,
        visit: Visit::default(),
    };
    password::change(engine, person, SessionHash::of(b"one"), current, new).await
}
