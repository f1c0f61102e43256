//! Chromium and Playwright, and a server for them to look at.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    debian, fingerprint,
    step::{find_program, run_quietly, step},
    workspace::Workspace,
};

const CHROMIUM: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// What a run of Playwright needs.
pub struct Browser {
    chromium: PathBuf,
    folder: PathBuf,
}

impl Browser {
    /// Finds or brings Node, Chromium and the packages of `end2end/`.
    pub fn prepare(workspace: &Workspace) -> Result<Self> {
        if find_program(&["npm"]).is_none() {
            debian::install(&["nodejs", "npm"])?;
        }
        let chromium = match std::env::var_os("CHROMIUM_PATH") {
            Some(path) => PathBuf::from(path),
            None => find_or_install_chromium()?,
        };
        let folder = workspace.root.join("end2end");
        install_packages(&folder)?;
        Ok(Self { chromium, folder })
    }

    /// `npx playwright test`, which starts this server as often as it likes.
    pub fn playwright(&self, server: &Path) -> Command {
        let mut command = Command::new("npx");
        command
            .args(["--no-install", "playwright", "test"])
            .current_dir(&self.folder)
            .env("CHROMIUM_PATH", &self.chromium)
            .env("LATCHKEY_TEST_BIN", server);
        command
    }
}

fn find_or_install_chromium() -> Result<PathBuf> {
    if let Some(program) = find_program(&CHROMIUM) {
        return Ok(program);
    }
    debian::install(&["chromium"])?;
    find_program(&CHROMIUM).context("the Debian package chromium is installed but not on PATH")
}

/// Installs what the lock file names, unless that is what is there.
fn install_packages(folder: &Path) -> Result<()> {
    let wanted = fingerprint::of(folder, &["package.json", "package-lock.json"], "")?;
    let stamp = folder.join("node_modules/.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step("npm ci for the browser tests", || {
        let npm = |command: &str| {
            // Playwright would fetch browsers of its own here; ours comes from the system.
            run_quietly(
                Command::new("npm")
                    .args([command, "--no-audit", "--no-fund"])
                    .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
                    .current_dir(folder),
            )
        };
        npm("ci")?;
        std::fs::write(&stamp, &wanted)?;
        Ok(())
    })
}
