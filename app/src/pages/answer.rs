//! The result of a form that was posted to its page's own path: that page again, or a redirect.

use super::done::Notice;
use crate::form::errors::{FieldError, WHOLE_FORM};

/// The result of a form with the fields `F`. The page that responds to the POST reads it from the context.
#[derive(Debug, Clone)]
pub enum FormAnswer<F, D = ()> {
    /// 200, not cacheable: the form succeeded, and the page shows the result.
    Shown(D),
    /// 422: the form has validation errors.
    Refused {
        /// The submitted values.
        values: F,
        /// At least one error.
        errors: Vec<FieldError>,
    },
    /// 429 with `Retry-After`: too many attempts.
    Throttled {
        /// The submitted values.
        values: F,
        /// What to do, for the whole form.
        error: FieldError,
        /// Seconds until the next attempt is possible.
        retry_after: i64,
    },
    /// 409: someone else changed what the form edits.
    Conflict {
        /// The values to render.
        values: F,
        /// Errors that name what was changed.
        errors: Vec<FieldError>,
    },
    /// 303: the form succeeded, and another page shows the result.
    Redirect {
        /// The path of that page.
        path: String,
        /// The message that the page shows.
        done: Option<Notice>,
    },
}

impl<F, D> FormAnswer<F, D> {
    /// A form with one validation error.
    pub fn refused(values: F, field: &str, sentence: impl std::fmt::Display) -> Self {
        Self::Refused {
            values,
            errors: vec![FieldError::new(field, sentence)],
        }
    }

    /// A form that was submitted too often.
    pub fn throttled(values: F, retry_after: i64, sentence: impl std::fmt::Display) -> Self {
        Self::Throttled {
            values,
            error: FieldError::new(WHOLE_FORM, sentence),
            retry_after,
        }
    }

    /// A form with validation errors.
    pub fn refused_fields(values: F, errors: Vec<FieldError>) -> Self {
        Self::Refused { values, errors }
    }

    /// A redirect to `path` with a message.
    pub fn done(path: impl Into<String>, done: impl Into<Notice>) -> Self {
        Self::Redirect {
            path: path.into(),
            done: Some(done.into()),
        }
    }
}
