//! Code examples: requests with a key, and requests that check one.

mod check;
mod of_key;
mod tabs;

use latchkey::ip_range::IpRange;

pub use self::{
    check::{TOKEN_VARIABLE, VERIFY_TAB, YOUR_KEY, YOUR_TOKEN, check, check_with_token, key_of},
    of_key::{Example, examples, script_tag},
    tabs::ExampleTabs,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The label of the tab.
    pub language: &'static str,
    pub text: String,
}

/// An address that is in the first of a key's ranges; `None` if it has none and works from everywhere.
pub fn ip_in(ranges: &[IpRange]) -> Option<String> {
    ranges
        .first()
        .map(|range| range.first_address().to_string())
}

/// An origin that matches an allowed domain.
pub fn origin_of(pattern: &str) -> String {
    let host = pattern.replacen("*.", "www.", 1);
    if host.contains("://") {
        host
    } else {
        format!("https://{host}")
    }
}
