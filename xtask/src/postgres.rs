//! A temporary Postgres for tests.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    debian, scratch,
    server::free_port,
    step::{find_program, run_quietly, step},
};

/// A cluster in a temporary folder. `stop` stops it and deletes the folder.
pub struct Cluster {
    programs: PathBuf,
    port: u16,
    // Taken by the first `stop`.
    folder: Mutex<Option<TempDir>>,
}

impl Cluster {
    /// Installs Postgres if necessary, creates an empty cluster and starts it.
    pub fn start() -> Result<Self> {
        let programs = match programs() {
            Some(programs) => programs,
            None => {
                debian::install(&["postgresql"])?;
                programs().context(
                    "the Debian package postgresql is installed but does not contain initdb",
                )?
            }
        };
        step("starting a temporary Postgres", || {
            let folder = scratch::folder("latchkey-postgres-")?;
            if debian::is_root() {
                run_quietly(Command::new("chown").arg("postgres").arg(folder.path()))?;
            }
            let cluster = Self {
                programs,
                port: free_port()?,
                folder: Mutex::new(None),
            };
            cluster.initialise(folder.path())?;
            *cluster.folder() = Some(folder);
            Ok(cluster)
        })
    }

    /// The port on which the cluster listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database whose user can create databases.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops the cluster and deletes its folder. No effect when called again.
    pub fn stop(&self) {
        let Some(folder) = self.folder().take() else {
            return;
        };
        let data = folder.path().join("data");
        let stopped = run_quietly(
            self.command("pg_ctl", folder.path())
                .arg("-D")
                .arg(data)
                .args(["-m", "immediate", "stop"]),
        );
        if let Err(error) = stopped {
            eprintln!("  could not stop the temporary Postgres: {error:#}");
        }
    }

    fn initialise(&self, folder: &Path) -> Result<()> {
        let data = folder.join("data");
        run_quietly(
            self.command("initdb", folder)
                .args([
                    "--auth=trust",
                    "--username=postgres",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "-D",
                ])
                .arg(&data),
        )?;
        // No data outlives the tests, so durability would only cost time.
        let options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=200 \
             -c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            self.port,
            folder.display()
        );
        run_quietly(
            self.command("pg_ctl", folder)
                .args(["-w", "-s", "-o", &options, "-l"])
                .arg(folder.join("log"))
                .arg("-D")
                .arg(&data)
                .arg("start"),
        )
    }

    /// A Postgres program. Runs as the user `postgres` if xtask runs as root, which Postgres does not allow.
    fn command(&self, program: &str, folder: &Path) -> Command {
        let program = self.programs.join(program);
        let mut command = if debian::is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(folder);
        command
    }

    fn folder(&self) -> std::sync::MutexGuard<'_, Option<TempDir>> {
        self.folder
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The folder of the Postgres programs: the newest version that Debian installed, or else the one on `PATH`.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, folder)| folder).or_else(|| {
        find_program(&["initdb"]).and_then(|program| Some(program.parent()?.to_owned()))
    })
}
