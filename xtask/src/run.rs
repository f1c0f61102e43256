//! `run` and `build`: from sources to a server.

use std::process::Command;

use anyhow::Result;

use crate::{
    server::{self, Profile},
    site::{self, Level},
    workspace::Workspace,
};

/// Builds what is missing and serves, until interrupted.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    site::ensure(workspace, Level::Quick)?;
    let server = server::build(workspace, Profile::Dev)?;
    let mut command = Command::new(server);
    command.arg("serve").args(arguments);
    become_program(command)
}

/// Builds the one file that serves everything.
pub fn build(workspace: &Workspace) -> Result<()> {
    site::ensure(workspace, Level::Release)?;
    let server = server::build(workspace, Profile::Release)?;
    let megabytes = std::fs::metadata(&server)?.len() as f64 / 1e6;
    println!("{} ({megabytes:.1} MB)", server.display());
    print_bundle_sizes(workspace).map(drop)
}

/// Prints what a first visit loads, and returns the sum in brotli, in bytes.
pub fn print_bundle_sizes(workspace: &Workspace) -> Result<u64> {
    let sizes = site::bundle_sizes(workspace)?;
    for (name, plain, brotli) in &sizes {
        println!(
            "{name:40} {:8.1} kB {:8.1} kB in brotli",
            *plain as f64 / 1e3,
            *brotli as f64 / 1e3
        );
    }
    let sum = sizes.iter().map(|(_, _, brotli)| brotli).sum();
    println!(
        "{:40} {:11} {:8.1} kB in brotli",
        "together",
        "",
        sum as f64 / 1e3
    );
    Ok(sum)
}

/// Replaces xtask by the program, so that signals reach it and its exit code is seen.
#[cfg(unix)]
fn become_program(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_program(mut command: Command) -> Result<()> {
    crate::step::run(&mut command)
}
