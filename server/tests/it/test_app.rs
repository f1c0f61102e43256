//! A separate Latchkey for each test: an empty database, a clock that is stopped at noon of 2026-11-21 UTC, and seeded
//! randomness.

pub mod api;
pub mod authenticator;
pub mod browser;
pub mod database;
pub mod fields;
pub mod mailing;
pub mod org;
mod schema;
mod server;
pub mod smtp;
pub mod usage;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use axum::Router;
use latchkey::{
    Engine, EngineSettings,
    accounts::{
        SignUpPolicy, password::PasswordCost, sessions::SignedIn, setup_code, sign_in::FirstStep,
    },
    clock::Clock,
    convention::Convention,
    db::Db,
    key::{
        digest::{Pepper, Peppers},
        text::PlainKey,
    },
    limits::Limits,
    orgs::OrgPolicy,
    random::Randomness,
    time::Timestamp,
    usage::kept::Kept,
    verify::{self, Answer, Request},
};

pub use browser::{Answer as HttpAnswer, Browser};
pub use database::Database;
pub use org::TestOrg;

pub const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

/// A separate Latchkey for a test.
pub struct TestApp {
    pub engine: Arc<Engine>,
    pub clock: Clock,
    pub database: Database,
    /// The server with the default settings, once a test has used it.
    served: OnceLock<Router>,
}

impl TestApp {
    /// On an empty SQLite database.
    pub async fn on_sqlite() -> Self {
        Self::on_sqlite_under("latchkey").await
    }

    /// On an empty SQLite database, with keys of this convention.
    pub async fn on_sqlite_under(convention: &str) -> Self {
        Self::on(Database::sqlite(), convention).await
    }

    /// On an empty Postgres database, with keys of this convention.
    pub async fn on_postgres_under(convention: &str) -> Self {
        Self::on(Database::postgres().await, convention).await
    }

    async fn on(database: Database, convention: &str) -> Self {
        let clock = Clock::manual(NOON);
        let mut settings = settings(&database, clock.clone()).await;
        settings.convention = Convention::built_in(convention).unwrap();
        settings.db.migrate().await.unwrap();
        Self {
            engine: Arc::new(Engine::start(settings).unwrap()),
            clock,
            database,
            served: OnceLock::new(),
        }
    }

    /// Another engine on the same database with other settings: another instance, or the same one after a restart.
    pub async fn another_engine(&self, set: impl FnOnce(&mut EngineSettings)) -> Arc<Engine> {
        let mut settings = settings(&self.database, self.clock.clone()).await;
        set(&mut settings);
        Arc::new(Engine::start(settings).unwrap())
    }

    /// Another engine on the same database and connections, with empty memory.
    pub fn fresh_engine(&self) -> Engine {
        let settings = settings_on(self.engine.db().clone(), self.clock.clone());
        Engine::start(settings).unwrap()
    }

    /// The code that creates the first account.
    pub fn setup_code(&self) -> String {
        setup_code::text(&self.engine)
    }

    /// Creates an org with this slug.
    pub async fn org(&self, slug: &str) -> TestOrg {
        TestOrg::make(&self.engine, slug).await
    }

    /// Verifies a key.
    pub async fn verify(&self, key: &PlainKey) -> Answer {
        self.ask(&Request {
            key: Some(key),
            ..Request::default()
        })
        .await
    }

    /// Runs a verification.
    pub async fn ask(&self, request: &Request<'_>) -> Answer {
        verify::verify(&self.engine, request).await.unwrap()
    }

    /// Sets the clock, forwards or backwards, to an instant in RFC 3339.
    pub fn set_time(&self, text: &str) {
        let at: jiff::Timestamp = text.parse().unwrap();
        self.clock
            .advance(at.as_millisecond() - self.clock.now().as_millis());
    }

    /// Advances the clock, for the database too: Postgres has its own clock, so there the stored times are moved back.
    pub async fn pass(&self, millis: i64) {
        self.clock.advance(millis);
        if let Database::Postgres { .. } = self.database {
            let sql = format!("UPDATE instances SET seen_at = seen_at - {millis}");
            self.database.execute(&sql).await;
        }
    }

    /// Closes the database and removes it. A failed test keeps its database for inspection.
    pub async fn remove(self) {
        self.engine.db().close().await;
        self.database.remove().await;
    }
}

/// The user whom a correct password signs in: an account without a second factor.
pub fn only_step(step: FirstStep) -> SignedIn {
    match step {
        FirstStep::SignedIn(who) => who,
        FirstStep::CodeNeeded(_) => panic!("the account has a second factor"),
    }
}

/// The settings of an engine: the convention `latchkey`, sign-up by invitation, and randomness that no other engine of
/// this run has.
async fn settings(database: &Database, clock: Clock) -> EngineSettings {
    settings_on(Db::connect(&database.url()).await.unwrap(), clock)
}

fn settings_on(db: Db, clock: Clock) -> EngineSettings {
    static NEXT_SEED: AtomicU64 = AtomicU64::new(1);
    EngineSettings {
        db,
        peppers: Peppers::new(Pepper::new(1, &[7; 32]).unwrap(), vec![]),
        convention: Convention::built_in("latchkey").unwrap(),
        sign_up: SignUpPolicy::Invite,
        organizations: OrgPolicy::Operators,
        cached_keys: 1_000,
        // More domains than the default, for tests of long lists.
        limits: Limits {
            agents: 10_000,
            domains: 100_000,
            ..Limits::default()
        },
        usage_kept: Kept::default(),
        sends_mail: false,
        // A twentieth of the time of the real cost. Tests of the program itself have the real one.
        password_cost: PasswordCost {
            memory: 64,
            passes: 1,
        },
        clock,
        random: Randomness::seeded(NEXT_SEED.fetch_add(1, Ordering::Relaxed)),
    }
}

/// The result of an answer in one line: the code, and the reason or the missing scopes.
pub fn said(answer: &Answer) -> String {
    let missing: Vec<&str> = answer
        .missing_scopes
        .iter()
        .map(|scope| scope.as_str())
        .collect();
    match (answer.reason, missing.as_slice()) {
        (Some(reason), _) => format!("{} {}", answer.outcome, reason.as_str()),
        (None, []) => answer.outcome.to_string(),
        (None, missing) => format!("{} {}", answer.outcome, missing.join(" ")),
    }
}
