//! `bench pages`: how long pages take and how much is stored, with the data of `latchkey demo`; and how fast a flush is, in
//! comparison with a bare upsert of the same rows.
//!
//! A page is requested over one connection to a local server, so the time includes rendering and sending it.

mod flush;
mod requests;
mod stored;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

pub use self::flush::FlushProfile;
use self::{requests::Session, stored::Database};
use crate::{
    postgres::Cluster,
    scratch,
    server::{self, Running, free_port},
    step::{output, step},
    workspace::Workspace,
};

/// Long enough for the server.
const PEPPER: &str = "a pepper for benchmarks, which is nobody's secret";

/// What is measured.
pub struct Options {
    /// The number of keys, besides those of the demo's team.
    pub keys: u32,
    /// The number of organizations that share them.
    pub orgs: u32,
    /// The number of days of use.
    pub days: u32,
    /// How often each page is requested.
    pub runs: u32,
    /// Store in Postgres instead of SQLite.
    pub on_postgres: bool,
    /// Measure a flush, too, with a build of this profile.
    pub flush: Option<FlushProfile>,
    /// Fail if a goal is missed.
    pub strict: bool,
    /// The program to measure, instead of a new build.
    pub program: Option<PathBuf>,
}

/// Creates the data, measures, and prints tables with the goals.
pub fn pages(workspace: &Workspace, options: Options) -> Result<()> {
    let program = super::program_or_build(workspace, options.program.clone())?;
    let cluster = match options.on_postgres {
        true => Some(Cluster::start()?),
        false => None,
    };
    let folder = scratch::folder("latchkey-pages-")?;
    let url = cluster.as_ref().map(Cluster::url);
    let latchkey = |port: u16| latchkey(&program, folder.path(), url.as_deref(), port);
    let Options {
        keys, orgs, days, ..
    } = options;
    let what = format!("creating {keys} keys of {orgs} organizations with {days} days of use");
    let owner = step(&what, || create(latchkey(free_port()?), &options))?;
    let database = match &url {
        Some(url) => Database::Postgres(url.clone()),
        None => Database::Sqlite(folder.path().join("latchkey.db")),
    };
    let mut missed = stored::print(&database)?;
    let port = free_port()?;
    let mut command = latchkey(port);
    command
        .arg("serve")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut running = Running::start(&mut command)?;
    running.wait_for_port(port)?;
    let session = Session::start(port, &owner)?;
    missed += requests::print(&session, options.runs, days)?;
    drop(running);
    if let Some(profile) = options.flush {
        flush::run(workspace, profile, cluster.as_ref())?;
    }
    println!("\nmissed goals: {missed}");
    ensure!(missed == 0 || !options.strict, "missed goals: {missed}");
    Ok(())
}

fn latchkey(program: &Path, data: &Path, url: Option<&str>, port: u16) -> Command {
    let mut command = server::command(program, data, port);
    command
        // A developer's own database is not for this.
        .env_remove("LATCHKEY_DATABASE_URL")
        .env("LATCHKEY_PUBLIC_URL", format!("http://localhost:{port}"))
        .env("LATCHKEY_PEPPER", PEPPER);
    if let Some(url) = url {
        command.env("LATCHKEY_DATABASE_URL", url);
    }
    command
}

/// An account of the demo.
pub struct Account {
    pub email: String,
    pub password: String,
}

/// Creates the demo's data and returns the owner's account.
fn create(mut latchkey: Command, options: &Options) -> Result<Account> {
    let number = |number: u32| number.to_string();
    let (keys, orgs, days) = (
        number(options.keys),
        number(options.orgs),
        number(options.days),
    );
    let flags = ["--keys", &keys, "--orgs", &orgs, "--days", &days];
    let printed = output(latchkey.arg("demo").args(flags).arg("--no-serve"))?;
    let owner = printed
        .lines()
        .find_map(|line| line.strip_prefix("owner "))
        .and_then(|line| line.split_once(' '));
    let (email, password) = owner.context("the demo printed no owner")?;
    Ok(Account {
        email: email.to_owned(),
        password: password.to_owned(),
    })
}
