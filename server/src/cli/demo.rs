//! `latchkey demo`: serves a team with months of history, to look around.

use std::{
    fs::{self, DirBuilder},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use latchkey::{clock::Clock, time::Timestamp};

use super::{error::CliError, flags::Flags};
use crate::{
    demo::{self, DemoError, Size},
    logging, serve,
    settings::Settings,
    start,
};

#[derive(Debug, Args)]
pub struct DemoFlags {
    /// The number of further keys, with use, for measurements.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    keys: u32,
    /// The number of organizations that share the further keys.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orgs: u32,
    /// The number of days of use.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(2..=700))]
    days: u32,
    /// The seed of all numbers that look random. Keys and passwords always differ.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only create the data.
    #[arg(long)]
    no_serve: bool,
}

/// A folder that is removed with this value.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn create() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("latchkey-demo-{}", std::process::id()));
        let mut builder = DirBuilder::new();
        // Only the owner can read it.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} could not be removed: {error}", self.0.display());
        }
    }
}

/// Creates the data, prints how to sign in, and serves.
pub async fn demo(flags: &Flags, demo: DemoFlags) -> Result<(), CliError> {
    let no_folder =
        |error: io::Error| CliError::Failed("the temporary folder cannot be created", error.into());
    let folder = match flags.names_database()? {
        true => None,
        false => Some(TemporaryFolder::create().map_err(no_folder)?),
    };
    let (mut settings, _) = flags.demo_settings(folder.as_ref().map(TemporaryFolder::path))?;
    // Anyone who can reach it could read the passwords on this terminal's machine otherwise.
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    settings.listen = SocketAddr::new(loopback, settings.listen.port());
    settings.limits.keys = settings.limits.keys.max(demo.keys.saturating_add(100));
    settings.limits.domains = settings.limits.domains.max(demo.keys.saturating_add(100));
    logging::start(&settings);

    let size = Size {
        keys: demo.keys,
        orgs: demo.orgs,
        days: demo.days,
        seed: demo.seed,
    };
    eprintln!("Creating a team with {} days of use…", demo.days);
    for sign_in in create(&settings, size).await? {
        println!("{} {} {}", sign_in.role, sign_in.email, sign_in.password);
    }
    if demo.no_serve {
        return Ok(());
    }
    Ok(serve::serve(settings).await?)
}

async fn create(settings: &Settings, size: Size) -> Result<Vec<demo::SignIn>, CliError> {
    let now = Clock::System.now();
    let clock = Clock::manual(Timestamp::from_millis(0));
    let engine = start::engine_at(settings, clock).await?;
    let filled = demo::fill(&engine, size, now).await;
    engine.db().close().await;
    filled.map_err(|error| match error {
        DemoError::NotEmpty => CliError::Refused(error.to_string()),
        DemoError::Failed(what, cause) => CliError::Failed(what, cause),
    })
}
