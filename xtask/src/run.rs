//! `run` and `build`: build the server from source.

use std::process::Command;

use anyhow::Result;

use crate::{
    level::Level,
    server::{self, Profile},
    site,
    workspace::Workspace,
};

/// Builds what is needed, then serves until interrupted, or runs another command of the program.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    site::ensure(workspace, Level::Quick)?;
    let server = server::build(workspace, Profile::Dev)?;
    let mut command = Command::new(server);
    command.args(serve_unless_named(arguments));
    become_program(command)
}

/// The program's arguments. If the first is a word, it names a command, such as `token create`. Flags alone are for
/// `serve`.
fn serve_unless_named(arguments: &[String]) -> impl Iterator<Item = &str> {
    let names_command = arguments
        .first()
        .is_some_and(|first| !first.starts_with('-'));
    let serve = (!names_command).then_some("serve");
    serve
        .into_iter()
        .chain(arguments.iter().map(String::as_str))
}

/// Builds the self-contained release binary.
pub fn build(workspace: &Workspace) -> Result<()> {
    site::ensure(workspace, Level::Release)?;
    let server = server::build(workspace, Profile::Release)?;
    let megabytes = std::fs::metadata(&server)?.len() as f64 / 1e6;
    println!("{} ({megabytes:.1} MB)", server.display());
    print_bundle_sizes(workspace).map(drop)
}

/// Prints the files that a first visit loads, and returns their total size in Brotli, in bytes.
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

/// Replaces xtask with the program, so that the program receives signals and its exit code is returned.
#[cfg(unix)]
fn become_program(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_program(mut command: Command) -> Result<()> {
    crate::step::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::serve_unless_named;

    #[test]
    fn a_word_names_the_command_and_flags_are_for_serve() {
        let command_line = |arguments: &str| {
            let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
            let words: Vec<&str> = serve_unless_named(&arguments).collect();
            words.join(" ")
        };
        assert_eq!(command_line(""), "serve");
        assert_eq!(
            command_line("--listen 127.0.0.1:80"),
            "serve --listen 127.0.0.1:80"
        );
        assert_eq!(
            command_line("token create --scope verify"),
            "token create --scope verify"
        );
    }
}
