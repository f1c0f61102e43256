//! `watch`: rebuilds and restarts whenever a source file changes.

use std::{process::Command, thread, time::Duration};

use anyhow::Result;

use crate::{
    fingerprint,
    level::Level,
    server::{self, Profile, Running},
    site,
    workspace::Workspace,
};

const SERVER_INPUTS: [&str; 2] = ["server", "migrations"];

/// Serves until interrupted. If a build fails, the last server keeps running until the next change.
pub fn watch(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut running = None;
    loop {
        let built_from = sources(workspace)?;
        match build(workspace) {
            Ok(mut command) => {
                // The port must be free before the next server binds it.
                drop(running.take());
                running = Some(Running::start(command.arg("serve").args(arguments))?);
                eprintln!("· watching for changes");
            }
            Err(error) => eprintln!("✗ {error:#}\n· waiting for the next change"),
        }
        while sources(workspace)? == built_from {
            thread::sleep(Duration::from_millis(400));
        }
    }
}

fn build(workspace: &Workspace) -> Result<Command> {
    site::ensure(workspace, Level::Quick)?;
    Ok(Command::new(server::build(workspace, Profile::Dev)?))
}

fn sources(workspace: &Workspace) -> Result<String> {
    fingerprint::of(
        &workspace.root,
        &[&site::INPUTS[..], &SERVER_INPUTS].concat(),
        "",
    )
}
