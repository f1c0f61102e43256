//! The fields of the forms on the page of a request.

use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    form::sent_back::{MAX_NAME, MAX_NOTES, sent_back},
    pages::answer::FormAnswer,
    shown_once::CreatedKey,
};

/// The fields of the page's forms. What was approved is not among them: it is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestForm {
    /// `approve`, `decline`, `withdraw` or `reveal`.
    pub change: String,
    /// The comment of the owner.
    pub comment: String,
    /// The version of the request that the page showed.
    pub version: String,
}

impl RequestForm {
    /// The form to render again.
    pub fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            comment: sent_back(&self.comment, MAX_NOTES),
            version: sent_back(&self.version, MAX_NAME),
        }
    }
}

/// The response to such a form.
pub type Answer = Result<FormAnswer<RequestForm, CreatedKey>, AppError>;
