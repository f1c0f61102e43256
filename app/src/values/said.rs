//! The message of the form that led to a page.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub text: String,
    /// The form that undoes what was done.
    pub undo: Option<UndoForm>,
    /// Address and text of a page that follows from it.
    pub link: Option<(String, String)>,
}

/// A form whose fields are all hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoForm {
    pub action: String,
    /// Name and value of each field.
    pub fields: Vec<(String, String)>,
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self {
            text,
            undo: None,
            link: None,
        }
    }
}
