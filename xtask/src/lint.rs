//! `lint`: checks formatting, lints and the dependency policy.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{
    step::{find_program, run, run_quietly, step},
    workspace::Workspace,
};

const CARGO_DENY: &str = "0.20.2";

/// Runs all checks and stops at the first failure.
pub fn lint(workspace: &Workspace) -> Result<()> {
    step("cargo fmt --check", || {
        run(workspace.cargo().args(["fmt", "--all", "--check"]))
    })?;
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
    })?;
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
    })?;
    let deny = cargo_deny(workspace)?;
    let check = |checks: &[&str]| {
        run(Command::new(&deny)
            .current_dir(&workspace.root)
            .args(["--workspace", "--all-features", "check"])
            .args(checks))
    };
    step("cargo deny: licences, sources, bans", || {
        check(&["bans", "licenses", "sources"])
    })?;
    let fetched = run_quietly(
        Command::new(&deny)
            .current_dir(&workspace.root)
            .args(["fetch", "db"]),
    );
    match fetched {
        Ok(()) => step("cargo deny: advisories", || {
            check(&["--disable-fetch", "advisories"])
        }),
        Err(_) => {
            eprintln!("! advisories NOT checked: the advisory database could not be fetched");
            Ok(())
        }
    }
}

/// The program on `PATH`, or else a pinned version, which is installed once into the target folder.
fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(program) = find_program(&["cargo-deny"]) {
        return Ok(program);
    }
    let root = workspace.tools();
    let program = root.join("bin/cargo-deny");
    if !program.is_file() {
        step("installing cargo-deny (once; takes a few minutes)", || {
            run(workspace
                .cargo()
                .args([
                    "install",
                    "--quiet",
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
