//! What comes of a plain form that is posted to its page's own address: the page, with what became of the form.

use serde::{Deserialize, Serialize};

use crate::{done::Done, error::AppError};

/// What comes of a form with the fields `F`. The server provides it as context to the page that answers the POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormAnswer<F, D> {
    /// It is done, and the page shows what came of it. 200, never to be stored.
    Done(D),
    /// Fields need another look. 422
    Refused {
        /// What was sent.
        values: F,
        /// What is wrong with it; at least one.
        errors: Vec<FieldSentence>,
    },
    /// It is done, and another page shows it. 303
    Elsewhere {
        /// The address of that page.
        path: String,
        /// What that page says was done.
        done: Option<Done>,
    },
    /// It cannot be done by this person, or not now. The error's status; 303 to the sign-in without a session.
    Failed(AppError),
}

/// A field and a sentence that says what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSentence {
    /// The field's `name`; `form` for what concerns no single field.
    pub field: String,
    /// What is wrong, and what to do.
    pub sentence: String,
}

impl<F, D> FormAnswer<F, D> {
    /// Fields that need another look.
    pub fn refused(values: F, field: &str, sentence: impl std::fmt::Display) -> Self {
        Self::Refused {
            values,
            errors: vec![FieldSentence::new(field, sentence)],
        }
    }
}

/// The most characters that are sent back of a field of one line.
pub const MAX_NAME: usize = 200;
/// The same of a list of domains or addresses: what its field takes.
pub const MAX_LIST: usize = 20_000;
/// The same of notes, which may have 2,000.
pub const MAX_NOTES: usize = 4_000;

/// What is sent back of a field that is longer than it may be: enough to see what it was.
pub fn sent_back(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// The same of a field that is there several times, of which so many are sent back.
pub fn sent_back_each(texts: &[String], most: usize, max: usize) -> Vec<String> {
    let texts = texts.iter().take(most);
    texts.map(|text| sent_back(text, max)).collect()
}

impl FieldSentence {
    /// What is wrong with `field`.
    pub fn new(field: &str, sentence: impl std::fmt::Display) -> Self {
        Self {
            field: field.to_owned(),
            sentence: sentence.to_string(),
        }
    }
}
