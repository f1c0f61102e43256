//! What comes of a form that creates or rotates a key.

use super::CreatedKey;
use crate::form::errors::FieldError;

/// What comes of a form for a key.
#[derive(Debug)]
pub enum KeyOutcome {
    /// It is done, and the key is shown.
    Shown(Box<CreatedKey>),
    /// It was done before, and its key can no longer be shown. The page at this path says so.
    ShownBefore(String),
    /// Nothing was changed.
    Refused(Vec<FieldError>),
}
