//! What is shown once, in answer to the form that created it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::form::errors::FieldError;

/// The page that shows a new key, as its island gets it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownOnce {
    /// The page's title.
    pub title: String,
    /// The key's own page, where one goes back or reloads to.
    pub path: String,
    /// The page below the frame, with the key in it.
    pub html: String,
}

impl fmt::Debug for ShownOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownOnce")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What comes of a form that creates or rotates a key, for its island.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAnswer {
    /// It is done, and the key is shown.
    Shown(ShownOnce),
    /// It was done before, and its key can no longer be shown. The page at this path says so.
    ShownBefore(String),
    /// Nothing was changed.
    Refused(Vec<FieldError>),
}
