//! The forms that create and edit a key. They work as plain forms; the validation in the browser runs the same code as
//! the server and is only a convenience.

pub mod ask_key;
pub mod edit_key;
pub mod fields;
mod more;
pub mod new_key;
mod policy_note;
mod scopes;

use latchkey::{
    domain::{TOO_MANY_PATTERNS, parse_list},
    ip_range::{self, TOO_MANY_RANGES},
};

/// Validates a list of domains in the browser, except for what needs the server's public suffix list.
pub fn domain_errors(text: &str) -> Vec<String> {
    parse_list(text).sentences(TOO_MANY_PATTERNS, |error| !error.is_left_to_server())
}

/// Validates a list of IP ranges.
pub fn ip_range_errors(text: &str) -> Vec<String> {
    ip_range::parse_list(text).sentences(TOO_MANY_RANGES, |_| true)
}
