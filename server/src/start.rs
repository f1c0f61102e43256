//! Starts the engine with the settings.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use latchkey::{
    Engine, EngineSettings,
    accounts::password::PasswordCost,
    clock::Clock,
    db::{ConnectError, Db, OpenError, StorageError},
    key::digest::Peppers,
    peppers::{self, UnusablePeppers},
    random::{Randomness, RandomnessError},
};

use crate::{
    exposed_files,
    settings::{PepperError, Settings},
};

/// Why the engine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder could not be created.
    #[error(
        "data_dir: the folder {0} cannot be created ({1}). Choose another with --data-dir or LATCHKEY_DATA_DIR"
    )]
    DataDir(PathBuf, io::Error),
    /// The data folder is not writable.
    #[error(
        "data_dir: the folder {0} is not writable ({1}). Allow the user that runs Latchkey to write to it, or choose \
         another with --data-dir or LATCHKEY_DATA_DIR"
    )]
    DataDirNotWritable(PathBuf, io::Error),
    /// The SQLite file does not exist.
    #[error(
        "no database was found at {0}. Check data_dir and database_url. `latchkey serve` creates a new database"
    )]
    NoDatabase(PathBuf),
    /// The database has to be migrated first.
    #[error("the database needs {0} migrations. Run `latchkey migrate`")]
    Outdated(usize),
    /// The peppers cannot be used.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// The peppers are not those that the database needs.
    #[error(transparent)]
    UnusablePeppers(#[from] UnusablePeppers),
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system provided no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// Connects to the database and migrates it.
///
/// # Errors
/// If the data folder or the database cannot be used.
pub async fn database(settings: &Settings) -> Result<Db, StartError> {
    make_data_dir(settings)
        .map_err(|error| StartError::DataDir(settings.data_dir.clone(), error))?;
    Ok(Db::open(settings.database_url().expose()).await?)
}

/// Checks that the SQLite file exists, for commands that must not create it.
///
/// # Errors
/// If it does not exist.
pub fn require_database(settings: &Settings) -> Result<(), StartError> {
    match settings.sqlite_file().filter(|file| !file.exists()) {
        Some(file) => Err(StartError::NoDatabase(file)),
        None => Ok(()),
    }
}

/// Connects to an existing, migrated database. Changes nothing.
///
/// # Errors
/// If the database does not exist, cannot be reached, or has to be migrated.
pub async fn existing_database(settings: &Settings) -> Result<Db, StartError> {
    require_database(settings)?;
    let db = Db::connect(settings.database_url().expose())
        .await
        .map_err(OpenError::Connect)?;
    match db.pending_migrations().await.map_err(unusable)? {
        0 => Ok(db),
        pending => Err(StartError::Outdated(pending)),
    }
}

fn unusable(error: StorageError) -> OpenError {
    ConnectError::Rejected(error).into()
}

/// Starts an engine on the database in the settings.
///
/// # Errors
/// If something that the engine requires is missing.
pub async fn engine(settings: &Settings) -> Result<Arc<Engine>, StartError> {
    let (db, peppers) = database_and_peppers(settings).await?;
    peppers::accept(&db, &peppers, &Clock::System).await?;
    start(settings, db, peppers, Clock::System)
}

/// Like [`engine`], with another clock.
///
/// # Errors
/// Like [`engine`].
pub async fn engine_at(settings: &Settings, clock: Clock) -> Result<Arc<Engine>, StartError> {
    let (db, peppers) = database_and_peppers(settings).await?;
    peppers::accept(&db, &peppers, &Clock::System).await?;
    start(settings, db, peppers, clock)
}

/// Starts an engine for commands that recognize no key and no token. Unlike [`engine`], it also works if an older
/// pepper is missing.
///
/// # Errors
/// Like [`engine`].
pub async fn engine_without_older_peppers(settings: &Settings) -> Result<Arc<Engine>, StartError> {
    let (db, peppers) = database_and_peppers(settings).await?;
    peppers::accept_incomplete(&db, &peppers, &Clock::System).await?;
    start(settings, db, peppers, Clock::System)
}

async fn database_and_peppers(settings: &Settings) -> Result<(Db, Peppers), StartError> {
    let db = database(settings).await?;
    exposed_files::warn(settings);
    let is_used = db.has_used_pepper().await.map_err(unusable)?;
    let peppers = settings.peppers(is_used, &Randomness::System)?;
    Ok((db, peppers))
}

fn start(
    settings: &Settings,
    db: Db,
    peppers: Peppers,
    clock: Clock,
) -> Result<Arc<Engine>, StartError> {
    let engine = Engine::start(EngineSettings {
        db,
        peppers,
        convention: settings.convention.clone(),
        sign_up: settings.sign_up,
        organizations: settings.organizations,
        cached_keys: settings.cached_keys,
        limits: settings.limits,
        usage_kept: settings.usage_kept,
        sends_mail: settings.mail.is_some(),
        password_cost: PasswordCost::default(),
        clock,
        random: Randomness::System,
    })?;
    Ok(Arc::new(engine))
}

/// Checks that files can be created in the data folder, or that the folder can be created. Leaves nothing behind.
///
/// # Errors
/// If they cannot be created.
pub fn check_data_dir(settings: &Settings) -> Result<(), StartError> {
    let folder = &settings.data_dir;
    // An empty path refers to the working directory.
    let existing = folder.ancestors().find(|folder| folder.exists());
    let existing = existing.unwrap_or(Path::new("."));
    let probe = existing.join(format!(".latchkey-check.{}", std::process::id()));
    let tried = std::fs::create_dir(&probe).and_then(|()| std::fs::remove_dir(&probe));
    tried.map_err(|error| match existing == folder {
        true => StartError::DataDirNotWritable(folder.clone(), error),
        false => StartError::DataDir(folder.clone(), error),
    })
}

/// Creates the data folder so that only its owner can access it: only the pepper protects the digests in the database from
/// being searched.
fn make_data_dir(settings: &Settings) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&settings.data_dir)
}
