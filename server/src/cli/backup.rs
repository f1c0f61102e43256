//! `latchkey backup` and `latchkey restore`.

use std::path::PathBuf;

use clap::Args;
use latchkey::{
    backup::{self, Backup},
    clock::Clock,
};

use super::{check, error::CliError};
use crate::{settings::Settings, start};

/// The argument of `backup` and `restore`.
#[derive(Debug, Args)]
pub struct BackupFile {
    /// The backup file.
    file: PathBuf,
}

/// Backs up the database, which can be in use.
pub async fn back_up(settings: &Settings, BackupFile { file }: BackupFile) -> Result<(), CliError> {
    let db = start::existing_database(settings).await?;
    let rows = backup::create(&db, &Clock::System, &file).await?;
    eprintln!(
        "Backed up the {} database: {rows} rows in {}.",
        db.name(),
        file.display()
    );
    let pepper = if settings.names_pepper() {
        "in the settings".to_owned()
    } else {
        settings.pepper_file().display().to_string()
    };
    eprintln!(
        "The backup does not contain the pepper ({pepper}). Keep a copy of the pepper in another place. Without it, no \
         key in the backup can be recognized."
    );
    db.close().await;
    Ok(())
}

/// Restores a backup into an empty database, which is created if it does not exist.
pub async fn restore(settings: &Settings, BackupFile { file }: BackupFile) -> Result<(), CliError> {
    let backup = Backup::open(&file)?;
    let created_at = backup.header().created_at.clone();
    let db = start::database(settings).await?;
    let rows = backup.restore(&db).await?;
    eprintln!(
        "Restored {rows} rows of {created_at} into the {} database. Sessions are not restored: all users must sign in \
         again.",
        db.name()
    );
    // The data was restored, so this is not a failure of the restore.
    if let Err(words) = check::pepper(settings, &db).await {
        eprintln!("Before you serve: {words}.");
    }
    db.close().await;
    Ok(())
}
