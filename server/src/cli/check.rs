//! `latchkey check`: one line for each thing that has to work.

use latchkey::db::Db;

use super::{CliError, flags::Flags, with_causes};
use crate::{
    settings::Settings,
    start::{exposed, exposed_files},
};

/// Says whether the settings and the database work. Changes nothing.
pub async fn check(flags: &Flags) -> Result<(), CliError> {
    let settings = match flags.settings() {
        Ok((settings, unknown)) => {
            println!(
                "settings: ok, convention {}, {}",
                settings.convention.name,
                settings.public_url(settings.listen.port())
            );
            for variable in unknown {
                println!("settings: {variable} is no setting and is left aside");
            }
            settings
        }
        Err(error) => {
            println!("settings: {error}");
            return Err(CliError::Unwell);
        }
    };
    for file in exposed_files(&settings) {
        println!("files: {}", exposed(&file));
    }
    match database(&settings).await {
        Ok(words) => {
            println!("database: {words}");
            Ok(())
        }
        Err(words) => {
            println!("database: {words}");
            Err(CliError::Unwell)
        }
    }
}

async fn database(settings: &Settings) -> Result<String, String> {
    if let Some(file) = settings.sqlite_file().filter(|file| !file.exists()) {
        return Ok(format!(
            "ok, not made yet: `latchkey serve` makes {}",
            file.display()
        ));
    }
    let db = Db::connect(settings.database_url().expose())
        .await
        .map_err(|error| with_causes(&error))?;
    let pending = db
        .pending_migrations()
        .await
        .map_err(|error| with_causes(&error));
    let name = db.name();
    db.close().await;
    match pending? {
        0 => Ok(format!("ok, {name}, up to date")),
        pending => Err(format!(
            "{name} answers and needs {pending} migrations: run `latchkey migrate`"
        )),
    }
}
