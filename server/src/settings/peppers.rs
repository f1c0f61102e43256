//! The peppers for key digests: from the settings or, with SQLite, from files in the data folder.

mod error;
mod file;
#[cfg(test)]
mod tests;
mod written;

use std::path::PathBuf;

use latchkey::{
    key::digest::{Pepper, Peppers},
    random::Randomness,
};

pub use self::{
    error::PepperError,
    file::{RotateError, Rotated},
};

use self::{file::PepperFile, written::split};
use super::secret::Secret;

/// Parses a pepper: `NUMBER:SECRET`, or a secret alone, which has the number 1.
///
/// # Errors
/// If the text is invalid. The message says what is valid.
pub(super) fn parse(text: &str) -> Result<Pepper, String> {
    let (number, secret) = split(text)?;
    Pepper::new(number, secret.as_bytes()).map_err(|_| {
        "must have at least 32 characters. For an existing database, set its pepper; for a new database, set the \
         output of `openssl rand -hex 32`"
            .to_owned()
    })
}

/// The sources of peppers. `file` contains SQLite's pepper if the settings do not; older peppers are in files beside
/// it.
#[derive(Debug)]
pub(super) struct PepperSources<'a> {
    pub in_settings: Option<&'a Secret>,
    pub older: &'a [Secret],
    pub is_postgres: bool,
    pub file: PathBuf,
}

impl PepperSources<'_> {
    /// The existing peppers; `None` if SQLite's pepper has not been created yet. Changes nothing.
    ///
    /// # Errors
    /// If Postgres is used without a pepper in the settings, or a file cannot be read.
    pub fn read(&self) -> Result<Option<Peppers>, PepperError> {
        let file = PepperFile(&self.file);
        let invalid = |_| PepperError::NotAPepper(self.file.clone());
        // The current pepper is read before the older ones: a concurrent rotation stores the pepper among the older
        // ones before it replaces it.
        let current = match self.in_settings {
            Some(secret) => parse(secret.expose()).map_err(invalid)?,
            None if self.is_postgres => return Err(PepperError::NeededForPostgres),
            None => match file.read()? {
                Some(text) => parse(text.trim()).map_err(invalid)?,
                None => return Ok(None),
            },
        };
        let mut all = vec![current];
        for secret in self.older {
            let pepper = parse(secret.expose()).map_err(invalid)?;
            if all.iter().any(|other| other.version() == pepper.version()) {
                return Err(PepperError::NumberTwice(pepper.version()));
            }
            all.push(pepper);
        }
        let older_files = if self.is_postgres {
            Vec::new()
        } else {
            file.older()?
        };
        for (path, text) in older_files {
            let pepper = parse(text.trim()).map_err(|_| PepperError::NotAPepper(path.clone()))?;
            let same_number = all.iter().find(|other| other.version() == pepper.version());
            match same_number {
                None => all.push(pepper),
                // An interrupted rotation leaves the current pepper among the older ones too.
                Some(same) if same.fingerprint() == pepper.fingerprint() => {}
                Some(_) => return Err(PepperError::NumberTaken(path, pepper.version())),
            }
        }
        let current = all.remove(0);
        Ok(Some(Peppers::new(current, all)))
    }

    /// The peppers. SQLite's pepper is created if it does not exist, unless the database was already used with one.
    ///
    /// # Errors
    /// If Postgres is used without a pepper in the settings, or the file is lost or cannot be read or created.
    pub fn read_or_create(
        &self,
        is_used: bool,
        random: &Randomness,
    ) -> Result<Peppers, PepperError> {
        if let Some(peppers) = self.read()? {
            return Ok(peppers);
        }
        let lost = || PepperError::Lost(self.file.clone());
        if is_used {
            return Err(lost());
        }
        PepperFile(&self.file).create(random)?;
        self.read()?.ok_or_else(lost)
    }

    /// Replaces the current pepper in the file with a new one with the number `next`, and keeps the old one beside it.
    ///
    /// # Errors
    /// If the files cannot be written, or another process is rotating the pepper.
    pub fn rotate(&self, next: i32, random: &Randomness) -> Result<Rotated, RotateError> {
        PepperFile(&self.file).rotate(next, random)
    }

    /// The settings that make a new pepper with the number `next` current, and those of the settings older ones.
    ///
    /// # Errors
    /// If the system provides no randomness.
    pub fn rotated_settings(
        &self,
        next: i32,
        random: &Randomness,
    ) -> Result<(String, Vec<String>), PepperError> {
        let all = self.in_settings.into_iter().chain(self.older);
        let older = all.map(|secret| {
            let (number, secret) =
                split(secret.expose()).map_err(|_| PepperError::NotAPepper(self.file.clone()))?;
            Ok(format!("{number}:{secret}"))
        });
        let older = older.collect::<Result<_, PepperError>>()?;
        Ok((format!("{next}:{}", file::new_secret(random)?), older))
    }
}
