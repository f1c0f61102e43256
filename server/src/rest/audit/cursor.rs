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
        // Each position has a single spelling, as IDs do, with at most 19 digits.
        let is_number = text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
        let seq: u64 = text.parse().map_err(|_| InvalidCursor)?;
        if !is_number || text.starts_with('0') {
            return Err(InvalidCursor);
        }
        // A position beyond the range of the database means the end.
        Ok(Self(i64::try_from(seq).unwrap_or(i64::MAX)))
    }
}

impl From<Cursor> for String {
    fn from(Cursor(seq): Cursor) -> Self {
        seq.to_string()
    }
}
