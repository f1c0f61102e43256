//! `lint`: formatting, lints, and the licenses and sources of dependencies. `advisories`: known vulnerabilities of
//! dependencies.

use std::{fmt, path::PathBuf, process::Command, thread};

use anyhow::{Result, anyhow};

use crate::{
    imports,
    level::Level,
    site,
    step::{find_program, run, run_quietly, step},
    workspace::Workspace,
};

const CARGO_DENY: &str = "0.20.2";

/// Runs all checks and stops at the first failure.
pub fn lint(workspace: &Workspace) -> Result<()> {
    code(workspace)?;
    licenses(workspace)?;
    step("clippy", || {
        run(workspace.cargo().args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })
}

/// Runs the checks that remain if clippy compiles the tests, and builds the site: the end of that build uses only one
/// core, so that cargo-deny can be installed at the same time.
pub fn beside_tests(workspace: &Workspace) -> Result<()> {
    code(workspace)?;
    let (checked, built) = thread::scope(|scope| {
        let checking = scope.spawn(|| licenses(workspace));
        let built = site::ensure(workspace, Level::Release);
        (checking.join(), built)
    });
    checked
        .map_err(|_| anyhow!("cargo deny panicked"))?
        .and(built)
}

/// Checks what does not need a build of the server.
fn code(workspace: &Workspace) -> Result<()> {
    step("cargo fmt --check", || {
        run(workspace.cargo().args(["fmt", "--all", "--check"]))
    })?;
    step("no circles of imports", || imports::check(&workspace.root))?;
    step("clippy for the browser part", || {
        run(workspace.cargo().args([
            "clippy",
            "--quiet",
            "--package",
            "latchkey-app",
            "--no-default-features",
            "--features",
            "hydrate",
            "--",
            "-D",
            "warnings",
        ]))
    })
}

fn licenses(workspace: &Workspace) -> Result<()> {
    step("cargo deny: licences, sources, bans", || {
        deny(workspace, &["bans", "licenses", "sources"])
    })
}

/// The advisory database could not be fetched.
#[derive(Debug)]
pub struct NotFetched;

impl fmt::Display for NotFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("advisories were NOT checked: the advisory database could not be fetched")
    }
}

impl std::error::Error for NotFetched {}

/// Fails if a dependency has an advisory that `deny.toml` does not list, or with [`NotFetched`] if the database could
/// not be fetched.
pub fn advisories(workspace: &Workspace) -> Result<()> {
    let program = cargo_deny(workspace)?;
    let mut fetch = Command::new(program);
    let fetch = fetch.current_dir(&workspace.root).args(["fetch", "db"]);
    fetched_and_checked(run_quietly(fetch), || {
        step("cargo deny: advisories", || {
            deny(workspace, &["--disable-fetch", "advisories"])
        })
    })
}

/// The result of both steps. Without the database, nothing is checked.
pub fn fetched_and_checked(fetched: Result<()>, check: impl FnOnce() -> Result<()>) -> Result<()> {
    fetched.map_err(|_| NotFetched)?;
    check()
}

fn deny(workspace: &Workspace, checks: &[&str]) -> Result<()> {
    let program = cargo_deny(workspace)?;
    run(Command::new(program)
        .current_dir(&workspace.root)
        .args(["--workspace", "--all-features", "check"])
        .args(checks))
}

/// The program on `PATH`, or else a pinned version, which is installed once into the target folder.
fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(program) = find_program(&["cargo-deny"]) {
        return Ok(program);
    }
    let root = workspace.tools();
    let program = root.join("bin/cargo-deny");
    if !program.is_file() {
        // Without optimization it compiles in 2 minutes instead of 4, and a check takes 4 s.
        step("installing cargo-deny (once; takes 2 minutes)", || {
            run(workspace
                .cargo()
                .args([
                    "install",
                    "--quiet",
                    "--locked",
                    "--debug",
                    "--config",
                    "profile.dev.debug=false",
                    "cargo-deny",
                    "--version",
                    CARGO_DENY,
                    "--root",
                ])
                .arg(&root))
        })?;
    }
    Ok(program)
}
