//! Why a command did not do its work.

use std::{error::Error, fmt::Write as _};

use latchkey::backup::{BackupError, RestoreError};

use crate::{
    serve::ServeError,
    settings::{RotateError, SettingsError},
    start::StartError,
};

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// What was entered will not do.
    #[error("{0}")]
    BadInput(String),
    /// A setting will not do.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Something that the command needs does not work.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Serving did not begin, or did not end well.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The pepper was not rotated.
    #[error(transparent)]
    Rotate(#[from] RotateError),
    /// There is no backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Nothing was restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The work itself failed.
    #[error("{0}")]
    Failed(&'static str, #[source] Box<dyn Error + Send + Sync>),
    /// The work was not done, because of what was to be worked on.
    #[error("{0}")]
    Refused(String),
    /// `check` found something; it has said what.
    #[error("some checks failed")]
    Unwell,
    /// `check --strict` found something that works and should not be left so; it has said what.
    #[error("all checks passed, with warnings")]
    Warnings,
}

/// An error and what led to it, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // An error that is only passed on says what its cause says.
        if !text.ends_with(&error.to_string()) {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {error}");
        }
        cause = error.source();
    }
    text
}
