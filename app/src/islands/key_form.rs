//! The forms of a key: to create one and to edit one. Each is sent as any form is, and answered by a page; the checks made
//! while one types are the code that the server runs, and only a courtesy.

pub mod edit_key;
pub mod fields;
pub mod new_key;
mod scopes;

use latchkey::{
    domain::{TOO_MANY_PATTERNS, parse_list},
    ip_range::{self, TOO_MANY_RANGES},
};

/// What the browser can tell about a list of domains. What needs tables that only the server has is left to it.
pub fn domain_errors(text: &str) -> Vec<String> {
    parse_list(text).sentences(TOO_MANY_PATTERNS, |error| !error.is_left_to_server())
}

/// What is wrong with a list of IP ranges.
pub fn ip_range_errors(text: &str) -> Vec<String> {
    ip_range::parse_list(text).sentences(TOO_MANY_RANGES, |_| true)
}
