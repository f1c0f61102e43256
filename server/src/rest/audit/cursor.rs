//! The cursor of the audit log.

use serde::{Deserialize, Serialize};

/// The number of the last entry of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor(pub i64);

#[derive(Debug, thiserror::Error)]
#[error("must be the next_cursor of the previous page")]
pub struct InvalidCursor;

impl TryFrom<String> for Cursor {
    type Error = InvalidCursor;
    fn try_from(text: String) -> Result<Self, InvalidCursor> {
        let seq = text.parse().map_err(|_| InvalidCursor)?;
        // Only the canonical spelling is valid, as with IDs.
        match seq >= 1 && String::from(Self(seq)) == text {
            true => Ok(Self(seq)),
            false => Err(InvalidCursor),
        }
    }
}

impl From<Cursor> for String {
    fn from(Cursor(seq): Cursor) -> Self {
        seq.to_string()
    }
}
