//! A list of ranges, as people type it.

use super::{IpRange, IpRangeError};

/// What a text of ranges came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedRanges {
    /// Each range once, in the order in which they were typed.
    pub ranges: Vec<IpRange>,
    /// What could not be taken, in the order in which it was typed.
    pub refused: Vec<RefusedRange>,
}

/// Something on the list that is not a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRange {
    /// As typed.
    pub item: String,
    /// Why, and what to write instead.
    pub error: IpRangeError,
}

/// Reads ranges separated by commas or line ends. Nothing between two separators is nothing.
pub fn parse_list(text: &str) -> ParsedRanges {
    let mut list = ParsedRanges::default();
    for item in text
        .split([',', '\n', '\r'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        match IpRange::parse(item) {
            Ok(range) if list.ranges.contains(&range) => {}
            Ok(range) => list.ranges.push(range),
            Err(error) => list.refused.push(RefusedRange {
                item: item.to_owned(),
                error,
            }),
        }
    }
    list
}
