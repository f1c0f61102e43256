//! `test`: runs all tests, on both databases and in a real browser, without manual setup.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{
    browser::Browser,
    level::Level,
    pooler::Pooler,
    postgres::Cluster,
    run::print_bundle_sizes,
    schemathesis, scratch,
    server::{self, Profile},
    site,
    step::{run, step},
    workspace::Workspace,
};

/// The maximum size of the files that a first visit loads, in bytes of Brotli.
const BUNDLE_LIMIT: u64 = 350_000;

/// How often each kind of change is aborted with `--long`.
const LONG_TRIES: &str = "2000";

/// A part of the tests.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// `cargo test`, on SQLite and Postgres.
    Rust,
    /// Playwright in Chromium.
    Browser,
}

/// Runs all tests, or one part. `arguments` are passed to the test runner of that part.
pub fn test(
    workspace: &Workspace,
    only: Option<Part>,
    long: bool,
    arguments: &[String],
) -> Result<()> {
    if only != Some(Part::Rust) {
        // Build the site before `cargo test`, so that the server is compiled once, with its pages, for both parts.
        site::ensure(workspace, Level::Release)?;
    }
    if only != Some(Part::Browser) {
        rust(workspace, long, arguments)?;
        if long && arguments.is_empty() {
            schemathesis::test(workspace)?;
        }
    }
    if only != Some(Part::Rust) {
        let server = server::build(workspace, Profile::Dev)?;
        let browser = Browser::prepare(workspace)?;
        step("browser tests", || {
            run(browser.playwright(&server).args(arguments))
        })?;
        let sum = print_bundle_sizes(workspace)?;
        if sum > BUNDLE_LIMIT {
            bail!(
                "WebAssembly, JavaScript and CSS are {sum} bytes in Brotli; the limit is {BUNDLE_LIMIT}"
            );
        }
    }
    Ok(())
}

fn rust(workspace: &Workspace, long: bool, arguments: &[String]) -> Result<()> {
    let cluster = Arc::new(Cluster::start()?);
    let pooler = Pooler::start(&cluster)?;
    let pooler_url = pooler.url();
    let files = scratch::folder("latchkey-tests-")?;
    let files_path = files.path().to_owned();
    let (pooler, files) = (held(pooler), held(files));
    let interrupted = (
        Arc::clone(&cluster),
        Arc::clone(&pooler),
        Arc::clone(&files),
    );
    ctrlc::set_handler(move || {
        let (cluster, pooler, files) = &interrupted;
        end(pooler);
        cluster.stop();
        end(files);
        std::process::exit(130);
    })?;
    let cargo_test = |packages: &[&str]| {
        run(workspace
            .cargo()
            .args(["test", "--no-fail-fast"])
            .args(packages)
            .args(arguments)
            .env("LATCHKEY_TEST_POSTGRES", cluster.url())
            .env("LATCHKEY_TEST_PGBOUNCER", &pooler_url)
            .env("TMPDIR", &files_path)
            .envs(long.then_some(("LATCHKEY_TEST_TRIES", LONG_TRIES))))
    };
    let names_package = arguments
        .iter()
        .any(|argument| argument == "-p" || argument.starts_with("--package"));
    let tested = step("cargo test", || {
        match (names_package, arguments.is_empty()) {
            (true, _) => cargo_test(&[]),
            (false, false) => cargo_test(&["--workspace"]),
            // Run xtask separately: together with the other crates, its dependencies would be recompiled with their
            // combined features.
            (false, true) => cargo_test(&["--workspace", "--exclude", "xtask"])
                .and(cargo_test(&["--package", "xtask"])),
        }
    });
    // End all of them even after a failure: the handler above holds references, so they would not be dropped.
    end(&pooler);
    cluster.stop();
    end(&files);
    tested
}

fn held<T>(value: T) -> Arc<Mutex<Option<T>>> {
    Arc::new(Mutex::new(Some(value)))
}

fn end<T>(held: &Mutex<Option<T>>) {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    *held = None;
}
