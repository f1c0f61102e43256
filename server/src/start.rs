//! From settings to a working engine.

use std::{io, path::PathBuf, sync::Arc};

use latchkey::{
    Engine, EngineSettings,
    clock::Clock,
    db::{Db, OpenError},
    peppers::{self, UnusablePeppers},
    random::{Randomness, RandomnessError},
};

use crate::{
    exposed_files,
    settings::{PepperError, Settings},
};

/// Why the program cannot work.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder could not be made.
    #[error("data_dir {0}: {1}")]
    DataDir(PathBuf, io::Error),
    /// There is no SQLite file.
    #[error(
        "there is no database at {0}. Check data_dir and database_url; `latchkey serve` creates a new database"
    )]
    NoDatabase(PathBuf),
    /// The database has to be migrated first.
    #[error("the database needs {0} migrations: run `latchkey migrate`")]
    Outdated(usize),
    /// There is no pepper.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// The peppers are not those that the database needs.
    #[error(transparent)]
    UnusablePeppers(#[from] UnusablePeppers),
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There was no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// Connects to the database and brings its tables up to date.
///
/// # Errors
/// When the data folder or the database cannot be used.
pub async fn database(settings: &Settings) -> Result<Db, StartError> {
    make_data_dir(settings)
        .map_err(|error| StartError::DataDir(settings.data_dir.clone(), error))?;
    Ok(Db::open(settings.database_url().expose()).await?)
}

/// Checks that SQLite's file is there, for work that is not to create it.
///
/// # Errors
/// When it is not.
pub fn require_database(settings: &Settings) -> Result<(), StartError> {
    match settings.sqlite_file().filter(|file| !file.exists()) {
        Some(file) => Err(StartError::NoDatabase(file)),
        None => Ok(()),
    }
}

/// Connects to a database that is there and up to date, and changes nothing.
///
/// # Errors
/// When there is none, it cannot be reached, or it is not up to date.
pub async fn existing_database(settings: &Settings) -> Result<Db, StartError> {
    require_database(settings)?;
    let db = Db::connect(settings.database_url().expose())
        .await
        .map_err(OpenError::Connect)?;
    match db.pending_migrations().await.map_err(OpenError::Connect)? {
        0 => Ok(db),
        pending => Err(StartError::Outdated(pending)),
    }
}

/// Starts an engine on the database that the settings name.
///
/// # Errors
/// When something that it needs is missing.
pub async fn engine(settings: &Settings) -> Result<Arc<Engine>, StartError> {
    let random = Randomness::System;
    let db = database(settings).await?;
    exposed_files::warn(settings);
    let is_used = db.has_used_pepper().await.map_err(OpenError::Connect)?;
    let peppers = settings.peppers(is_used, &random)?;
    peppers::accept(&db, &peppers, &Clock::System).await?;
    let engine = Engine::start(EngineSettings {
        db,
        peppers,
        convention: settings.convention.clone(),
        sign_up: settings.sign_up,
        cached_keys: settings.cached_keys,
        clock: Clock::System,
        random,
    })?;
    Ok(Arc::new(engine))
}

/// The folder is made for its owner alone: the database in it holds what only the pepper keeps from being searched.
fn make_data_dir(settings: &Settings) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&settings.data_dir)
}
