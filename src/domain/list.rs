//! A list of patterns, as people type it.

use super::pattern::{DomainPattern, PatternError};
use crate::list::{self, ParsedList};

/// The most patterns that a key or an agent has: a list that still fits on a page.
pub const MAX_PATTERNS: usize = 500;
/// What to say of more.
pub const TOO_MANY_PATTERNS: &str =
    "At most 500 domains are allowed. Use patterns such as *.example.com.";

/// Reads patterns separated by commas or line ends, and stops at one more than [`MAX_PATTERNS`].
pub fn parse_list(text: &str) -> ParsedList<DomainPattern, PatternError> {
    list::parse(text, MAX_PATTERNS, DomainPattern::parse)
}
