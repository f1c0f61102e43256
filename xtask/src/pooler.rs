//! PgBouncer in front of a temporary Postgres, in transaction pooling mode.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    debian,
    postgres::Cluster,
    server::{Running, free_port},
    step::{find_program, run_quietly, step},
};

/// Debian's path, which is not on every user's `PATH`.
const ON_DEBIAN: &str = "/usr/sbin/pgbouncer";

/// A running PgBouncer, which is stopped when dropped.
pub struct Pooler {
    port: u16,
    _running: Running,
    _folder: TempDir,
}

impl Pooler {
    /// Installs PgBouncer if necessary and starts it. It serves every database of the cluster.
    pub fn start(cluster: &Cluster) -> Result<Self> {
        let program = match program() {
            Some(program) => program,
            None => {
                debian::install(&["pgbouncer"])?;
                program().context(
                    "the Debian package pgbouncer is installed but does not contain pgbouncer",
                )?
            }
        };
        step("starting PgBouncer", || {
            let folder = tempfile::Builder::new()
                .prefix("latchkey-pgbouncer-")
                .tempdir()?;
            let port = free_port()?;
            let file = folder.path().join("pgbouncer.ini");
            let users = folder.path().join("users");
            std::fs::write(&users, "\"postgres\" \"\"\n")?;
            // PgBouncer does not run as root, so the file names another user.
            let user = if debian::is_root() {
                run_quietly(Command::new("chown").arg("postgres").arg(folder.path()))?;
                "user = postgres\n"
            } else {
                ""
            };
            // Few server connections, so that many clients share each. All other settings are defaults.
            let settings = format!(
                "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 4\n\
                 max_client_conn = 1000\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = trust\nauth_file = {}\n{user}",
                cluster.port(),
                users.display()
            );
            std::fs::write(&file, settings)?;
            let mut command = Command::new(program);
            command
                .arg("-q")
                .arg(file)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let mut running = Running::start(&mut command)?;
            running.wait_for_port(port).context("PgBouncer")?;
            Ok(Self {
                port,
                _running: running,
                _folder: folder,
            })
        })
    }

    /// The URL of the cluster's default database through PgBouncer.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

fn program() -> Option<PathBuf> {
    let on_debian = || Some(PathBuf::from(ON_DEBIAN)).filter(|program| program.is_file());
    find_program(&["pgbouncer"]).or_else(on_debian)
}
