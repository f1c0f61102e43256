//! Builds the server, and starts temporary servers.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    step::{run, step},
    workspace::Workspace,
};

/// A build profile of the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Fast to compile.
    Dev,
    /// Fast to run.
    Release,
}

/// Compiles the server with the current site and returns the path of the executable.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet"]);
    let (what, folder) = match profile {
        Profile::Dev => {
            // Use the same packages and kinds of dependencies as `cargo test`. Another selection would resolve to other
            // features, and all dependent crates would be compiled twice.
            cargo.args(["--workspace", "--exclude", "xtask", "--bins", "--examples"]);
            ("compiling the server", "debug")
        }
        Profile::Release => {
            cargo.args([
                "--package",
                "latchkey-server",
                "--bin",
                "latchkey",
                "--release",
            ]);
            ("compiling the server for release", "release")
        }
    };
    step(what, || run(&mut cargo))?;
    Ok(workspace.server(folder))
}

/// A child process, which is killed when dropped.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.spawn()?))
    }

    /// The process ID.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether the process is still running.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Waits until the process accepts connections on a local port. Fails if it exits first or takes more than 30 s.
    pub fn wait_for_port(&mut self, port: u16) -> Result<()> {
        for _ in 0..300 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(());
            }
            if !self.is_alive() {
                bail!("the server exited before it accepted connections");
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("the server did not accept connections within 30 s")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is not an error if the process has already exited.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server with its data in a folder, listening on a local port.
pub fn command(server: &Path, data: &Path, port: u16) -> Command {
    let mut command = Command::new(server);
    command
        .env("LATCHKEY_DATA_DIR", data)
        .env("LATCHKEY_LISTEN", format!("127.0.0.1:{port}"))
        .current_dir(data);
    command
}

/// Returns an unused local port.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
