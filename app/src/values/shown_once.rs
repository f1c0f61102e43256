//! The response to the forms that create and rotate a key, for their islands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::form::errors::FieldError;

/// The page that shows a key once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownOnce {
    pub title: String,
    /// The path of the key's own page, which reload and back lead to.
    pub path: String,
    /// The content of the page, with the key in it.
    pub html: String,
}

impl fmt::Debug for ShownOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownOnce")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The result of a form that creates or rotates a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAnswer {
    /// The key was created or rotated, and is shown.
    Shown(ShownOnce),
    /// The form was submitted before, and the key can no longer be shown. The page at this path explains it.
    ShownBefore(String),
    /// Nothing was changed, because of these errors.
    Refused(Vec<FieldError>),
}
