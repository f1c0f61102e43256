//! The fields of the form that brings a file.

use latchkey::keys::import::text_of;
use serde::Deserialize;

use crate::form::sent_back::{MAX_NAME, sent_back};

/// The most bytes of a text that the answer carries: escaped, they can be five times as many.
const MAX_CARRIED: usize = 128 * 1024;

/// The form's fields as they were sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ImportForm {
    /// `csv` or `json`.
    pub format: String,
    /// The file's text.
    pub text: String,
    /// `import` to do it; anything else only says what would come of it.
    pub go: String,
    /// Whether the text is that of a file, rather than pasted.
    #[serde(skip)]
    pub is_file: bool,
    /// Why the text cannot be read, if it cannot.
    #[serde(skip)]
    pub unreadable: Option<String>,
}

impl ImportForm {
    /// Takes over what was sent as the text.
    pub fn set_text(&mut self, bytes: Vec<u8>) {
        (self.text, self.unreadable) = match text_of(bytes) {
            Ok(text) => (text, None),
            Err(error) => (String::new(), Some(error.to_string())),
        };
    }

    /// The form as the answer carries it. A text that is too long for that is left out as a whole: half of it would be
    /// imported as if it were all.
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

    /// The form as it is filled in again. A file is not shown as if it had been pasted.
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
