//! A list of patterns, as people type it.

use super::pattern::{DomainPattern, PatternError};

/// What a text of patterns came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedList {
    /// Each pattern once, in the order in which they were typed.
    pub patterns: Vec<DomainPattern>,
    /// What could not be taken, in the order in which it was typed.
    pub refused: Vec<RefusedItem>,
}

/// Something on the list that is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedItem {
    /// As typed.
    pub item: String,
    /// Why, and what to write instead.
    pub error: PatternError,
}

/// Reads patterns separated by commas or line ends. Nothing between two separators is nothing.
pub fn parse_list(text: &str) -> ParsedList {
    let mut list = ParsedList::default();
    for item in text
        .split([',', '\n', '\r'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        match DomainPattern::parse(item) {
            Ok(pattern) if list.patterns.contains(&pattern) => {}
            Ok(pattern) => list.patterns.push(pattern),
            Err(error) => list.refused.push(RefusedItem {
                item: item.to_owned(),
                error,
            }),
        }
    }
    list
}
