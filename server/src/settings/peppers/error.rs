//! Errors of peppers.

use std::{io, path::PathBuf};

use latchkey::random::RandomnessError;

/// Why the peppers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PepperError {
    /// All instances that share a database must have the same pepper.
    #[error(
        "Postgres needs a pepper in the settings. Set LATCHKEY_PEPPER to the same value on every instance: for a new \
         database, the output of `openssl rand -hex 32`; for a restored one, the pepper that it was used with, such as \
         the content of the file data/pepper. Keys are not recognized with another pepper"
    )]
    NeededForPostgres,
    /// The file is missing, but the database was used with its pepper.
    #[error(
        "the pepper file {0} is missing, and the database uses its pepper. Restore the file from a copy, or set \
         LATCHKEY_PEPPER to its contents. Without it, no key in this database can be recognized"
    )]
    Lost(PathBuf),
    /// A file could not be read or created.
    #[error("the pepper file {0} cannot be used: {1}")]
    File(PathBuf, io::Error),
    /// The file is truncated or contains something else.
    #[error(
        "the pepper file {0} does not contain a complete pepper, which has at least 32 characters. Restore the file \
         from a copy. Do not replace it with a new pepper: no key in this database could be recognized"
    )]
    NotAPepper(PathBuf),
    /// Two peppers have the same number.
    #[error("older_peppers: number {0} appears twice. Each pepper must have its own number")]
    NumberTwice(i32),
    /// A file and the settings contain different peppers with the same number.
    #[error(
        "the pepper file {0} and the settings contain different peppers with number {1}. Remove the pepper that this \
         database does not use"
    )]
    NumberTaken(PathBuf, i32),
    /// The system provided no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}
