//! Runs other programs and reports progress.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

/// Prints what is being done to stderr, does it, and prints how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("· {what} …");
    let started = started_now();
    let done = work().with_context(|| what.to_owned())?;
    eprintln!("✓ {what} ({:.1} s)", started.elapsed().as_secs_f32());
    Ok(done)
}

/// The only place in xtask that reads the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask times real work; only the engine takes its clock as an argument"
)]
pub fn started_now() -> Instant {
    Instant::now()
}

/// Runs a program and shows its output. Fails if the program fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {}", program(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", program(command));
    }
    Ok(())
}

/// Runs a program and shows its output only if it fails.
pub fn run_quietly(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs a program and returns its stdout without trailing white space.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {}", program(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}\n{}{}",
            program(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Finds the first of these programs on `PATH`.
pub fn find_program(names: &[&str]) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    names
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}

fn program(command: &Command) -> String {
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    format!(
        "{} {}",
        command.get_program().to_string_lossy(),
        arguments.join(" ")
    )
}
