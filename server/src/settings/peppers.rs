//! The peppers that key digests are made with: from the settings, or with SQLite from files in the data folder.

mod file;
#[cfg(test)]
mod tests;

use std::{io, path::PathBuf};

use latchkey::{
    key::digest::{Pepper, Peppers},
    random::{Randomness, RandomnessError},
};

pub use self::file::{RotateError, Rotated};

use self::file::PepperFile;
use super::Secret;

/// Why there is no pepper.
#[derive(Debug, thiserror::Error)]
pub enum PepperError {
    /// Several instances on one database must have the same.
    #[error(
        "Postgres needs a pepper in the settings. Set LATCHKEY_PEPPER to the same value on every instance: for a new \
         database, the output of `openssl rand -hex 32`; for a restored one, the pepper that it was used with, such as \
         the content of the file data/pepper. Keys are not recognized with another pepper"
    )]
    NeededForPostgres,
    /// The file is gone, and the database was used with what it held.
    #[error(
        "the pepper file {0} is missing, and the database uses its pepper. Restore the file from a copy, or set \
         LATCHKEY_PEPPER to its contents. Without it, no key in this database can be recognized"
    )]
    Lost(PathBuf),
    /// A file could not be read or created.
    #[error("the pepper file {0} cannot be used: {1}")]
    File(PathBuf, io::Error),
    /// The file was cut off, or holds something else.
    #[error(
        "the pepper file {0} does not contain a complete pepper, which has at least 32 characters. Restore the file \
         from a copy. Do not replace it with a new pepper: no key in this database could be recognized"
    )]
    NotAPepper(PathBuf),
    /// Two have the same number.
    #[error("older_peppers: number {0} appears twice. Each pepper must have its own number")]
    NumberTwice(i32),
    /// A file has the number of another pepper.
    #[error(
        "the pepper file {0} and the settings contain different peppers with number {1}. Remove the pepper that this \
         database does not use"
    )]
    NumberTaken(PathBuf, i32),
    /// There was no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// A pepper as it is written: `NUMBER:SECRET`, or the secret of number 1 alone.
///
/// # Errors
/// With a sentence that says what would do.
pub(super) fn parse(text: &str) -> Result<Pepper, String> {
    let (number, secret) = split(text)?;
    Pepper::new(number, secret.as_bytes()).map_err(|_| {
        "must have at least 32 characters. For an existing database, set its pepper; for a new database, set the \
         output of `openssl rand -hex 32`"
            .to_owned()
    })
}

/// The number and the secret of a pepper as it is written.
fn split(text: &str) -> Result<(i32, &str), String> {
    let (number, secret) = match text.split_once(':') {
        Some((number, secret)) => {
            let number: i32 = number
                .parse()
                .map_err(|_| "must begin with a number before the colon".to_owned())?;
            (number, secret)
        }
        None => (1, text),
    };
    if number < 1 {
        return Err("must have a number of at least 1".to_owned());
    }
    Ok((number, secret))
}

/// Where peppers come from. `file` is that of SQLite's pepper, which is used when the settings name none; older ones are
/// beside it.
#[derive(Debug)]
pub(super) struct PepperSources<'a> {
    pub in_settings: Option<&'a Secret>,
    pub older: &'a [Secret],
    pub is_postgres: bool,
    pub file: PathBuf,
}

impl PepperSources<'_> {
    /// The peppers that are there; `None` when SQLite's has not been created. Changes nothing.
    ///
    /// # Errors
    /// When Postgres has none, or a file cannot be read.
    pub fn read(&self) -> Result<Option<Peppers>, PepperError> {
        let file = PepperFile(&self.file);
        let invalid = |_| PepperError::NotAPepper(self.file.clone());
        // Before the older ones: a rotation meanwhile has stored the pepper that it replaces before it replaces it.
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
                // A rotation that was cut off has left the current one among the older ones too.
                Some(same) if same.fingerprint() == pepper.fingerprint() => {}
                Some(_) => return Err(PepperError::NumberTaken(path, pepper.version())),
            }
        }
        let current = all.remove(0);
        Ok(Some(Peppers::new(current, all)))
    }

    /// The peppers; SQLite's is created unless the database was used with one.
    ///
    /// # Errors
    /// When Postgres has none, or the file is lost or cannot be read or created.
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

    /// Makes a new pepper the current one in the file, under the number `next`, and keeps the old one beside it.
    ///
    /// # Errors
    /// When the files cannot be written, or another process is at it.
    pub fn rotate(&self, next: i32, random: &Randomness) -> Result<Rotated, RotateError> {
        PepperFile(&self.file).rotate(next, random)
    }

    /// What to set so that a new pepper with the number `next` is current and those of the settings are older ones.
    ///
    /// # Errors
    /// When there is no randomness.
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
