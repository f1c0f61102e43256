//! Why a demo cannot be made.

use std::error::Error;

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The database has data, to which a demo is never added.
    #[error(
        "the database already contains data. Choose an empty one, or omit LATCHKEY_DATA_DIR and LATCHKEY_DATABASE_URL for \
         a temporary one"
    )]
    NotEmpty,
    /// A step failed.
    #[error("{0}")]
    Failed(&'static str, #[source] Box<dyn Error + Send + Sync>),
}

/// Turns the error of a step into a [`DemoError`].
pub fn failed<E: Into<Box<dyn Error + Send + Sync>>>(
    what: &'static str,
) -> impl FnOnce(E) -> DemoError {
    move |error| DemoError::Failed(what, error.into())
}
