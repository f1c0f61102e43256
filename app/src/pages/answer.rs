//! What comes of a form, which is posted to its page's own address: the page, with what became of the form, or another one.

use super::done::Done;
use crate::form::errors::FieldError;

/// What comes of a form with the fields `F`. The page that answers the POST finds it as context.
#[derive(Debug, Clone)]
pub enum FormAnswer<F, D = ()> {
    /// It is done, and the page shows what came of it. 200, never to be stored.
    Shown(D),
    /// Fields need another look. 422
    Refused {
        /// What was sent.
        values: F,
        /// What is wrong with it; at least one.
        errors: Vec<FieldError>,
    },
    /// Someone else changed what the form edits. 409
    Conflict {
        /// What the form holds now.
        values: F,
        /// What was changed.
        errors: Vec<FieldError>,
    },
    /// It is done, and another page shows it. 303
    Redirect {
        /// The address of that page.
        path: String,
        /// What that page says was done.
        done: Option<Done>,
    },
}

impl<F, D> FormAnswer<F, D> {
    /// One field needs another look.
    pub fn refused(values: F, field: &str, sentence: impl std::fmt::Display) -> Self {
        Self::Refused {
            values,
            errors: vec![FieldError::new(field, sentence)],
        }
    }

    /// Fields need another look.
    pub fn refused_fields(values: F, errors: Vec<FieldError>) -> Self {
        Self::Refused { values, errors }
    }

    /// It is done, as the page at `path` says.
    pub fn done(path: impl Into<String>, done: Done) -> Self {
        Self::Redirect {
            path: path.into(),
            done: Some(done),
        }
    }
}
