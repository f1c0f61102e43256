//! The result of a form that creates or rotates a key.

use super::CreatedKey;
use crate::form::errors::FieldError;

/// The result of a form that creates or rotates a key.
#[derive(Debug)]
pub enum KeyOutcome {
    /// The key was created or rotated, and is shown.
    Shown(Box<CreatedKey>),
    /// The form was submitted before, and the key can no longer be shown. The page at this path explains it.
    ShownBefore(String),
    /// Nothing was changed, because of these errors.
    Refused(Vec<FieldError>),
}
