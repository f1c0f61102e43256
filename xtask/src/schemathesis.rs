//! Schemathesis generates valid and invalid requests from `/openapi.json` and checks each response.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    server::{self, Running, free_port},
    step::{find_program, output, run, run_quietly, step},
    workspace::Workspace,
};

/// The package to install from PyPI.
const REQUIREMENT: &str = "schemathesis==4.32.5";
/// The maximum number of requests of each kind per operation.
const EXAMPLES: &str = "50";

/// Runs Schemathesis against a server started for it.
pub fn test(workspace: &Workspace) -> Result<()> {
    let program = prepare(workspace)?;
    let server = server::build(workspace, server::Profile::Dev)?;
    let folder = tempfile::Builder::new()
        .prefix("latchkey-schemathesis-")
        .tempdir()?;
    let port = free_port()?;
    let say =
        |arguments: &[&str]| output(server::command(&server, folder.path(), port).args(arguments));
    say(&["migrate"])?;
    say(&[
        "org",
        "create",
        "--name",
        "Northwind",
        "--slug",
        "northwind",
    ])?;
    let token = say(&["token", "create", "--name", "tests", "--scope", "manage"])?;
    let log = std::fs::File::create(folder.path().join("log"))?;
    let mut running = Running::start(
        server::command(&server, folder.path(), port)
            .arg("serve")
            .stderr(log),
    )?;
    running.wait_for_port(port)?;
    step("schemathesis", || {
        // Schemathesis writes its cache to the working directory.
        run(Command::new(program)
            .arg("--config-file")
            .arg(workspace.root.join("xtask/schemathesis/schemathesis.toml"))
            .args(["run", "--max-examples", EXAMPLES, "--continue-on-failure"])
            .args(["--header", &format!("Authorization: Bearer {token}")])
            .arg(format!("http://127.0.0.1:{port}/openapi.json"))
            .env(
                "SCHEMATHESIS_HOOKS",
                workspace.root.join("xtask/schemathesis/checks.py"),
            )
            .current_dir(folder.path()))
    })
}

/// Installs Schemathesis in a virtual environment, unless it is installed.
fn prepare(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("schemathesis");
    let program = folder.join("bin/schemathesis");
    let stamp = folder.join(".installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENT) {
        return Ok(program);
    }
    let Some(python) = find_program(&["python3"]) else {
        bail!(
            "schemathesis requires Python 3.10 or later, which is not installed: on Debian, install python3 and python3-venv"
        );
    };
    step(&format!("installing {REQUIREMENT} from PyPI"), || {
        run_quietly(
            Command::new(python)
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )
        .context("Python cannot create a virtual environment: on Debian, install python3-venv")?;
        run_quietly(Command::new(folder.join("bin/pip")).args(["install", "--quiet", REQUIREMENT]))
            .context(
                "schemathesis could not be installed from PyPI, so the API was not tested against its description",
            )?;
        std::fs::write(&stamp, REQUIREMENT)?;
        Ok(())
    })?;
    Ok(program)
}
