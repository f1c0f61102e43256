//! Tests Latchkey from the outside: the engine's operations, every route and the program itself, on SQLite and on
//! Postgres.
//!
//! There is one test driver, with folders by subject. Each test has its own Latchkey (see [`test_app`]) and a clock
//! that stops until the test moves it, so tests can run in any order and concurrently.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue has failed"
)]

/// Turns each function into a module with two tests, one on SQLite and one on Postgres. With `under "talkifai":` before
/// the functions, they run with a Latchkey of that convention.
macro_rules! on_both {
    (under $convention:literal: $($rest:tt)*) => { on_both!(@ $convention; $($rest)*); };
    (@ $convention:literal; $($(#[$attribute:meta])* async fn $name:ident($app:ident: &TestApp) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn run($app: &TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                let app = TestApp::on_sqlite_under($convention).await;
                run(&app).await;
                app.remove().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                let app = TestApp::on_postgres_under($convention).await;
                run(&app).await;
                app.remove().await;
            }
        }
    )*};
    ($($rest:tt)*) => { on_both!(@ "latchkey"; $($rest)*); };
}

mod conformance;
mod denials;
mod doors;
mod mail;
mod pages;
mod program;
mod rest;
mod security;
mod storage;
mod test_app;
mod v1;
mod verification;
