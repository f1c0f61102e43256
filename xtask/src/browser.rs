//! Chromium and Playwright, for tests and screenshots.

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

/// The programs for a run of Playwright.
pub struct Browser {
    chromium: PathBuf,
    folder: PathBuf,
}

impl Browser {
    /// Finds or installs Node, Chromium and the packages of `end2end/`.
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

    /// `npx playwright test`, which starts instances of this server as needed.
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

/// Installs the packages of the lock file, unless they are already installed.
fn install_packages(folder: &Path) -> Result<()> {
    let wanted = fingerprint::of(folder, &["package.json", "package-lock.json"], "")?;
    let stamp = folder.join("node_modules/.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    step("npm ci for the browser tests", || {
        let npm = |command: &str| {
            // Prevent Playwright from downloading its own browsers; the system's Chromium is used.
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
