//! `screenshots`: takes a picture of every page in light and dark, wide and narrow.

use anyhow::Result;

use crate::{
    browser::Browser,
    level::Level,
    server::{self, Profile},
    site,
    step::{run, step},
    workspace::Workspace,
};

/// Runs `end2end/screenshots.ts`, which visits the pages and writes the pictures to `target/screenshots/`.
pub fn screenshots(workspace: &Workspace) -> Result<()> {
    site::ensure(workspace, Level::Quick)?;
    let server = server::build(workspace, Profile::Dev)?;
    let browser = Browser::prepare(workspace)?;
    let pictures = workspace.target.join("screenshots");
    step("taking screenshots", || {
        run(browser
            .playwright(&server)
            .args(["--config", "screenshots.config.ts"])
            .env("LATCHKEY_SCREENSHOTS", &pictures))
    })?;
    println!("{}", pictures.display());
    Ok(())
}
