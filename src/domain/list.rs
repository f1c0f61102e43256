//! Parses a list of patterns as typed by a user.

use serde::{Deserialize, Deserializer, de::Error};

use super::pattern::{DomainPattern, PatternError};
use crate::list::{self, ParsedList};

/// The maximum number of patterns on a key or an agent, so that the list still fits on a page.
pub const MAX_PATTERNS: usize = 500;
/// The error message for more than [`MAX_PATTERNS`] patterns.
pub const TOO_MANY_PATTERNS: &str =
    "At most 500 domains are allowed. Use patterns such as *.example.com.";

/// Parses patterns separated by commas or line breaks. Stops at one more than [`MAX_PATTERNS`].
pub fn parse_list(text: &str) -> ParsedList<DomainPattern, PatternError> {
    list::parse(text, MAX_PATTERNS, DomainPattern::parse)
}

/// The word that is stored for whether patterns have loopback hosts other than `localhost`.
#[cfg(feature = "native")]
pub(crate) fn loopback_word(patterns: &[DomainPattern]) -> &'static str {
    match patterns.iter().any(DomainPattern::is_other_loopback) {
        true => "yes",
        false => "no",
    }
}

/// The same for the patterns of a key as they are stored, in JSON.
#[cfg(feature = "native")]
pub(crate) fn lists_loopback(stored: &str) -> String {
    let texts: Vec<String> = serde_json::from_str(stored).unwrap_or_default();
    let patterns = texts.iter().map(|text| DomainPattern::parse_stored(text));
    loopback_word(&patterns.flatten().collect::<Vec<_>>()).to_owned()
}

/// Deserializes patterns that [`DomainPattern::parse`] accepted when they were stored.
pub fn stored_patterns<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<DomainPattern>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let patterns = texts.iter().map(|text| DomainPattern::parse_stored(text));
    patterns.collect::<Result<_, _>>().map_err(D::Error::custom)
}
