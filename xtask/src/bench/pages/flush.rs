//! Runs the test that measures a flush of 100,000 active keys.

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    postgres::Cluster,
    step::{self, step},
    workspace::Workspace,
};

/// How the test is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlushProfile {
    /// As for tests: compiled quickly, but both the flush and the upsert that it is compared with are slower.
    Dev,
    /// As it is shipped.
    Release,
}

/// Prints what the test prints: on SQLite, or on Postgres if there is a cluster.
pub fn run(workspace: &Workspace, profile: FlushProfile, cluster: Option<&Cluster>) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--quiet", "--workspace", "--exclude", "xtask"]);
    if profile == FlushProfile::Release {
        cargo.arg("--release");
    }
    let database = match cluster {
        Some(cluster) => {
            cargo.env("LATCHKEY_TEST_POSTGRES", cluster.url());
            "postgres"
        }
        None => "sqlite",
    };
    let test = format!("usage_speed::a_flush_of_100_000_active_keys_on_{database}");
    cargo.args(["--test", "it", "--", "--ignored", "--nocapture"]);
    cargo.args(["--test-threads", "1", &test]);
    println!(
        "\na flush in comparison with a bare upsert of the same rows; the goal is at least half as fast"
    );
    step("measuring a flush", || step::run(&mut cargo))
}
