//! `test`: every test, on both databases and in a real browser, with nothing set up by hand.

use std::sync::Arc;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{
    browser::Browser,
    postgres::Cluster,
    run::print_bundle_sizes,
    server::{self, Profile},
    site::{self, Level},
    step::{run, step},
    workspace::Workspace,
};

/// What a first visit may load, in bytes of brotli.
const BUNDLE_LIMIT: u64 = 350_000;

/// A part of the tests.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// `cargo test`, on SQLite and Postgres.
    Rust,
    /// Playwright in Chromium.
    Browser,
}

/// Runs all tests, or one part; `filters` go to the test runner of each part.
pub fn test(workspace: &Workspace, only: Option<Part>, filters: &[String]) -> Result<()> {
    // The site comes first: the server is then compiled once, with its pages, for both parts.
    site::ensure(workspace, Level::Release)?;
    if only != Some(Part::Browser) {
        rust(workspace, filters)?;
    }
    if only != Some(Part::Rust) {
        let server = server::build(workspace, Profile::Dev)?;
        let browser = Browser::prepare(workspace)?;
        step("browser tests", || {
            run(browser.playwright(&server).args(filters))
        })?;
    }
    let sum = print_bundle_sizes(workspace)?;
    if sum > BUNDLE_LIMIT {
        bail!(
            "WebAssembly, JavaScript and CSS take {sum} bytes in brotli; the limit is {BUNDLE_LIMIT}"
        );
    }
    Ok(())
}

fn rust(workspace: &Workspace, filters: &[String]) -> Result<()> {
    let cluster = Arc::new(Cluster::start()?);
    let interrupted = Arc::clone(&cluster);
    ctrlc::set_handler(move || {
        interrupted.stop();
        std::process::exit(130);
    })?;
    step("cargo test", || {
        run(workspace
            .cargo()
            .args(["test", "--workspace", "--no-fail-fast"])
            .args(filters)
            .env("LATCHKEY_TEST_POSTGRES", cluster.url()))
    })?;
    cluster.stop();
    Ok(())
}
