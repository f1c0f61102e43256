//! Building the server, and starting one for a short time.

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

/// One of the two ways in which the server is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Compiled soon.
    Dev,
    /// Runs fast.
    Release,
}

/// Compiles the server, with the site that is there, and returns its executable.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet"]);
    let (what, folder) = match profile {
        Profile::Dev => {
            // The packages and kinds of dependencies that `cargo test` takes: another choice means another union of
            // features, and all that depends on it would be compiled twice.
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

/// A process that is ended when its handle goes.
pub struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Result<Self> {
        Ok(Self(command.spawn()?))
    }

    /// By what the system knows it.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it is still there.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Waits until it accepts connections on a port of this machine; fails when it ends first or takes over 30 s.
    pub fn wait_for_port(&mut self, port: u16) -> Result<()> {
        for _ in 0..300 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(());
            }
            if !self.is_alive() {
                bail!("the server ended before it accepted connections");
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("the server did not accept connections within 30 s")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already is as good as ended now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server with its data in a folder, listening on a port of this machine.
pub fn command(server: &Path, data: &Path, port: u16) -> Command {
    let mut command = Command::new(server);
    command
        .env("LATCHKEY_DATA_DIR", data)
        .env("LATCHKEY_LISTEN", format!("127.0.0.1:{port}"))
        .current_dir(data);
    command
}

/// A port of this machine that nobody listens on.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
