//! `screenshots`: every page in light and dark, wide and narrow.

use anyhow::Result;

use crate::{
    browser::Browser,
    server::{self, Profile},
    site::{self, Level},
    step::{run, step},
    workspace::Workspace,
};

/// Lets `end2end/screenshots.ts` visit the pages and put the pictures into `target/screenshots/`.
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
