//! A list of ranges, as people type it.

use super::{IpRange, IpRangeError};
use crate::list::{self, ParsedList};

/// The most IP ranges that a key has.
pub const MAX_RANGES: usize = 500;
/// What to say of more.
pub const TOO_MANY_RANGES: &str = "At most 500 IP ranges are allowed. Use larger ranges.";

/// Reads ranges separated by commas or line ends, and stops at one more than [`MAX_RANGES`].
pub fn parse_list(text: &str) -> ParsedList<IpRange, IpRangeError> {
    list::parse(text, MAX_RANGES, IpRange::parse)
}
