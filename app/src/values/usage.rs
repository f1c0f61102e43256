//! Usage over a range.

use serde::{Deserialize, Serialize};

pub use latchkey::usage::Range;

/// Parses a query value. An unknown one means the default range.
pub fn range_of(word: &str) -> Range {
    Range::of_word(word).unwrap_or_default()
}

/// The usage page in a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownUsage {
    pub range: Range,
    /// The dates of the range: "Oct 23 – Nov 21, 2026".
    pub period: String,
    /// The number of requests.
    pub requests: i64,
    /// The rendered figures, chart and tables. In WebAssembly, the code that renders them would be a sixth of the
    /// download.
    pub html: String,
}
