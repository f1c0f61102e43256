//! Parses a list of IP ranges as typed by a user.

use super::{IpRange, IpRangeError};
use crate::list::{self, ParsedList};

/// The maximum number of IP ranges on a key.
pub const MAX_RANGES: usize = 500;
/// The error message for more than [`MAX_RANGES`] ranges.
pub const TOO_MANY_RANGES: &str = "At most 500 IP ranges are allowed. Use larger ranges.";

/// Parses ranges separated by commas or line breaks. Stops at one more than [`MAX_RANGES`].
pub fn parse_list(text: &str) -> ParsedList<IpRange, IpRangeError> {
    list::parse(text, MAX_RANGES, IpRange::parse)
}
