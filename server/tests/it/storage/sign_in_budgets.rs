//! How password guessing is limited without locking out the owner of the account.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use latchkey::{
    Engine,
    accounts::{
        attempts,
        known_browser::{self, By},
        password::{self, PasswordCost, TypedPassword},
        sessions::SignedIn,
        sign_in::{SignInError, sign_in},
    },
    caller::{Person, Visit},
    fault::Fault,
    id::UserId,
    role::Role,
    time::{MINUTE, SECOND},
};
use tokio::time::timeout;

use crate::test_app::{Database, TestApp, org::PASSWORD};

pub const DANA: &str = "dana@northwind.example";
pub const HOME: &str = "192.0.2.1";
const WRONG: &str = "The e-mail address or password is incorrect.";
const WAIT: &str = "Too many attempts. Try again in 15 minutes.";

on_both! {
    async fn whoever_guesses_without_pause_keeps_nobody_else_out(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        for number in 0..240 {
            let answer = guess(&app.engine, DANA, "203.0.113.9").await;
            assert_eq!(answer == WRONG, number < 10, "{number}: {answer}");
            if number % 10 == 9 {
                assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
            }
            app.clock.advance(SECOND / 2);
        }
    }

    async fn a_right_password_whose_sender_hangs_up_spends_nothing(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        for polls in 1..=11 {
            let mut trying = Box::pin(try_password(&app.engine, DANA, PASSWORD, HOME, ""));
            for _ in 0..polls {
                let _ = futures_util::poll!(trying.as_mut());
                tokio::task::yield_now().await;
            }
            drop(trying);
            let nothing_counts = async {
                // Successful sign-ins have a separate row.
                while app.database.number("SELECT COUNT(*) FROM attempts WHERE made > 0").await > 1 {
                    tokio::task::yield_now().await;
                }
            };
            timeout(Duration::from_secs(20), nothing_counts).await.unwrap();
        }
        // The work of those who hung up keeps its places until it ends.
        let signed_in = async {
            loop {
                match try_password(&app.engine, DANA, PASSWORD, HOME, "").await.as_str() {
                    BUSY => tokio::task::yield_now().await,
                    tried => return tried.to_owned(),
                }
            }
        };
        assert_eq!(timeout(Duration::from_secs(20), signed_in).await.unwrap(), "signed in");
    }

    async fn an_account_has_ten_tries_from_a_network_in_fifteen_minutes(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        for number in 0..10 {
            assert_eq!(guess(&app.engine, DANA, &format!("192.0.2.{number}")).await, WRONG);
        }
        app.clock.advance(15 * MINUTE - 30 * SECOND);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "Too many attempts. Try again in 1 minute.");
        app.clock.advance(30 * SECOND);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
    }

    async fn fewer_than_ten_networks_keep_no_new_browser_out_and_no_number_keeps_out_a_known_one(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let known = remember(&app.engine, "", dana);
        for network in 0..9 {
            // Attempts beyond the tenth do not count.
            for _ in 0..20 {
                guess(&app.engine, DANA, &format!("203.0.{network}.9")).await;
            }
        }
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
        for network in 9..40 {
            for _ in 0..10 {
                guess(&app.engine, DANA, &format!("203.0.{network}.9")).await;
            }
        }
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, WAIT);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, &known).await, "signed in");
        app.clock.advance(15 * MINUTE);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
    }

    async fn a_network_guesses_thirty_times_whatever_the_account(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let known = remember(&app.engine, "", dana);
        for number in 0..30 {
            // The /64 networks of a /48 belong to one customer.
            let (email, from) = (format!("nobody{number}@example.com"), format!("2001:db8:1:{number}::1"));
            assert_eq!(guess(&app.engine, &email, &from).await, WRONG);
        }
        let there = "2001:db8:1:ffff::1";
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, there, "").await, WAIT);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, there, &known).await, "signed in");
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, "2001:db8:2::1", "").await, "signed in");
    }

    async fn a_known_browser_has_ten_tries_of_its_own(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let known = remember(&app.engine, "", dana);
        for number in 0..10 {
            let from = format!("203.0.{number}.9");
            assert_eq!(try_password(&app.engine, DANA, "wrong password", &from, &known).await, WRONG);
        }
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, &known).await, WAIT);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
    }

    async fn an_account_that_is_not_there_is_throttled_alike(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        let mut answers = vec![];
        for email in [DANA, "nobody@northwind.example"] {
            let mut said = vec![];
            for number in 0..130 {
                said.push(guess(&app.engine, email, &format!("203.0.{}.9", number / 11)).await);
            }
            app.clock.advance(15 * MINUTE);
            answers.push(said);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].iter().filter(|said| *said == WRONG).count(), 100);
    }

    async fn right_passwords_cost_no_guesses_and_are_sixty_from_a_network(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let known = remember(&app.engine, "", dana);
        for _ in 0..60 {
            assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM attempts WHERE made > 0").await, 1, "their own row");
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, WAIT);
        // Sign-ins from another network, and in a known browser, have separate budgets.
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, "203.0.113.9", "").await, "signed in");
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, &known).await, "signed in");
        app.clock.advance(15 * MINUTE);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
    }

    async fn instances_share_a_budget_and_a_try_that_is_under_way_counts(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        let other = app.another_engine(|_| {}).await;
        let mut said = vec![];
        // The number of hashes that have a place in the queues at the same time.
        for _ in 0..2 {
            let tries = (0..8).map(|number| {
                let engine = if number % 2 == 0 { &app.engine } else { &other };
                guess(engine, DANA, HOME)
            });
            said.extend(join_all(tries).await);
        }
        assert_eq!(said.iter().filter(|answer| *answer == WRONG).count(), 10, "{said:?}");
        other.db().close().await;
    }

    async fn a_new_password_ends_what_browsers_are_known_by(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let before = remember(&app.engine, "", dana);
        let person = Person { user_id: dana, visit: Visit::default() };
        let new = "a new and better one";
        let who = password::change(&app.engine, person, latchkey::accounts::sessions::SessionHash::of(b"one"), TypedPassword::new(PASSWORD), new.parse().unwrap()).await.unwrap();
        let after = known_browser::remember(&app.engine, &before, who, By::Password).unwrap();
        use_up(&app.engine).await;
        assert_eq!(try_password(&app.engine, DANA, new, HOME, &before).await, WAIT);
        assert_eq!(try_password(&app.engine, DANA, new, HOME, &after).await, "signed in");
    }

    async fn what_is_forged_cut_or_for_someone_else_makes_no_browser_known(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, eve) = (org.person("dana", Role::Member).await, org.person("eve", Role::Owner).await);
        let known = remember(&app.engine, "", dana);
        let eves = remember(&app.engine, "", eve);
        let (text, mac) = known.rsplit_once('.').unwrap();
        let (_, eves_mac) = eves.rsplit_once('.').unwrap();
        let next_epoch = text.replacen(".0.", ".1.", 1);
        let flipped = if known.ends_with('A') { "B" } else { "A" };
        use_up(&app.engine).await;
        for shown in [
            "", "~~", text, mac, eves.as_str(), &known[1..], &known[..known.len() - 1], &format!("{known}A"),
            &format!("{}{flipped}", &known[..known.len() - 1]), &format!("{text}."), &format!("{text}.{eves_mac}"),
            &format!("{next_epoch}.{mac}"), &known.replace("usr_", "USR_"), &"~".repeat(100_000),
        ] {
            assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, shown).await, WAIT, "{shown}");
        }
        let both = format!("{eves}~{known}");
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, &both).await, "signed in");
    }

    async fn a_browser_is_known_to_the_five_accounts_that_used_it_last(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Member).await;
        let mut shown = remember(&app.engine, "~forged.0.00.AAAA~", dana);
        let danas = shown.clone();
        for number in 0..4 {
            shown = remember(&app.engine, &shown, org.person(&format!("person{number}"), Role::Member).await);
        }
        assert!(shown.ends_with(&danas) && shown.split('~').count() == 5, "{shown}");
        let renewed = remember(&app.engine, &shown, dana);
        assert!(renewed.starts_with(&danas) && renewed.split('~').count() == 5, "{renewed}");
        let sixth = remember(&app.engine, &shown, org.person("sixth", Role::Member).await);
        assert!(!sixth.contains(&danas) && sixth.split('~').count() == 5, "{sixth}");
        assert!(sixth.len() < 700, "browsers keep the cookie: {}", sixth.len());
    }

    async fn strangers_who_wait_for_their_hashes_do_not_delay_a_known_browser(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        // Slow enough that the database counts all strangers before their hashes are done.
        let cost = PasswordCost { passes: 8, ..PasswordCost::default() };
        let engine = app.another_engine(|settings| settings.password_cost = cost).await;
        let known = remember(&engine, "", dana);
        // As many as have a place in the queue, each from a network of their own.
        let strangers: Vec<_> = (0..64).map(|number| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                guess(&engine, &format!("nobody{number}@example.com"), &format!("198.51.{number}.9")).await
            })
        }).collect();
        while app.database.number("SELECT COUNT(*) FROM attempts").await < 3 * 64 {
            // The strangers need the database, too.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(try_password(&engine, DANA, PASSWORD, HOME, &known).await, "signed in");
        let waiting = strangers.iter().filter(|stranger| !stranger.is_finished()).count();
        assert!(waiting > 0, "the known browser was answered last");
        join_all(strangers).await;
    }

    async fn old_attempts_are_deleted_and_nothing_that_was_entered_is_stored(app: &TestApp) {
        guess(&app.engine, "secret-address@example.com", "203.0.113.9").await;
        assert!(!app.database.holds("secret-address").await);
        assert!(!app.database.holds("203.0.113").await);
        attempts::delete_ended(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM attempts").await, 3);
        app.clock.advance(15 * MINUTE);
        attempts::delete_ended(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM attempts").await, 0);
    }

    async fn a_flood_adds_so_many_rows_and_still_nobody_guesses_without_limit(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let known = remember(&app.engine, "", dana);
        fill(app, 50_000).await;
        for number in 0..12 {
            let answer = guess(&app.engine, DANA, "203.0.113.9").await;
            assert_eq!(answer == WRONG, number < 10, "{number}: {answer}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM attempts").await, 50_003);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
        app.database.execute("UPDATE attempts SET made = 100").await;
        assert_eq!(guess(&app.engine, DANA, "203.0.113.9").await, WAIT);
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, &known).await, "signed in");
        app.clock.advance(15 * MINUTE);
        attempts::delete_ended(&app.engine).await.unwrap();
        assert_eq!(try_password(&app.engine, DANA, PASSWORD, HOME, "").await, "signed in");
    }
}

/// The cookie value of a browser with which someone has signed in.
fn remember(engine: &Engine, shown: &str, user_id: UserId) -> String {
    known_browser::remember(engine, shown, SignedIn { user_id, epoch: 0 }, By::Password).unwrap()
}

/// Uses up the account's budget for unknown browsers.
async fn use_up(engine: &Engine) {
    for number in 0..100 {
        guess(engine, DANA, &format!("203.0.{}.9", number / 10)).await;
    }
}

/// Adds rows for subjects that do not exist.
async fn fill(app: &TestApp, count: usize) {
    let key = match app.database {
        Database::Sqlite { .. } => "CAST(printf('%016d', number) AS BLOB)",
        Database::Postgres { .. } => "convert_to(lpad(CAST(number AS TEXT), 16, '0'), 'UTF8')",
    };
    let ends_at = app.clock.now().plus(15 * MINUTE).as_millis();
    app.database
        .execute(&format!(
            "INSERT INTO attempts (subject, made, ends_at) \
             WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count}) \
             SELECT {key}, 1, {ends_at} FROM numbers"
        ))
        .await;
}

/// The result of a sign-in for which there was no place.
const BUSY: &str = "busy";

/// Tries a wrong password and returns the result.
async fn guess(engine: &Engine, email: &str, from: &str) -> String {
    try_password(engine, email, "wrong password", from, "").await
}

/// Tries to sign in and returns the result. `shown` is the browser's cookie.
pub async fn try_password(
    engine: &Engine,
    email: &str,
    password: &str,
    from: &str,
    shown: &str,
) -> String {
    let email = email.parse().unwrap();
    let password = TypedPassword::new(password);
    match sign_in(engine, &email, password, &visit(from), shown).await {
        Ok(_) => "signed in".to_owned(),
        Err(error @ (SignInError::WrongCredentials { .. } | SignInError::TooMany { .. })) => {
            error.to_string()
        }
        Err(SignInError::Fault(Fault::Busy(_))) => BUSY.to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

pub fn visit(from: &str) -> Visit {
    Visit {
        address: Some(from.parse().unwrap()),
        ..Visit::default()
    }
}
