//! From settings to a working engine.

use std::{io, path::PathBuf, sync::Arc};

use latchkey::{
    Engine, EngineSettings,
    clock::Clock,
    db::{Db, StorageError},
    random::{Randomness, RandomnessError},
};

use crate::settings::{PepperError, Settings};

/// Why the program cannot work.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder could not be made.
    #[error("data_dir {0}: {1}")]
    DataDir(PathBuf, io::Error),
    /// There is no pepper.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// The database cannot be reached.
    #[error("database_url: the database cannot be reached")]
    Connect(#[source] StorageError),
    /// The tables could not be brought up to date.
    #[error("the database could not be migrated")]
    Migrate(#[source] StorageError),
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
    let db = Db::connect(settings.database_url().expose())
        .await
        .map_err(StartError::Connect)?;
    db.migrate().await.map_err(StartError::Migrate)?;
    Ok(db)
}

/// Starts an engine on the database that the settings name.
///
/// # Errors
/// When something that it needs is missing.
pub async fn engine(settings: &Settings) -> Result<Arc<Engine>, StartError> {
    let random = Randomness::System;
    let db = database(settings).await?;
    let is_used = db.holds_digests().await.map_err(StartError::Connect)?;
    let peppers = settings.peppers(is_used, &random)?;
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
