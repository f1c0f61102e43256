//! The fields of the import form.

use latchkey::keys::import::text_of;
use serde::Deserialize;

use crate::form::sent_back::{MAX_NAME, sent_back};

/// The most bytes of text that the response contains: escaped, they can be five times as many.
const MAX_CARRIED: usize = 128 * 1024;

/// The fields as submitted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ImportForm {
    /// `csv` or `json`.
    pub format: String,
    /// The contents of the file.
    pub text: String,
    /// `import` to import; anything else is a dry run.
    pub go: String,
    /// Whether the text comes from a file and was not pasted.
    #[serde(skip)]
    pub is_file: bool,
    /// Why the file is not valid text, if it is not.
    #[serde(skip)]
    pub unreadable: Option<String>,
}

impl ImportForm {
    /// Sets the text to the received bytes.
    pub fn set_text(&mut self, bytes: Vec<u8>) {
        (self.text, self.unreadable) = match text_of(bytes) {
            Ok(text) => (text, None),
            Err(error) => (String::new(), Some(error.to_string())),
        };
    }

    /// The form as the response carries it to the import. A text that is too long is left out entirely: a truncated
    /// text would be imported as if it were complete.
    pub fn carried(&self) -> Self {
        let text = if self.text.len() > MAX_CARRIED {
            String::new()
        } else {
            self.text.clone()
        };
        Self {
            format: sent_back(&self.format, MAX_NAME),
            text,
            go: String::new(),
            is_file: self.is_file,
            unreadable: None,
        }
    }

    /// The values to render again. The contents of a file are not shown as pasted text.
    pub fn sent_back(&self) -> Self {
        let carried = self.carried();
        Self {
            text: if self.is_file {
                String::new()
            } else {
                carried.text
            },
            ..carried
        }
    }
}
