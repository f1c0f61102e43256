//! `lighthouse`: measures the speed and accessibility of the pages that people open most.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Result;

use crate::{
    browser::Browser,
    level::Level,
    server::{self, Profile},
    site,
    step::{run, run_quietly, step},
    workspace::Workspace,
};

/// The version of the npm package `lighthouse`.
const LIGHTHOUSE: &str = "12.8.2";

/// Runs `end2end/lighthouse.ts` against a release build.
pub fn lighthouse(workspace: &Workspace, runs: u32, only: &str) -> Result<()> {
    site::ensure(workspace, Level::Release)?;
    let server = server::build(workspace, Profile::Release)?;
    let browser = Browser::prepare(workspace)?;
    let packages = install(workspace)?;
    run(browser
        .playwright(&server)
        .args(["--config", "lighthouse.config.ts"])
        .env("LATCHKEY_LIGHTHOUSE", packages)
        .env("LATCHKEY_LIGHTHOUSE_RUNS", runs.to_string())
        .env("LATCHKEY_LIGHTHOUSE_ONLY", only))
}

/// The folder with the package, which npm downloads the first time.
fn install(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.tools().join(format!("lighthouse-{LIGHTHOUSE}"));
    if folder
        .join("node_modules/lighthouse/package.json")
        .is_file()
    {
        return Ok(folder);
    }
    step("fetching Lighthouse with npm", || {
        fs::create_dir_all(&folder)?;
        run_quietly(
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
                .arg("--prefix")
                .arg(&folder)
                .arg(format!("lighthouse@{LIGHTHOUSE}")),
        )
    })?;
    Ok(folder)
}
