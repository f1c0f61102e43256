//! Usage over a range.

use serde::{Deserialize, Serialize};

pub use latchkey::usage::Range;

/// The range that an address names; the default one where it names none. Addresses once had `12m`.
pub fn range_of(word: &str) -> Range {
    let word = if word == "12m" { "12mo" } else { word };
    let mut ranges = Range::ALL.into_iter();
    ranges
        .find(|range| range.as_str() == word)
        .unwrap_or_default()
}

/// What the page shows of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownUsage {
    pub range: Range,
    /// From when to when: "Oct 23 – Nov 21, 2026".
    pub period: String,
    /// How many requests there were.
    pub requests: i64,
    /// The figures, the chart and the tables, as the page has them. The code that draws them would be a sixth of what
    /// the browser loads.
    pub html: String,
}
