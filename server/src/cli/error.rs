//! Errors of commands.

use std::{error::Error, fmt::Write as _};

use latchkey::backup::{BackupError, RestoreError};

use crate::{
    serve::ServeError,
    settings::{RotateError, SettingsError},
    start::StartError,
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The input is invalid.
    #[error("{0}")]
    BadInput(String),
    /// A setting is invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Something that the command requires does not work.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server did not start or did not stop cleanly.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The pepper was not rotated.
    #[error(transparent)]
    Rotate(#[from] RotateError),
    /// The backup was not created.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Nothing was restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The operation failed.
    #[error("{0}")]
    Failed(&'static str, #[source] Box<dyn Error + Send + Sync>),
    /// The operation was rejected because of the state of its object.
    #[error("{0}")]
    Refused(String),
    /// `check` found errors, which it has printed.
    #[error("some checks failed")]
    Unwell,
    /// `check --strict` found warnings, which it has printed.
    #[error("all checks passed, with warnings")]
    Warnings,
}

/// An error and its causes, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // A transparent error has the same message as its cause.
        if !text.ends_with(&error.to_string()) {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {error}");
        }
        cause = error.source();
    }
    text
}
